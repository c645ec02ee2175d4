"""Which argument of a call each parameter of a function is given."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from codemods.read.outcomes import Asked, Key


@dataclass(slots=True)
class Bound:
    """`packed`: parameters such as `*args`, which hold their arguments. `defaults`: of parameters that are certainly
    given nothing."""

    given: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    packed: frozenset[str] = frozenset()
    defaults: dict[str, ast.expr] = field(default_factory=dict)


def bind(function: ast.FunctionDef, asked: Asked, receiver: bool) -> Bound | None:
    """None where Python would raise, or where it is not certain. `receiver`: it is called as a method."""
    arguments = function.args
    places = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    named = {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)}
    if receiver and not is_static(function):
        if not places:
            return None
        named.discard(places.pop(0))
    rest = {item.arg for item in (arguments.vararg, arguments.kwarg) if item}
    bound = Bound(packed=frozenset(rest))
    for key in asked.arguments:
        name = _parameter(key, places, named, arguments)
        if name is None or (name in bound.given and name not in rest):
            return None
        bound.given[name] = (*bound.given.get(name, ()), key)
    if asked.open:
        return bound
    defaults = _defaults(arguments)
    every = [*places, *(argument.arg for argument in arguments.kwonlyargs)]
    missing = [name for name in every if name not in bound.given]
    if any(name not in defaults for name in missing):
        return None
    bound.defaults = {name: defaults[name] for name in missing}
    return bound


def is_static(function: ast.FunctionDef) -> bool:
    return any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in function.decorator_list)


def _parameter(key: Key, places: list[str], named: set[str], arguments: ast.arguments) -> str | None:
    if isinstance(key, int):
        if key < len(places):
            return places[key]
        return arguments.vararg.arg if arguments.vararg else None
    if key in named or key.startswith("%"):  # a name around a nested function
        return key
    return arguments.kwarg.arg if arguments.kwarg else None


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    places = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    found = dict(zip(places[len(places) - len(arguments.defaults) :], arguments.defaults, strict=True))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            found[argument.arg] = default
    return found
