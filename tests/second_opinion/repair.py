"""What an exception says about the hole that caused it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from second_opinion.fills import Fill
from second_opinion.holes import TENSOR

ATTRIBUTE = re.compile(r"'(?:\w+\.)*(?P<kind>\w+)' object has no attribute '(?P<name>\w+)'")
WANTED = (  # what was found, and kinds that would do better
    (re.compile(r"'(?:\w+\.)*(\w+)' object is not callable"), ["stand-in"]),
    (re.compile(r"'(?:\w+\.)*(\w+)' object does not support the (?:asynchronous )?context manager"), ["stand-in"]),
    (re.compile(r"'(?:\w+\.)*(\w+)' object can't be used in 'await'"), ["stand-in"]),
    (re.compile(r"'(?:\w+\.)*(\w+)' object is not (?:subscriptable|iterable)"), ["tensor", "list", "stand-in"]),
    (re.compile(r"'(?:\w+\.)*(\w+)' object does not support item assignment"), ["tensor", "stand-in"]),
    (re.compile(r"cannot unpack non-iterable (\w+)"), ["list", "ints", "stand-in"]),
    (re.compile(r"object of type '(\w+)' has no len"), ["list", "tensor", "ints"]),
    (re.compile(r"'(?:\w+\.)*(\w+)' object cannot be interpreted as an integer"), ["int"]),
    (re.compile(r"Boolean value of (Tensor) with"), ["bool", "int", "tensor"]),
    (re.compile(r"argument after \*\* must be a mapping, not (\w+)"), ["dict"]),
    (re.compile(r"must be tuple of Tensors, not (\w+)"), ["tensors"]),
    (re.compile(r"must be Tensor, not (\w+)"), ["tensor"]),
    (re.compile(r"expected Tensor as element \d+ in argument \d+, but got (\w+)"), ["tensor"]),
    (re.compile(r"must be torch\.dtype, not (\w+)"), ["dtype"]),
    (re.compile(r"must be torch\.device, not (\w+)"), ["device"]),
    (re.compile(r"must be (?:float|Number), not (\w+)"), ["float", "int"]),
    (re.compile(r"must be tuple of ints, (?:not|but found element of type) (\w+)"), ["int", "ints"]),
    (re.compile(r"must be (?:int|SymInt), not (\w+)"), ["int"]),
    (re.compile(r"[uU]nsupported operand type.*'(StandIn|NoneType|str|list|dict)'"), ["int", "tensor", "float"]),
    (re.compile(r"not supported between instances of .*'(StandIn|NoneType|str|list)'"), ["int", "tensor"]),
    (re.compile(r"(?:only|expected|argument).*(StandIn)"), ["int", "tensor", "float"]),
)
UNPACKED = re.compile(r"(?:too many|not enough) values to unpack \(expected (?:at least )?(\d)")


def kind_of(fill: Fill) -> str:
    """The name of the type that a value of it has."""
    names = {"tensor": "Tensor", "list": "list", "stand-in": "StandIn"}
    return names.get(fill.kind) or type(fill.value).__name__


def suspect(
    message: str, near: tuple[str, ...], asked: Iterable[str], fills: dict[str, Fill]
) -> tuple[tuple[str, ...], list[str]] | None:
    """The holes whose value may be in the way, the likeliest first, and kinds to try. `near`: holes in the expression
    that raised; without one that fits it is the hole that was asked for last."""
    near = tuple(path for path in near if path in fills)
    kind, kinds = "", list[str]()
    if found := ATTRIBUTE.search(message):
        kind, kinds = found["kind"], ["tensor" if found["name"] in TENSOR else "stand-in"]
    elif "isinstance() arg 2" in message:
        return (near[-1:], ["stand-in"]) if near else None
    elif found := UNPACKED.search(message):
        return (near[:3], [f"of {found[1]}"]) if near else None
    else:
        kind, kinds = next(
            ((match[1], kinds) for form, kinds in WANTED if (match := form.search(message))), ("", kinds)
        )
    if not kind:
        return (near[:8], []) if near else None
    fitting = (path for path in (*near, *reversed(list(asked))) if path in fills and kind_of(fills[path]) == kind)
    path = next(fitting, None)
    return ((path,), kinds) if path is not None else None
