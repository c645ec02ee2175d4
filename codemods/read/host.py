"""A parsed file -> the flows of the functions in which something could be rewritten."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from codemods.core.event import Birth, Buffer, Escape, Event, Flow, Write
from codemods.core.region import ALL
from codemods.core.syntax import children, walk
from codemods.read import kernel
from codemods.read.births import BIRTHS, FILLS
from codemods.read.calls import QUIET
from codemods.read.candidates import Lines, Once, scopes
from codemods.read.checkout import Checkout
from codemods.read.discover import holds_stores
from codemods.read.expressions import names_in
from codemods.read.fronts import fronts
from codemods.read.graph import Graph
from codemods.read.here import Here
from codemods.read.kept import kept
from codemods.read.lower import Lowering, TooComplex
from codemods.read.methods import owner
from codemods.read.names import Names, dotted, names_bound
from codemods.read.places import holds
from codemods.read.readers import named_readers
from codemods.read.statements import Scope, build
from codemods.read.summary import Summaries


def flows(
    tree: ast.Module, source: bytes, path: str, summaries: Summaries | None = None, every: bool = False
) -> Iterator[Flow]:
    """One flow for each function, and for the module, that holds a candidate site. `summaries`: of the checkout that
    the file is in, to look into callees; without, only those in the file are looked into. `every`: also
    the functions that make memory without a value which nothing could spare."""
    summaries = summaries or Summaries(Checkout())
    module = summaries.checkout.own(tree, source, path)
    names = module.names
    lines = Lines(source)
    kernels = {function for function, _ in kernel.kernels(tree, names)} if b"triton" in source else set()
    for scope, function, once, around_it in scopes(tree, names, lines, every):
        if scope not in kernels:
            hidden = frozenset().union(*map(names_bound, around_it))
            seen = names.hidden(hidden) if hidden else names
            here = Here(summaries, module, scope, owner(module, scope), hidden)
            flow = _flow(scope, seen, function, path, once, source, lines.around, here)
            yield named_readers(flow, scope, here.within)
    if kernels and holds_stores(source):
        yield from kernel.flows(tree, names, source, path)


def _flow(
    scope: Scope, names: Names, function: str, path: str, once: Once, source: bytes, near: Sequence[int], here: Here
) -> Flow:
    def quiet(context: ast.expr) -> bool:
        path = dotted(context.func, names.apis) if isinstance(context, ast.Call) else None
        return path in QUIET and not (names_bound(scope) & names_in(context))

    lambdas = isinstance(scope, ast.Lambda)
    told = None if lambdas else kept(scope, names.apis, lambda statement: holds(statement, near))
    if told is not None:
        flow = _straight(told, function, path, once, source)
        return replace(flow, parents=_parents(scope, near))
    graph: Graph = build(scope, quiet)
    try:
        lowering = Lowering(graph, names)
        lowering.callees = here
        flow = lowering.flow(function, path, once, source)
        flow = replace(flow, fronts=fronts(flow, lowering, scope))
    except TooComplex:
        flow = _untold(scope, names, function, path, once, source)
    return replace(flow, parents=_parents(scope, None if flow.updates else near))


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


def _parents(scope: ast.AST, lines: Sequence[int] | None) -> dict[ast.AST, ast.AST]:
    """Who stands around whom, in the statements that hold a candidate line; None: in all."""
    found: dict[ast.AST, ast.AST] = {}
    todo = [scope]
    while todo:
        node = todo.pop()
        for child in children(node):
            if lines is None or not isinstance(child, ast.stmt) or holds(child, lines):
                found[child] = node
                todo.append(child)
    return found
