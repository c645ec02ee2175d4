"""Which holes an exception is about: those in the expression that raised, and in what its names were made from."""

from __future__ import annotations

import ast
import itertools
import linecache
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

FURTHEST = 4  # assignments that a name is followed back through


def involved(error: BaseException, built: Mapping[str, Any]) -> tuple[str, ...]:
    """The nearest first: of the frame that raised, then of its callers. Python tells the place from 3.11 on."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith("<"):
            frames.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    if sys.version_info < (3, 11):
        return ()
    paths = {id(value): path for path, value in built.items() if not isinstance(value, bool | int | None)}
    found: dict[str, None] = {}
    for frame, last in reversed(frames):
        if (place := raised_at(frame.f_code, last)) is not None:
            function, node = place
            where = Place(frame, function, paths, built)
            for part in followed(function, node):
                found.update(dict.fromkeys(where.holes(part)))
    return tuple(found)


def raised_at(code: types.CodeType, last: int) -> tuple[ast.AST, ast.AST] | None:
    """The function of a frame, and the smallest part of it that holds the place of an instruction."""
    line, end, column, stop = next(itertools.islice(code.co_positions(), last // 2, None))
    function = functions_of(code.co_filename).get(code.co_firstlineno)
    if function is None or line is None or end is None or column is None or stop is None:
        return None
    node: ast.AST = function
    for part in ast.walk(function):  # from the outside in
        if isinstance(part, ast.expr | ast.stmt | ast.comprehension):
            first = getattr(part, "lineno", 0), getattr(part, "col_offset", 0)
            if first[0] and first <= (line, column) and (end, stop) <= (part.end_lineno, part.end_col_offset):
                node = part
    return function, node.test if isinstance(node, ast.Assert) else node


@lru_cache(maxsize=64)
def functions_of(filename: str) -> dict[int, ast.AST]:
    """By the first line, that of a decorator."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        return {}
    found: dict[int, ast.AST] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for line in (node.lineno, *(one.lineno for one in node.decorator_list)):
                found[line] = node  # decorators may have been left out
    return found


@lru_cache(maxsize=256)
def sources(function: ast.AST) -> dict[str, list[ast.expr]]:
    """What each name of a function is made from."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=targets, value=value):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
                targets = [target]
            case ast.NamedExpr(target=target, value=value) | ast.For(target=target, iter=value):
                targets = [target]
            case ast.comprehension(target=target, iter=value):
                targets = [target]
            case _:
                continue
        for name in itertools.chain.from_iterable(map(ast.walk, targets)):
            if isinstance(name, ast.Name):
                found.setdefault(name.id, []).append(value)
    return found


def followed(function: ast.AST, node: ast.AST) -> Iterator[ast.expr]:
    """The names, attributes, calls and items of an expression, then those of what its names were made from."""
    seen: set[str] = set()
    level: list[ast.AST] = [node]
    for _ in range(FURTHEST):
        names: list[str] = []
        for part in itertools.chain.from_iterable(map(ast.walk, level)):
            if isinstance(part, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
                yield part
            if isinstance(part, ast.Name) and part.id not in seen:
                seen.add(part.id)
                names.append(part.id)
        level = [value for name in names for value in sources(function).get(name, [])]


@dataclass(frozen=True)
class Place:
    """Where names stand for values: a frame, the function that it runs, and the holes built so far."""

    frame: types.FrameType
    function: ast.AST
    paths: Mapping[int, str]
    built: Mapping[str, Any]

    def holes(self, node: ast.expr) -> Iterator[str]:
        """The paths of an expression, with what was asked of each: its length, items, results, and what it equals."""
        for path in self.of(node):
            whole = (path, f"len({path})", f"bool({path})")
            starts = tuple(f"{path}{start}" for start in ("[", "()#", " == ", " in ", " is a "))
            yield from (one for one in whole if one in self.built)
            yield from (one for one in self.built if one.startswith(starts) and "." not in one[len(path) :])

    def of(self, node: ast.expr, further: int = 2) -> list[str]:
        match node:
            case ast.Name(id=name):
                value = self.frame.f_locals.get(name, dict.get(self.frame.f_globals, name))
                path = vars(value).get("_path") if hasattr(value, "__dict__") else None
                if path or id(value) in self.paths or name in self.built:
                    return [path or self.paths.get(id(value), name)]
                made = sources(self.function).get(name, [])[:2] if further else []  # of a comprehension, perhaps
                found = [path for source in made for path in self.of(source, further - 1)]
                return [*found, *(f"{path}[{place}]" for path in found for place in range(3))]
            case ast.Attribute(value=value, attr=name):
                return [f"{path}.{name}" for path in self.of(value, further)]
            case ast.Call(func=value):
                return [f"{path}()" for path in self.of(value, further)]
            case ast.Subscript(value=value, slice=ast.Constant(value=key)):
                return [f"{path}[{key!r}]" for path in self.of(value, further)]
            case ast.Subscript(value=value):
                return self.of(value, further)
        return []
