"""Arguments that a call does not give itself: defaults, and those of `functools.partial` at the top of a module."""

from __future__ import annotations

import ast
from dataclasses import replace

from codemods.read.binding import Bound
from codemods.read.inside import MAYBE_NONE, Kind, constant_of
from codemods.read.outcomes import Asked, Key
from codemods.read.values import Value, number, unknown


def before(call: ast.Call, asked: Asked) -> Asked:
    """A call of what a partial call made, with all arguments that the function is given."""
    count = len(call.args) - 1
    arguments: dict[Key, Value] = {place: _written(node) for place, node in enumerate(call.args[1:])}
    arguments |= {str(item.arg): _written(item.value) for item in call.keywords}
    arguments |= {_moved(key, count): value for key, value in asked.arguments.items()}
    return replace(asked, arguments=arguments, fresh=frozenset(_moved(key, count) for key in asked.fresh))


def without(call: ast.Call, bound: Bound, asked: Asked) -> Bound:
    """The same arguments by the places that they have in the call itself."""
    count = len(call.args) - 1
    back = {_moved(key, count): key for key in asked.arguments}
    given = {name: tuple(back[key] for key in keys if key in back) for name, keys in bound.given.items()}
    return replace(bound, given={name: keys for name, keys in given.items() if keys})


def _moved(key: Key, count: int) -> Key:
    return key + count if isinstance(key, int) else key


def _written(node: ast.expr) -> Value:
    kind = written(node)
    return (
        kind
        if isinstance(kind, Value)
        else unknown((MAYBE_NONE, node) if kind == "nullable" else ("given", node), "an argument")
    )


def written(node: ast.expr) -> Kind:
    """What is known of an argument by the expression that stands for it, a default or one of a partial call."""
    match node:
        case ast.Constant(value=None):
            return Value("None", name="None")
        case ast.Constant(value=bool() as truth):
            return Value(("bool", truth), name=str(truth))
        case ast.Constant(value=int() as count):
            return number(count, str(count))
        case ast.Constant(value=str() as text):
            return constant_of(Value(("const", "str", repr(text)))) or "object"
        case ast.Constant():
            return "object"
    return "nullable"
