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


def assumed_before(flow: Flow, event: Event, passed: Iterable[Event] = ()) -> tuple[str, ...]:
    """What rests on these events, and on all that may have happened to the same memory before one of them: that it was
    not let out then."""
    ours = {event.buffer, event.buffer.older}
    if not assumed(other for other in flow.events if other is not None and other.buffer in ours):
        return ()
    before: dict[int, list[int]] = {}
    for point, targets in enumerate(flow.next):
        for target in targets:
            before.setdefault(target, []).append(point)
    todo = [point for point, other in enumerate(flow.events) if other is event]
    seen: set[int] = set()
    while todo:
        point = todo.pop()
        if point not in seen:
            seen.add(point)
            todo += before.get(point, [])
    earlier = [flow.events[point] for point in seen]
    return assumed([*passed, *(other for other in earlier if other is not None and other.buffer in ours)])


def assumed_of(flow: Flow, *buffers: Buffer | None) -> tuple[str, ...]:
    """What all that is told about some memory, now or earlier in a loop, rests on."""
    ours = {*buffers, *(buffer.older for buffer in buffers if buffer is not None)}
    return assumed(event for event in flow.events if event is not None and event.buffer in ours)


__all__ = ["Choices", "Way", "agrees", "assumed", "assumed_before", "assumed_of", "step", "way"]
