"""Statements -> the control-flow graph. Exceptions are edges: any block in a `try` may go to its handlers."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from codemods.core.syntax import walk
from codemods.read.expressions import Context, Expressions, names_in
from codemods.read.graph import Around, Graph, arguments_of, loops
from codemods.read.nested import calls_of, rebound_inside

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope = Function | ast.Module | ast.ClassDef


@dataclass(slots=True)
class Finally:
    """Its body is laid out once for every way that leads into it, so that each goes on where it must."""

    body: list[ast.stmt]
    handler: int | None  # of the code around the whole statement


@dataclass(slots=True)
class Leave:
    """A context manager whose exit may run code."""

    node: ast.AST
    handler: int | None


@dataclass(slots=True)
class Loop:
    head: int
    after: int


class Statements(Expressions):
    def __init__(self, scope: Scope, quiet: Context) -> None:
        super().__init__()
        self.scope = scope
        self.quiet = quiet  # a context manager that swallows no exception and calls nothing of ours
        self.frames: list[Loop | Finally | Leave] = []
        self.declared: set[str] = set()  # global or nonlocal, here or in a nested scope
        self.around: dict[int, Around] = {}
        self.contexts: list[ast.expr] = []  # of the with statements around
        self.leave = self.block()
        self.fail = self.block()

    def body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if self.here is None:
                self.here = self.block()  # unreachable: lowered for its sites, never visited
            getattr(self, "on_" + type(statement).__name__, self.on_other)(statement)
            self.emit("clear", statement)

    def on_other(self, node: ast.stmt) -> None:
        self.emit("closure", node, data=names_in(node))

    def on_Expr(self, node: ast.Expr) -> None:
        self.value(node.value)

    def on_Pass(self, node: ast.stmt) -> None: ...

    def on_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.declared |= set(node.names)

    on_Nonlocal = on_Global

    def on_Assign(self, node: ast.Assign) -> None:
        slot = self.value(node.value)
        for target in node.targets:
            self.assign(target, slot)

    def on_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.assign(node.target, self.value(node.value))
        else:  # `a[i]: int` evaluates a and i
            self.parts(node.target)

    def on_AugAssign(self, node: ast.AugAssign) -> None:
        op = type(node.op).__name__
        match node.target:
            case ast.Name(id=name):
                slot = self.emit("load", node.target, data=self.name(name))
                result = self.emit("augment", node, (slot, self.value(node.value)), op)
                self.emit("store", node.target, (result,), self.name(name))
            case ast.Subscript(value=holder, slice=index):
                slots = (self.value(holder), self.value(index))
                self.emit("augindex", node, (*slots, self.value(node.value)), op)
            case ast.Attribute(value=holder, attr=attr):
                slot = self.value(holder)
                self.emit("augattr", node, (slot, self.value(node.value)), attr)

    def on_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            match target:
                case ast.Name(id=name):
                    self.emit("delete", target, data=self.name(name))
                case ast.Attribute(value=holder):
                    self.emit("foreign", target, (self.value(holder),))
                case ast.Subscript(value=holder, slice=index):
                    self.emit("foreign", target, (self.value(holder), self.value(index)))
                case _:
                    self.emit("closure", target, data=names_in(target))

    def on_Return(self, node: ast.Return) -> None:
        if node.value:
            self.emit("return", node, (self.value(node.value),))
        self.jump(self.leave, 0)

    def on_Raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            if part:
                self.emit("raise", node, (self.value(part),))
        self.go(self.handler if self.handler is not None else self.fail)

    def on_Assert(self, node: ast.Assert) -> None:
        yes, no = self.block(), self.block()
        self.condition(node.test, yes, no)
        self.here = no
        if node.msg:
            self.value(node.msg)
        self.go(self.handler if self.handler is not None else self.fail)
        self.here = yes

    def on_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.split(".")[0]
            self.emit("store", node, (self.emit("api", node, data=whole),), alias.asname or whole)

    def on_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            api = f"{node.module}.{alias.name}" if node.module and not node.level else None
            self.emit("store", node, (self.emit("api", node, data=api),), alias.asname or alias.name)

    # choices and loops

    def on_If(self, node: ast.If) -> None:
        yes, no, after = self.block(), self.block(), self.block()
        self.condition(node.test, yes, no)
        for target, body in ((yes, node.body), (no, node.orelse)):
            self.here = target
            self.body(body)
            self.go(after)
        self.here = after

    def on_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.emit("before", node)
        head, done = self.loop_head(node.iter, self.value(node.iter), isinstance(node, ast.AsyncFor), statement=True)
        self.around[head] = Around(node, tuple(self.contexts))
        after = self.block()
        first = node.target.elts[0] if isinstance(node.target, ast.Tuple) and node.target.elts else node.target
        self.indices[head] = first.id if isinstance(first, ast.Name) else "index"
        self.assign(node.target, self.emit("next", node.iter, data=head))
        self.emit("clear", node)
        self.frames.append(Loop(head, after))
        self.body(node.body)
        self.frames.pop()
        self.go(head)
        self.here = done
        self.body(node.orelse)
        self.go(after)
        self.here = after

    on_AsyncFor = on_For

    def on_While(self, node: ast.While) -> None:
        self.emit("before", node)
        head, body, done, after = self.block(), self.block(), self.block(), self.block()
        self.around[head] = Around(node, tuple(self.contexts))
        self.start(head)
        self.condition(node.test, body, done)
        self.here = body
        self.frames.append(Loop(head, after))
        self.body(node.body)
        self.frames.pop()
        self.go(head)
        self.here = done
        self.body(node.orelse)
        self.go(after)
        self.here = after

    def on_Break(self, node: ast.stmt) -> None:
        place, loop = self.loop()
        self.jump(loop.after, place + 1)

    def on_Continue(self, node: ast.stmt) -> None:
        place, loop = self.loop()
        self.jump(loop.head, place + 1)

    def loop(self) -> tuple[int, Loop]:
        place = max(index for index, frame in enumerate(self.frames) if isinstance(frame, Loop))
        frame = self.frames[place]
        assert isinstance(frame, Loop)
        return place, frame

    def jump(self, target: int, outside: int) -> None:
        """Leave for `target`, through every `finally` that stands inside frame number `outside`."""
        frames, handler = self.frames, self.handler
        while len(self.frames) > outside:
            frame = self.frames[-1]
            self.frames = self.frames[:-1]
            if isinstance(frame, Finally):
                self.final(frame)
            elif isinstance(frame, Leave):
                self.handler = frame.handler
                self.start(self.block())
                self.emit("foreign", frame.node)
        self.go(target)
        self.frames, self.handler = frames, handler

    def final(self, frame: Finally) -> None:
        """Run a `finally` body here, as code outside of its statement."""
        self.handler = frame.handler
        self.start(self.block())
        self.body(frame.body)

    # exceptions

    def on_Try(self, node: ast.Try) -> None:
        outer, after = self.handler, self.block()
        dispatch = self.block() if node.handlers else None
        frame = Finally(node.finalbody, outer) if node.finalbody else None
        thrown = self.block() if frame else None  # an exception on its way out, before the finally body
        if frame:
            self.frames.append(frame)
        beyond = thrown if frame else outer
        self.handler = dispatch if dispatch is not None else beyond
        self.start(self.block())
        self.body(node.body)
        self.handler = beyond
        self.start(self.block())
        self.body(node.orelse)
        joined = self.block()
        self.go(joined)
        if dispatch is not None:
            self.handlers(node, node.handlers, dispatch, beyond, joined)
        self.handler = outer
        if frame and thrown is not None:
            self.frames.pop()
            self.here = thrown
            self.final(frame)
            self.go(outer if outer is not None else self.fail)
        self.here = joined
        if frame:
            self.final(frame)
        self.go(after)
        self.here = after

    on_TryStar = on_Try

    def handlers(
        self, node: ast.stmt, clauses: list[ast.ExceptHandler], dispatch: int, beyond: int | None, after: int
    ) -> None:
        self.blocks[dispatch].handler = beyond
        for handler in clauses:
            self.here = dispatch
            body = self.block()
            self.go(body)
            self.here = body
            if handler.type:
                self.value(handler.type)
            if handler.name:
                self.emit("store", handler, (self.emit("fresh", handler),), handler.name)
            self.body(handler.body)
            if not isinstance(node, ast.Try):  # except*: several handlers may run
                self.also(dispatch)
            self.go(after)
        if all(handler.type for handler in clauses):
            self.here = dispatch
            self.go(beyond if beyond is not None else self.fail)

    def on_With(self, node: ast.With | ast.AsyncWith) -> None:
        outer, after = self.handler, self.block()
        loud = [item.context_expr for item in node.items if not self.quiet(item.context_expr)]
        swallow = None
        for item in node.items:
            slot = self.value(item.context_expr)
            if item.context_expr in loud and swallow is None:
                swallow = self.block()
                self.handler = swallow
            entered = self.emit("enter", item.context_expr, (slot,), item.context_expr in loud)
            if item.optional_vars:
                self.assign(item.optional_vars, entered)
        if swallow is not None:
            self.frames.append(Leave(node, outer))
        self.start(self.block())
        self.contexts += [item.context_expr for item in node.items]
        self.body(node.body)
        del self.contexts[len(self.contexts) - len(node.items) :]
        if swallow is not None:
            self.frames.pop()
        self.handler = outer
        self.start(self.block())
        if swallow is not None:
            self.emit("foreign", node)
            self.go(after)
            self.blocks[swallow].handler = outer
            self.here = swallow
            self.emit("foreign", node)
            self.blocks[swallow].next += [after, outer if outer is not None else self.fail]
            self.here = None
        else:
            self.go(after)
        self.here = after

    on_AsyncWith = on_With

    def on_Match(self, node: ast.Match) -> None:
        subject = self.value(node.subject)
        self.emit("store", node, (subject,), f"%match{subject}")
        after = self.block()
        for case in node.cases:
            body, more = self.block(), self.block()
            wild = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            slot = self.emit("load", node, data=f"%match{subject}")
            self.emit("looked", case.pattern, (slot,))
            bind = self.block()
            if not wild:
                self.also(more)
            self.go(bind)
            self.here = bind
            for name in pattern_names(case.pattern):
                whole = wild and isinstance(case.pattern, ast.MatchAs)
                self.emit("store", case.pattern, (slot if whole else self.emit("part", case.pattern, (slot,)),), name)
            if case.guard:
                self.condition(case.guard, body, more)
            else:
                self.go(body)
            self.here = body
            self.body(case.body)
            self.go(after)
            self.here = more
        self.go(after)
        self.here = after

    # scopes of their own

    def on_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.emit("keep", decorator, (self.value(decorator),), "given to a decorator")
        self.signature(node)
        if node.decorator_list:
            self.emit("foreign", node)
        self.declared |= rebound_inside(node)
        calls = calls_of(node, self.scope) if isinstance(node, ast.FunctionDef) else None
        captured = self.captured(node)
        self.free |= dict.fromkeys(calls or (), tuple(sorted(captured)))
        self.emit(
            "store", node, (self.emit("closure", node, data=captured if calls is None else frozenset()),), node.name
        )

    on_AsyncFunctionDef = on_FunctionDef

    def on_ClassDef(self, node: ast.ClassDef) -> None:
        self.declared |= rebound_inside(node)
        slot = self.emit("closure", node, data=names_in(node))
        self.emit("foreign", node)  # its body, its metaclass and its decorators run
        self.emit("store", node, (slot,), node.name)


def pattern_names(pattern: ast.pattern) -> list[str]:
    found = []
    for inner in walk(pattern):
        name = getattr(inner, "rest", None) if isinstance(inner, ast.MatchMapping) else getattr(inner, "name", None)
        if isinstance(name, str):
            found.append(name)
    return found


def build(scope: Scope, quiet: Context) -> Graph:
    """The graph of a function, or of the statements of a module or class body."""
    made = Statements(scope, quiet)
    if isinstance(scope, ast.Lambda):
        made.emit("return", scope, (made.value(scope.body),))
    else:
        made.body(scope.body)
    made.go(made.leave)
    arguments = scope.args if isinstance(scope, Function) else None
    last = scope.body if isinstance(scope, ast.Lambda) else scope.body[-1] if scope.body else scope
    graph = Graph(made.blocks, made.leave, made.fail, arguments, last, exhausted=made.exhausted, indices=made.indices)
    graph.around = made.around
    graph.heads = loops(graph)
    _scope_names(scope, made, graph)
    return graph


def _scope_names(scope: Scope, made: Statements, graph: Graph) -> None:
    """Which names belong to this scope, and which of them others can see or rebind."""
    own = {name for name in made.stored if "%" not in name}
    if graph.arguments:
        own |= {argument.arg for argument in arguments_of(graph.arguments)}
    public = own if isinstance(scope, ast.Module | ast.ClassDef) else set()
    graph.locals = frozenset(own)
    graph.shared = frozenset(made.declared | public)
