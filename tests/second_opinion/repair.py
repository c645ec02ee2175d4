"""What an exception says about the hole that caused it."""

from __future__ import annotations

import ast
import itertools
import linecache
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from second_opinion.holes import TENSOR, Fill

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


def kind_of(fill: Fill) -> str:
    """The name of the type that a value of it has."""
    names = {"tensor": "Tensor", "list": "list", "stand-in": "StandIn"}
    return names.get(fill.kind) or type(fill.value).__name__


def suspect(
    message: str, near: tuple[str, ...], asked: Iterable[str], fills: dict[str, Fill]
) -> tuple[str, list[str]] | None:
    """The hole whose value was in the way, and kinds to try. `near`: holes in the expression that raised; without one
    that fits it is the hole that was asked for last."""
    kind, kinds = "", list[str]()
    if found := ATTRIBUTE.search(message):
        kind, kinds = found["kind"], ["tensor" if found["name"] in TENSOR else "stand-in"]
    else:
        kind, kinds = next(
            ((match[1], kinds) for form, kinds in WANTED if (match := form.search(message))), ("", kinds)
        )
    if not kind:
        return (near[0], []) if near else None
    fitting = (path for path in (*near, *reversed(list(asked))) if path in fills and kind_of(fills[path]) == kind)
    path = next(fitting, None)
    return (path, kinds) if path is not None else None


def involved(error: BaseException, built: Mapping[str, Any]) -> tuple[str, ...]:
    """The holes whose values stand in the expression that raised. Python tells its place from 3.11 on."""
    last, trace = None, error.__traceback__
    while trace is not None:
        last = trace if trace.tb_frame.f_code.co_filename.startswith("<") else last
        trace = trace.tb_next
    if last is None or sys.version_info < (3, 11):
        return ()
    code = last.tb_frame.f_code
    line, end, column, stop = next(itertools.islice(code.co_positions(), last.tb_lasti // 2, None))
    if None in (line, end, column, stop) or line != end:
        return ()
    text = linecache.getline(code.co_filename, line or 0).encode()[column:stop].decode()
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return ()
    paths = {id(value): path for path, value in built.items() if not isinstance(value, bool | int | None)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node)
            root, *rest = name.split(".")
            value = last.tb_frame.f_locals.get(root)
            path = paths.get(id(value), getattr(value, "__dict__", {}).get("_path"))
            found += [".".join((path, *rest))] if path else []
            found += [name]
    return tuple(dict.fromkeys(path for path in found if path in built))
