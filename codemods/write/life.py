"""The life of a buffer in words, for people who ask what was read."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from codemods.core.event import Birth, Buffer, Flow, Read, Write
from codemods.core.report import Life
from codemods.core.span import Step, span
from codemods.core.syntax import subject


def life(flow: Flow, node: ast.AST) -> list[Step]:
    """Every event on the memory that is made, or filled, in a piece of code."""
    inside = set(ast.walk(node))
    events = [event for event in flow.events if event is not None]
    ours: set[Buffer | None] = {
        event.buffer for event in events if event.node in inside and isinstance(event, Birth | Write)
    }
    ours = ours | {buffer.older for buffer in ours if buffer} | {e.buffer for e in events if e.buffer.older in ours}
    ours.discard(None)
    return [
        Step(flow.path, span(event.node), f"{type(event).__name__.lower()}: {event.why}")
        for event in events
        if event.buffer in ours and not (isinstance(event, Read) and event.region is None)  # that is only its name
    ]


def others(flow: Flow, sites: Collection[ast.AST]) -> Iterator[Life]:
    """The life of memory that is made here, and that no site is about."""
    for node in dict.fromkeys(event.node for event in flow.events if isinstance(event, Birth)):
        if node not in sites:
            yield Life(flow.path, span(node), flow.function, subject(node, flow.parents), tuple(life(flow, node)))
