"""Who reads what is kept on `self`: the first reader in the class is named, for people."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from codemods.core.event import Escape, Event, Flow
from codemods.core.syntax import children
from codemods.read.methods import Class, self_of
from codemods.read.places import holds, lines_at

Method = ast.FunctionDef | ast.AsyncFunctionDef


def named_readers(flow: Flow, scope: ast.AST, within: Class | None) -> Flow:
    """The same flow; memory that is kept in an attribute says where the class reads that attribute first."""
    kept = [event for event in flow.events if isinstance(event, Escape) and _attribute(event, self_of(scope))]
    if within is None or not kept:
        return flow
    told: dict[Event, Event] = {
        event: replace(event, why=f"{event.why}{_reader(event.node, scope, within)}") for event in kept
    }
    events = tuple(None if event is None else told.get(event, event) for event in flow.events)
    return replace(flow, events=events)


def _attribute(event: Event, holder: str) -> bool:
    match event.node:
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()):
            return name == holder and isinstance(event, Escape) and event.how == "kept"
    return False


def _reader(node: ast.AST, scope: ast.AST, within: Class) -> str:
    assert isinstance(node, ast.Attribute)
    source = within.module.source
    lines = lines_at((match.start() for match in re.finditer(re.escape(node.attr.encode()), source)), source)
    for method in within.node.body:
        if isinstance(method, Method) and method is not scope and holds(method, lines):
            uses = [inner.lineno for part in method.body for inner in _uses(part, node.attr, lines)]
            if uses:
                return f", which {method.name}() uses at line {min(uses)}"
    return ""


def _uses(node: ast.AST, attr: str, lines: Sequence[int]) -> Iterator[ast.Attribute]:
    if isinstance(node, ast.Attribute) and node.attr == attr and isinstance(node.ctx, ast.Load):
        yield node
    if not isinstance(node, ast.stmt) or holds(node, lines):
        for part in children(node):
            yield from _uses(part, attr, lines)
