"""A parsed file -> the flows of the functions in which something could be rewritten."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from codemods.core.event import Birth, Buffer, Escape, Event, Flow, Write
from codemods.core.region import ALL
from codemods.core.syntax import children, walk
from codemods.read import kernel
from codemods.read.births import BIRTHS, FILLS
from codemods.read.calls import QUIET
from codemods.read.discover import holds_stores
from codemods.read.expressions import names_in
from codemods.read.fronts import fronts
from codemods.read.graph import Graph
from codemods.read.kept import kept
from codemods.read.lower import Lowering, TooComplex
from codemods.read.names import Names, dotted, names_of
from codemods.read.statements import Scope, build

SITE = re.compile(rb"(?:zeros|ones|full|empty)(?:_like)?\s*\(|\b(?:zero|fill)_\s*\(")
# no sites where nothing is allocated, but their surroundings are told
JOIN = re.compile(
    rb"\b(?:cat|concat|concatenate|[hv]stack)\s*\(|^[ \t]*(\w+)[ \t]*=[ \t]*(?:\([\s(]*)?\1\b", re.MULTILINE
)
NEWLINE = re.compile(rb"\r\n?|\n")
Once = Literal["call", "instance", "import"]


def flows(tree: ast.Module, source: bytes, path: str) -> Iterator[Flow]:
    """One flow for each function, and for the module, that holds a candidate site."""
    names = names_of(tree, source)
    lines = _lines(SITE, source)
    around = sorted({*lines, *_lines(JOIN, source)})
    kernels = {function for function, _ in kernel.kernels(tree, names)} if b"triton" in source else set()
    for scope, function, once, around_it in _scopes(tree, lines, "", "import", ()):
        if scope not in kernels:
            hidden = frozenset().union(*map(names_bound, around_it))
            yield _flow(scope, names.hidden(hidden) if hidden else names, function, path, once, source, around)
    if kernels and holds_stores(source):
        yield from kernel.flows(tree, names, source, path)


def _lines(pattern: re.Pattern[bytes], source: bytes) -> list[int]:
    found, line, place = [], 1, 0
    plain = b"\r" not in source
    for match in pattern.finditer(source):
        upto = match.start()
        line += source.count(b"\n", place, upto) if plain else len(NEWLINE.findall(source, place, upto))
        place = upto
        found.append(line)
    return found


def _scopes(
    node: ast.AST, lines: list[int], prefix: str, once: Once, outer: tuple[ast.AST, ...]
) -> Iterator[tuple[Scope, str, Once, tuple[ast.AST, ...]]]:
    """The scopes below a node whose own statements hold a candidate line, outermost first, each with the functions
    around it."""
    if isinstance(node, ast.Module) and _own(node, lines):
        yield node, "<module>", "import", outer
    todo = list(children(node))
    while todo:
        child = todo.pop(0)
        if isinstance(child, ast.stmt) and not _holds(child, lines):
            continue
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                inner: Once = "instance" if name == "__init__" else "call"
                if _own(child, lines):
                    yield child, f"{prefix}{name}", inner, outer
                yield from _scopes(child, lines, f"{prefix}{name}.", inner, (*outer, child))
            case ast.Lambda():
                yield child, f"{prefix}<lambda>", "call", outer
                yield from _scopes(child, lines, prefix, "call", (*outer, child))
            case ast.ClassDef(name=name):
                if _own(child, lines):
                    yield child, f"{prefix}{name}", "import", outer
                yield from _scopes(child, lines, f"{prefix}{name}.", once, outer)
            case _:
                todo[:0] = children(child)


@lru_cache(maxsize=64)
def names_bound(scope: ast.AST) -> frozenset[str]:
    """What a function binds, itself or in a scope inside it."""
    found: set[str] = set()
    for inner in walk(scope):
        match inner:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if inner is not scope:
                found.add(name)
    return frozenset(found)


def _holds(node: ast.stmt, lines: list[int]) -> bool:
    start = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
    place = bisect_left(lines, start)
    return place < len(lines) and lines[place] <= (node.end_lineno or start)


def _own(scope: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, lines: list[int]) -> bool:
    """A candidate stands in the scope itself, not only in a scope inside it."""
    todo: list[ast.AST] = [statement for statement in scope.body if _holds(statement, lines)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if SITE.fullmatch(f"{name.removeprefix('new_')}(".encode()) or isinstance(node.func, ast.Name):
                return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            todo += node.decorator_list
            if not isinstance(node, ast.ClassDef):
                todo += [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif not isinstance(node, ast.Lambda):
            todo += children(node)
    return False


def _flow(scope: Scope, names: Names, function: str, path: str, once: Once, source: bytes, lines: list[int]) -> Flow:
    def quiet(context: ast.expr) -> bool:
        path = dotted(context.func, names.apis) if isinstance(context, ast.Call) else None
        return path in QUIET and not (names_bound(scope) & names_in(context))

    lambdas = isinstance(scope, ast.Lambda)
    told = None if lambdas else kept(scope, names.apis, lambda statement: _holds(statement, lines))
    if told is not None:
        flow = _straight(told, function, path, once, source)
        return replace(flow, parents=_parents(scope, lines))
    graph: Graph = build(scope, quiet)
    try:
        lowering = Lowering(graph, names)
        flow = lowering.flow(function, path, once, source)
        flow = replace(flow, fronts=fronts(flow, lowering, scope))
    except TooComplex:
        flow = _untold(scope, names, function, path, once, source)
    return replace(flow, parents=_parents(scope, lines))


def _untold(scope: Scope, names: Names, function: str, path: str, once: Once, source: bytes) -> Flow:
    """The candidates of a function that has too many paths to follow: all that is said is that nothing is known."""
    events: list[Event | None] = [None]
    for node in walk(scope):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        api = dotted(node.func, names.apis) or f"Tensor.{node.func.attr}"
        if api not in BIRTHS and node.func.attr not in FILLS:
            continue
        buffer = Buffer(api, Buffer(api))
        if api in BIRTHS:
            events.append(Birth(buffer, ALL, node, f"{api} allocates it", api=api))
        if node.func.attr in FILLS or BIRTHS.get(api) is not None:
            events.append(Write(buffer, ALL, node, f"{api} fills it", sure=True, api=api))
        why = "used in a function with too many paths to follow"
        events.append(Escape(buffer, ALL, node, why, how="not-understood"))
    return _straight(tuple(events), function, path, once, source)


def _straight(events: tuple[Event | None, ...], function: str, path: str, once: Once, source: bytes) -> Flow:
    """A flow in which one event follows the other."""
    after = tuple((point + 1,) if point + 1 < len(events) else () for point in range(len(events)))
    return Flow(function, path, once, events, after, source=source)


def _parents(scope: ast.AST, lines: list[int]) -> dict[ast.AST, ast.AST]:
    """Who stands around whom, in the statements that hold a candidate line."""
    found: dict[ast.AST, ast.AST] = {}
    todo = [scope]
    while todo:
        node = todo.pop()
        for child in children(node):
            if not isinstance(child, ast.stmt) or _holds(child, lines):
                found[child] = node
                todo.append(child)
    return found
