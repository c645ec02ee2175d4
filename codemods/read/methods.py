"""Which functions a method call on `self` may run: that of its class, and all that override it in the checkout."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from codemods.read.checkout import Checkout, Found, Module, bindings, bound_in

IMPLICIT = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
PLAIN_BASES = frozenset({"ABC", "Protocol", "Generic", "object"})
MOST_CLASSES = 60


@dataclass(frozen=True, slots=True)
class Class:
    module: Module
    node: ast.ClassDef


@dataclass(frozen=True, slots=True)
class Implementation:
    """A function that a call may run, and the class that defines it."""

    name: str
    found: Found
    within: Class


class _UnclearError(Exception):
    """It cannot be said which function runs."""


def owner(module: Module, scope: ast.AST | None) -> Class | None:
    """The class at the top level of the module of which a function is a method."""
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and any(item is scope for item in node.body):
            return Class(module, node)
    return None


def self_of(scope: ast.AST | None) -> str:
    """The name of the object, or class, that a method is called on."""
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    if any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in scope.decorator_list):
        return ""
    places = [*scope.args.posonlyargs, *scope.args.args]
    return places[0].arg if places else ""


def on_class(scope: ast.AST | None) -> bool:
    """Its first parameter is a class: functions found on that are given no receiver."""
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return scope.name in IMPLICIT or any(_base_name(item) == "classmethod" for item in scope.decorator_list)


def keeps_class(node: ast.FunctionDef) -> bool:
    """Found on a class, it is called as on an object."""
    return any(_base_name(item) in ("classmethod", "staticmethod") for item in node.decorator_list)


def implementations(checkout: Checkout, within: Class, attr: str) -> tuple[Implementation, ...]:
    """None at all where it is not certain which there are."""
    try:
        found: dict[ast.AST, Implementation] = {}
        for receiver in _receivers(checkout, within):
            mangled = f"_{within.node.name.lstrip('_')}{attr}".encode()
            if attr.startswith("__") and mangled in receiver.module.source:
                return ()
            for one_above in _above(checkout, receiver, 0):
                if {attr, "*", "__getattribute__"} & one_above.module.set_attributes | _odd(one_above.node):
                    return ()
            for one in _looked_up(checkout, receiver, attr, 0):
                if {attr, "*"} & one.within.module.set_attributes:
                    return ()
                found[one.found.node] = one
    except _UnclearError:
        return ()
    concrete = [one for one in found.values() if not _abstract(one.found.node)]
    return tuple(sorted(concrete, key=lambda one: (one.within.node is not within.node, one.name)))


def _above(checkout: Checkout, holder: Class, depth: int) -> Iterator[Class]:
    """The class and all classes above it that are seen."""
    if depth > 12:
        raise _UnclearError
    yield holder
    for base in holder.node.bases:
        above = _resolved(checkout, holder.module, base)
        if above is not None:
            yield from _above(checkout, above, depth + 1)


def _odd(node: ast.ClassDef) -> set[str]:
    if any(keyword.arg is None or keyword.arg == "metaclass" and _meta(keyword.value) for keyword in node.keywords):
        return {"decorated"}
    names = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    return names & {"__getattribute__", "__class__"} | ({"decorated"} if _exchanged(node) else set())


def _meta(node: ast.expr) -> bool:
    """A metaclass may give methods other functions; that of abstract classes does not."""
    return _base_name(node) != "ABCMeta"


def _exchanged(node: ast.ClassDef) -> bool:
    """A decorator may give back another class; dataclasses are known."""
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
        if name != "dataclass":
            return True
    return False


def _receivers(checkout: Checkout, within: Class) -> list[Class]:
    """The class and all classes below it."""
    found = [within]
    for one in found:
        for dotted, name in checkout.subclasses(one.node.name, within.module):
            module = within.module if dotted == within.module.dotted else checkout.module(dotted)
            below = module.bindings.get(name) if module else None
            if module is None or not isinstance(below, ast.ClassDef):
                raise _UnclearError
            if any(_same(Class(module, below), other) for other in found):
                continue
            bases = [_resolved(checkout, module, base) for base in below.bases]
            same = [base for base in bases if base is not None and base.node.name == one.node.name]
            if not same or any(_same(base, one) for base in same):
                found.append(Class(module, below))
            if len(found) > MOST_CLASSES:
                raise _UnclearError
    return found


def _same(one: Class, other: Class) -> bool:
    """A file may have been read more than once."""
    return (one.module.dotted, one.node.name) == (other.module.dotted, other.node.name)


def _looked_up(checkout: Checkout, holder: Class, attr: str, depth: int) -> Iterator[Implementation]:
    """The function that the attribute stands for in a class. Where several bases have one, any of them."""
    if depth > 12:
        raise _UnclearError
    own = bindings(holder.node, holder.module.package, holder.module.source)
    if attr in own and "*" not in bound_in(holder.node, holder.module.package):
        node = own[attr]
        if not isinstance(node, ast.FunctionDef):
            raise _UnclearError
        yield Implementation(f"{holder.node.name}.{attr}", Found(holder.module, node), holder)
        return
    if {attr, "*"} & bound_in(holder.node, holder.module.package):
        raise _UnclearError  # defined more than once, or somewhere below an `if`
    some, unseen = False, False
    for base in holder.node.bases:
        above = _resolved(checkout, holder.module, base)
        if above is None:
            unseen = unseen or _base_name(base) not in PLAIN_BASES
            continue
        inherited = list(_looked_up(checkout, above, attr, depth + 1))
        if inherited and unseen:
            raise _UnclearError  # the base that cannot be seen comes first
        some = some or bool(inherited)
        yield from inherited
    if depth == 0 and not some:
        raise _UnclearError


def _resolved(checkout: Checkout, module: Module, base: ast.expr) -> Class | None:
    found = None
    if isinstance(base, ast.Subscript):
        base = base.value
    if isinstance(base, ast.Name):
        found = checkout.function(module, base.id)
    elif isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
        found = checkout.member(module, base.value.id, base.attr)
    return Class(found.module, found.node) if found and isinstance(found.node, ast.ClassDef) else None


def _base_name(base: ast.expr) -> str:
    if isinstance(base, ast.Subscript):
        base = base.value
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")


def _abstract(node: ast.AST) -> bool:
    """It only says that classes below have the method."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return any(_base_name(item) == "abstractmethod" for item in decorators)
