"""AlreadyHolds: the write stores what is there already."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Birth, Escape, Flow, Write
from codemods.core.region import ALL, Box, apart, inside
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import assumed_before, step


@dataclass(frozen=True, slots=True)
class AlreadyHolds:
    """On every path to the write its part holds the same constant from an earlier write."""

    write: Write

    def check(self, flow: Flow) -> Verdict:
        known = self.write.value is not None and self.write.region is not None
        if not known or self.write.when or self.write.unless or not self.write.sure:
            return Refused("another-value", "the value that it stores is not a known constant")
        if any((self.write.region or ALL).atoms & made for made in flow.renews.values()):
            return Refused("another-value", "its part is another one each time round a loop")
        before: dict[int, list[int]] = {}
        for point, targets in enumerate(flow.next):
            for target in targets:
                before.setdefault(target, []).append(point)
        because: dict[Write, None] = {}
        todo = [
            source for point, event in enumerate(flow.events) if event is self.write for source in before.get(point, [])
        ]
        seen: set[int] = set()
        while todo:
            point = todo.pop()
            if point in seen:
                continue
            seen.add(point)
            event = flow.events[point]
            if event is not None and event.buffer is self.write.buffer:
                match event:
                    case Write(sure=True, unless=(), value=value) if value == self.write.value and self._within(event):
                        because[event] = None
                        continue
                    case Write(region=Box() as region) if self._elsewhere(region):
                        pass
                    case Write() | Birth() | Escape():
                        witness = (step(flow, event), step(flow, self.write))
                        return Refused("another-value", "it may hold another value by then", witness)
            if point == 0:
                return Refused("another-value", "what it holds before is not known", (step(flow, self.write),))
            todo += before.get(point, [])
        return Proved(tuple(step(flow, event) for event in because), assumed_before(flow, self.write))

    def _elsewhere(self, region: Box) -> bool:
        """Another part; parts of memory that came from outside may be the same elements, where it is expanded."""
        return not (self.write.buffer.shared or region.loose) and apart(region, self.write.region or ALL)

    def _within(self, event: Write) -> bool:
        if event.when or event.region is None:
            return False
        return inside(self.write.region or ALL, event.region)
