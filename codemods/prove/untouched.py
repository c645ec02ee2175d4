"""Untouched: after its birth nothing happens to the memory until its name is bound again."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Birth, Escape, Flow, Read, Rebound, Write
from codemods.core.span import Step
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import agrees, step, way


@dataclass(frozen=True, slots=True)
class Untouched:
    """On every path the name is bound again, and until then neither memory nor name is used."""

    birth: Birth

    def check(self, flow: Flow) -> Verdict:
        birth = self.birth
        both = (birth.buffer, birth.buffer.older)
        ways = way(flow, [event for event in flow.events if event and event.buffer in both])
        todo = [
            (target, birth.buffer, choices)
            for point, event in enumerate(flow.events)
            if event is birth
            for target, choices in ways.after(point, frozenset())
        ]
        seen = set()
        because: dict[Step, None] = {}
        while todo:
            point, buffer, choices = todo.pop()
            if (point, buffer, choices) in seen:
                continue
            seen.add((point, buffer, choices))
            event = flow.events[point]
            if event is not None and event.buffer is buffer and agrees(event.when, choices):
                match event:
                    case Rebound():
                        because[step(flow, event)] = None
                        continue
                    case Birth() if buffer.older is not None:
                        buffer = buffer.older
                    case Write(node=node) if node is birth.node:
                        pass  # the fill of the allocation itself
                    case Read() | Write() | Escape():
                        message = f"it is used before its name is bound again: {event.why}"
                        return Refused("touched", message, (step(flow, event),), certain=not isinstance(event, Escape))
            if not flow.next[point] and point != flow.fail:
                message = "there is a path on which its name is never bound again"
                return Refused("not-rebound", message, (step(flow, birth),))
            todo += [(target, buffer, chosen) for target, chosen in ways.after(point, choices)]
        return Proved(tuple(because))
