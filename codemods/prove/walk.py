"""What provers say about the events on the paths that they follow."""

from __future__ import annotations

from collections.abc import Iterable

from codemods.core.event import Buffer, Event, Flow
from codemods.core.paths import Choices, Way, agrees, way
from codemods.core.span import Step, span


def step(flow: Flow, event: Event, left: str = "") -> Step:
    return Step(flow.path, span(event.node), event.why, left)


def assumed(events: Iterable[Event | None]) -> tuple[str, ...]:
    """What these events rest on, by name."""
    return tuple(sorted({name for event in events if event is not None for name in event.assumes}))


def assumed_of(flow: Flow, *buffers: Buffer | None) -> tuple[str, ...]:
    """What all that is told about some memory, now or earlier in a loop, rests on."""
    ours = {*buffers, *(buffer.older for buffer in buffers if buffer is not None)}
    return assumed(event for event in flow.events if event is not None and event.buffer in ours)


__all__ = ["Choices", "Way", "agrees", "assumed", "assumed_of", "step", "way"]
