"""Which functions a method call on `self` may run: that of its class, and all that override it in the checkout."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from codemods.read.checkout import Checkout, Found, Module, bindings, bound_in
from codemods.read.names import dotted, scope_of

IMPLICIT = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
PLAIN_BASES = frozenset({"ABC", "Protocol", "Generic", "object"})
CHECKING = frozenset({"abc.ABC", "typing.Protocol", "typing_extensions.Protocol"})
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


def is_classmethod(node: ast.FunctionDef) -> bool:
    return any(_base_name(item) == "classmethod" for item in node.decorator_list)


def implementations(checkout: Checkout, within: Class, attr: str) -> tuple[Implementation, ...]:
    """None at all where it is not certain which there are."""
    try:
        found: dict[ast.AST, Implementation] = {}
        receivers = _receivers(checkout, within)
        above = [one for receiver in receivers for one in _above(checkout, receiver, 0)]
        if checkout.world(within.module).exchanged({one.node.name for one in above}, attr):
            return ()
        if any(_given_elsewhere(one, attr) for one in above):
            return ()
        for receiver in receivers:
            mangled = f"_{within.node.name.lstrip('_')}{attr}"
            if attr.startswith("__") and _mentions(receiver.module, mangled):
                return ()
            for one in _looked_up(checkout, receiver, attr, 0):
                if {attr, "*"} & one.within.module.set_attributes:
                    return ()
                found[one.found.node] = one
    except _UnclearError:
        return ()
    concrete = [one for one in found.values() if not _abstract(checkout, one)]
    return tuple(sorted(concrete, key=lambda one: (one.within.node is not within.node, one.name)))


def exact(checkout: Checkout, holder: Class, attr: str) -> Implementation | None:
    """The function that an attribute of the class, or of an object that is of no class below it, stands for."""
    try:
        line = _linear(checkout, holder, 0)
        if any(one is not None and _given_elsewhere(one, attr) for one in line):
            return None
        return None if attr.startswith("__") and not attr.endswith("__") else _first(line, attr)
    except _UnclearError:
        return None


def makes_its_own(checkout: Checkout, holder: Class) -> bool:
    """Calling the class gives an object of that class and of no other, with a table of attributes of its own."""
    try:
        line = _linear(checkout, holder, 0)
    except _UnclearError:
        return False
    if any(one is None or "__class__" in one.module.set_attributes for one in line):
        return False
    return not any({"__new__", "__slots__"} & bound_in(one.node, one.module.package) for one in line if one)


def derives(checkout: Checkout, holder: Class, above: Class) -> bool:
    try:
        return any(one is not None and _same(one, above) for one in _linear(checkout, holder, 0))
    except _UnclearError:
        return False


def inherited(checkout: Checkout, within: Class, attr: str) -> tuple[Implementation, ...]:
    """What `super().attr` may run in a method of the class; none at all where that is not certain."""
    try:
        found: dict[ast.AST, Implementation] = {}
        receivers = _receivers(checkout, within)
        lines = [_linear(checkout, receiver, 0) for receiver in receivers]
        if checkout.world(within.module).exchanged({one.node.name for line in lines for one in line if one}, attr):
            return ()
        if attr.startswith("__") and not attr.endswith("__"):
            return ()  # it is known by another name
        for line in lines:
            if any(one is not None and _given_elsewhere(one, attr) for one in line):
                return ()
            place = next((place for place, one in enumerate(line) if one is not None and _same(one, within)), None)
            if place is None:
                return ()
            one = _first(line[place + 1 :], attr)
            found[one.found.node] = one
    except _UnclearError:
        return ()
    return tuple(sorted(found.values(), key=lambda one: one.name))


def _mentions(module: Module, name: str) -> bool:
    return name.encode() in module.source or not module.set_attributes.isdisjoint({name, "*"})


def _given_elsewhere(one: Class, attr: str) -> bool:
    """The attribute of a class, or of its objects, may be given another value, or looked up in a way of its own."""
    names = {attr, "*", "__getattribute__", "decorated", "__class__"}
    return not names.isdisjoint(one.module.set_attributes | _odd(one))


def _first(line: list[Class | None], attr: str) -> Implementation:
    for one in line:
        if one is None:
            break
        if (node := _own(one, attr)) is not None:
            return Implementation(f"{one.node.name}.{attr}", Found(one.module, node), one)
    raise _UnclearError


def _own(holder: Class, attr: str) -> ast.FunctionDef | None:
    """The method that the body of a class certainly defines."""
    names = bound_in(holder.node, holder.module.package)
    if not {attr, "*"} & names:
        return None
    node = bindings(holder.node, holder.module.package, holder.module.source).get(attr)
    if "*" in names or not isinstance(node, ast.FunctionDef):
        raise _UnclearError  # defined more than once, or somewhere below an `if`
    return node


def _linear(checkout: Checkout, holder: Class, depth: int) -> list[Class | None]:
    """The class and those above it, in the order in which they are asked; None for one that is not seen."""
    if depth > 12:
        raise _UnclearError
    bases = [base for base in holder.node.bases if _base_name(base) not in PLAIN_BASES]
    lines = []
    for base in bases:
        above = _resolved(checkout, holder.module, base)
        path = dotted(base, holder.module.names.apis)
        if above is not None:
            lines.append(_linear(checkout, above, depth + 1))
        elif path != "torch.nn.Module":
            lines.append([None])
    lines.append([line[0] for line in lines])
    found: list[Class | None] = [holder]
    while lines := [line for line in lines if line]:
        head = next((line[0] for line in lines if not any(_among(line[0], other[1:]) for other in lines)), holder)
        if head is holder:
            raise _UnclearError  # Python raises
        found.append(head)
        lines = [line[1:] if line[0] is head or _both(line[0], head) else line for line in lines]
    return found


def _among(one: Class | None, line: list[Class | None]) -> bool:
    return any(_both(one, other) for other in line)


def _both(one: Class | None, other: Class | None) -> bool:
    return one is other if one is None or other is None else _same(one, other)


def _above(checkout: Checkout, holder: Class, depth: int) -> Iterator[Class]:
    """The class and all classes above it that are seen."""
    if depth > 12:
        raise _UnclearError
    yield holder
    for base in holder.node.bases:
        above = _resolved(checkout, holder.module, base)
        if above is not None:
            yield from _above(checkout, above, depth + 1)


def _odd(one: Class) -> set[str]:
    node, apis = one.node, one.module.names.apis
    if any(
        keyword.arg is None or keyword.arg == "metaclass" and not _plain_meta(keyword.value, apis)
        for keyword in node.keywords
    ):
        return {"decorated"}
    names = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    every = (item.target for item in scope_of(node.body) if isinstance(item, ast.AnnAssign))
    fields = {target.id for target in every if isinstance(target, ast.Name)}  # `__init__` may set them
    return fields | names & {"__getattribute__", "__class__"} | ({"decorated"} if _exchanged(node, apis) else set())


def _plain_meta(node: ast.expr, apis: dict[str, str]) -> bool:
    """A metaclass may give methods other functions; that of abstract classes does not."""
    return dotted(node, apis) == "abc.ABCMeta"


def _exchanged(node: ast.ClassDef, apis: dict[str, str]) -> bool:
    """A decorator may give back another class; that of dataclasses does not."""
    calls = [item.func if isinstance(item, ast.Call) else item for item in node.decorator_list]
    return any(dotted(call, apis) != "dataclasses.dataclass" for call in calls)


def _receivers(checkout: Checkout, within: Class) -> list[Class]:
    """The class and all classes below it."""
    found, world = [within], checkout.world(within.module)
    for one in found:
        for path, name in world.subclasses(one.node.name):
            module = within.module if path == within.module.dotted else checkout.module(path)
            below = module.bindings.get(name) if module else None
            if module is None or not isinstance(below, ast.ClassDef):
                raise _UnclearError
            if any(_same(Class(module, below), other) for other in found):
                continue
            if not _elsewhere(checkout, Class(module, below), one, world.names_of(one.node.name.encode())):
                found.append(Class(module, below))
            if len(found) > MOST_CLASSES:
                raise _UnclearError
    return found


def _elsewhere(checkout: Checkout, below: Class, one: Class, names: tuple[bytes, ...]) -> bool:
    """What a class names as a base is another class of the same name."""
    named = [base for base in below.node.bases if _base_name(base).encode() in names]
    bases = [_resolved(checkout, below.module, base) for base in named]
    return bool(bases) and all(
        base is not None and base.node.name == one.node.name and not _same(base, one) for base in bases
    )


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


def _abstract(checkout: Checkout, one: Implementation) -> bool:
    """No object has it: classes below have the method, or Python makes no objects of them."""
    node, apis = one.found.node, one.found.module.names.apis
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    if not any(dotted(item, apis) == "abc.abstractmethod" for item in decorators):
        return False
    return any(_checks(above) for above in _above(checkout, one.within, 0))


def _checks(one: Class) -> bool:
    """Its metaclass makes no object while a method is abstract."""
    apis = one.module.names.apis
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in one.node.bases]
    metas = [keyword.value for keyword in one.node.keywords if keyword.arg == "metaclass"]
    return any(dotted(base, apis) in CHECKING for base in bases) or any(_plain_meta(meta, apis) for meta in metas)
