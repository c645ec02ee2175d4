"""Contained: nothing of the memory made in one turn of a loop is in use in another turn, or after the loop."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Birth, Escape, Event, Flow, Front, Read, Write
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import assumed_of, step


@dataclass(frozen=True, slots=True)
class Contained:
    """Every turn could be given the same memory: it is held by nobody when the next turn begins."""

    birth: Birth

    def check(self, flow: Flow) -> Verdict:
        front = flow.fronts[self.birth.node]
        late = self._late_uses(flow, front)
        return (
            self._named(flow, front)
            or self._held(flow, [use for use in late if use.region is None])
            or self._let_out(flow)
            or self._held(flow, late)
            or self._in_time(flow, front)
            or Proved(assumes=tuple(self._assumed(flow, front)))
        )

    def _named(self, flow: Flow, front: Front) -> Refused | None:
        if front.elsewhere:
            message = f"{front.elsewhere}: it may stand for something else there"
            return Refused("name-elsewhere", message, (step(flow, self.birth),))
        return None

    def _held(self, flow: Flow, uses: list[Event]) -> Refused | None:
        """The name or the object under which it is still in use is in the message."""
        if not uses:
            return None
        first = min(uses, key=_line)
        message = f"its memory is still held when the next turn begins: {first.why} at line {_line(first)}"
        return Refused("kept-by-name", message, (step(flow, self.birth), step(flow, first)))

    def _late_uses(self, flow: Flow, front: Front) -> list[Event]:
        """Uses of the memory when the next turn has begun and has not come to the allocation, and of earlier memory; in
        the order of the flow. What is used after the last turn is written by nobody any more."""
        loop = flow.loops.get(front.head, frozenset())
        starts = [point for point, event in enumerate(flow.events) if event is self.birth]
        todo = [(target, False) for point in starts for target in flow.next[point]]
        seen: set[tuple[int, bool]] = set()
        while todo:
            point, over = todo.pop()
            over = over or point == front.head
            if (point, over) in seen:
                continue
            seen.add((point, over))
            if flow.events[point] is not self.birth:
                todo += [(target, over) for target in flow.next[point]]
        return [
            event
            for point, event in enumerate(flow.events)
            if isinstance(event, Read | Write)
            and (
                event.buffer is self.birth.buffer.older
                or event.buffer is self.birth.buffer
                and (point, True) in seen
                and point in loop
            )
        ]

    def _let_out(self, flow: Flow) -> Refused | None:
        both = (self.birth.buffer, self.birth.buffer.older)
        found = [event for event in flow.events if isinstance(event, Escape) and event.buffer in both]
        if not found:
            return None
        event = min(found, key=lambda event: (event.how == "outlives", _line(event)))
        message = f"at line {_line(event)} it is {event.why}: it may be in use when the next turn writes it"
        needs = "that nobody keeps the memory" if event.how == "unseen-call" else ""
        return Refused(event.how, message, (step(flow, self.birth), step(flow, event)), needs=needs)

    def _in_time(self, flow: Flow, front: Front) -> Refused | None:
        here = (step(flow, self.birth),)
        if front.suspends:
            return Refused("suspended", front.suspends, here)
        if front.late:
            return Refused("stream", f"{front.late}: the memory may be in use when the next turn writes it", here)
        reads = (event for event in flow.events if isinstance(event, Read) and event.buffer is self.birth.buffer)
        if not any(event.region is not None for event in reads):
            return Refused("never-used", "nothing reads it: it may be allocated for its side effect", here)
        return None

    def _assumed(self, flow: Flow, front: Front) -> list[str]:
        """A backward pass could need what is written over; out= lays a tensor out anew where it does not fit."""
        given = any(
            isinstance(event, Write) and event.api == "out=" and event.buffer is self.birth.buffer
            for event in flow.events
        )
        names = [name for name, holds in (("no-autograd", front.gradients), ("no-resize", given)) if holds]
        return [*names, *assumed_of(flow, self.birth.buffer)]


def _line(event: Event) -> int:
    return getattr(event.node, "lineno", 0)
