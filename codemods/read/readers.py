"""Who reads what is kept on `self`: the first reader in the class is named, for people."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import lru_cache

from codemods.core.event import Escape, Event, Flow
from codemods.core.syntax import walk
from codemods.read.methods import Class, self_of

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
    method, line = next((found for found in _uses(within.node).get(node.attr, ()) if found[0] is not scope), (None, 0))
    return f", which {method.name}() uses at line {line}" if method is not None else ""


@lru_cache(maxsize=4)
def _uses(node: ast.ClassDef) -> dict[str, list[tuple[Method, int]]]:
    """Which methods look at each attribute, and where they do so first."""
    found: dict[str, list[tuple[Method, int]]] = {}
    for item in node.body:
        if isinstance(item, Method):
            lines: dict[str, int] = {}
            for inner in walk(item):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Load):
                    lines[inner.attr] = min(inner.lineno, lines.get(inner.attr, inner.lineno))
            for attr, line in lines.items():
                found.setdefault(attr, []).append((item, line))
    return found
