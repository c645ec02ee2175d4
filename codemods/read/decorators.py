"""Decorators that leave a function what it is: known ones, and wrappers of the checkout that only call it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods.core.syntax import walk
from codemods.read.calls import QUIET
from codemods.read.checkout import Module, bound_in
from codemods.read.expressions import names_in
from codemods.read.graph import arguments_of
from codemods.read.names import dotted
from codemods.read.uses import TABLES

if TYPE_CHECKING:
    from codemods.read.checkout import Checkout

KEEPING = frozenset(
    "torch.no_grad torch.inference_mode torch.compile staticmethod classmethod abc.abstractmethod".split()
)
BOUND = frozenset({"staticmethod", "classmethod"})
INSIDES = frozenset({"__code__", "__defaults__", "__kwdefaults__"})
GRADIENTS = re.compile(rb"\b(?:enable_grad|set_grad_enabled)\b")
OWN = re.compile(rb"(?<![@\w])(?:static|class)method\b")  # somewhere else than in front of a method
LATER = (ast.Yield, ast.YieldFrom, ast.Await, ast.Lambda, ast.GeneratorExp, ast.Global, ast.Nonlocal)
ASIDE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Pass, ast.Assert, ast.Raise)


def silent(node: ast.FunctionDef, module: Module, checkout: Checkout) -> bool | None:
    """A call of the function runs its body and, where this is False, other code around it; None where it may not run
    it, or with other arguments."""
    quiet = True
    for place, decorator in enumerate(node.decorator_list):
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        own = isinstance(call, ast.Name) and call.id not in module.names.bound
        if own and OWN.search(module.source) and _in_class(call, module):
            return None
        name = dotted(call, module.names.apis) or (call.id if isinstance(call, ast.Name) and own else "")
        if name in BOUND and place:
            return None  # what is around it is no function that is found on a class
        if name in KEEPING:
            continue
        aside = _wrapper(decorator, node, module, checkout)
        if aside is None:
            return None
        quiet = quiet and not aside
    return quiet


def unpatched(module: Module) -> bool:
    """Its functions run as they are written; what a caller has switched off stays off in them."""
    return not (module.exchanged or INSIDES & module.set_attributes or GRADIENTS.search(module.source))


def _wrapper(decorator: ast.expr, node: ast.FunctionDef, module: Module, checkout: Checkout) -> bool | None:
    """Whether a wrapper of the checkout runs anything but the function; None for any other decorator."""
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    found = checkout.stands_for(module, call)
    if found is None or not isinstance(found.node, ast.FunctionDef) or found.given is not None:
        return None
    if not unpatched(found.module) or module.sets(found.node.name) or _in_class(call, module):
        return None
    made: ast.FunctionDef | None = found.node
    if isinstance(decorator, ast.Call):
        made = _gives(found.node)
    inner = None if made is None or len(arguments_of(made.args)) != 1 or made.args.defaults else _gives(made)
    if made is None or inner is None or not made.args.args:
        return None
    return _Wrapper(made.args.args[0].arg, inner, found.module).around(node)


def _in_class(call: ast.expr, module: Module) -> bool:
    """A class of the file has a name of its own for it."""
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    return any(names_in(call) & bound_in(node, module.package) for node in classes)


def _gives(function: ast.FunctionDef) -> ast.FunctionDef | None:
    """The nested function that a function makes and gives back, and nothing else."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    match body:
        case [ast.FunctionDef(name=name) as inner, ast.Return(value=ast.Name(id=given))] if name == given:
            return None if function.decorator_list else inner
    return None


@dataclass(slots=True)
class _Wrapper:
    """`inner` calls what `name` stands for."""

    name: str
    inner: ast.FunctionDef
    module: Module
    result: str = ""
    aside: bool = False  # other code runs

    def around(self, node: ast.FunctionDef) -> bool | None:
        arguments = self.inner.args
        explicit = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        places = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
        if arguments.defaults or arguments.kwonlyargs or explicit != places[: len(explicit)]:
            return None
        known = all(self._wraps(item) for item in self.inner.decorator_list)
        later = any(isinstance(item, LATER) for item in walk(self.inner))
        if not known or later or self.name in self.private:
            return None
        return self.aside if self._block(self.inner.body, False) == "returned" else None

    @property
    def private(self) -> frozenset[str]:
        return frozenset(item.arg for item in arguments_of(self.inner.args))

    def _wraps(self, decorator: ast.expr) -> bool:
        match decorator:
            case ast.Call(func=func, args=[ast.Name(id=name)], keywords=[]):
                return name == self.name and dotted(func, self.module.names.apis) == "functools.wraps"
        return False

    def _block(self, body: list[ast.stmt], called: bool) -> str:
        """How it ends: "returned", "called" or "" where it goes on, "?" where it is not understood."""
        for statement in body:
            end = self._statement(statement, called)
            if end in ("returned", "?"):
                return end
            called = end == "called"
        return "called" if called else ""

    def _statement(self, statement: ast.stmt, called: bool) -> str:
        match statement:
            case ast.Return(value=ast.Call() as call) if not called and self._is_call(call):
                return "returned"
            case ast.Return(value=ast.Name(id=name)) if called and name == self.result:
                return "returned"
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if not called and self._is_call(
                call
            ):
                if name in self.private | {self.name}:
                    return "?"
                self.result = name
                return "called"
            case ast.With(items=items, body=body) if all(map(self._quiet, items)):
                return self._block(body, called)
            case ast.Try(body=body, handlers=[], orelse=[], finalbody=last) if self._block(last, called) == (
                "called" if called else ""
            ):
                return self._block(body, called)
            case ast.If(test=test, body=body, orelse=other) if self._elsewhere(test):
                ends = {self._block(body, called), self._block(other, called)}
                ends = ends - {"returned"} if len(ends) > 1 else ends
                return ends.pop() if len(ends) == 1 else "?"
            case _ if isinstance(statement, ASIDE) and self._elsewhere(statement):
                return "returned" if isinstance(statement, ast.Raise) else "called" if called else ""
        return "?"

    def _is_call(self, call: ast.Call) -> bool:
        """It hands on every argument as it was given."""
        arguments = self.inner.args
        given: list[ast.expr] = [ast.Name(item.arg, ast.Load()) for item in (*arguments.posonlyargs, *arguments.args)]
        if arguments.vararg:
            given.append(ast.Starred(ast.Name(arguments.vararg.arg, ast.Load()), ast.Load()))
        named = [ast.keyword(None, ast.Name(arguments.kwarg.arg, ast.Load()))] if arguments.kwarg else []
        return ast.dump(call) == ast.dump(ast.Call(ast.Name(self.name, ast.Load()), given, named))

    def _quiet(self, item: ast.withitem) -> bool:
        context = item.context_expr
        path = dotted(context.func, self.module.names.apis) if isinstance(context, ast.Call) else None
        return path in QUIET and item.optional_vars is None and self._elsewhere(context)

    def _elsewhere(self, node: ast.AST) -> bool:
        """It has nothing to do with the function, its arguments or its result."""
        mine = self.private | {self.name, self.result} | TABLES
        if names_in(node) & mine:
            return False
        streams = any(isinstance(inner, ast.Attribute) and "stream" in inner.attr for inner in walk(node))
        constant = isinstance(node, ast.Pass) or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        self.aside = self.aside or not constant
        return not streams
