"""Unobserved: nobody ever sees what this write stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from codemods.core.event import Birth, Buffer, Escape, Event, Flow, Read, Write
from codemods.core.region import ALL, Box, Left, apart, forget, minus
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import Choices, agrees, assumed_before, step, way

MOST_STEPS = 20_000
Trail = tuple[tuple[Event, Left], ...]


@dataclass(frozen=True, slots=True)
class Unobserved:
    """Every path from the write overwrites it, or loses it, before anyone looks."""

    write: Write | Birth  # of a Birth: whatever the memory holds then

    def check(self, flow: Flow) -> Verdict:
        return _Search(flow, self.write).verdict()


class _Search:
    """Follow every path from the write with the part that is still there. `alone`: as if nobody else held it."""

    def __init__(self, flow: Flow, write: Write | Birth, alone: bool = False) -> None:
        self.flow = flow
        self.write = write
        self.alone = alone
        buffers = {write.buffer, write.buffer.older}
        ours = [event for event in flow.events if event and event.buffer in buffers]
        self.looked = any(isinstance(event, Escape) or isinstance(event, Read) and event.region for event in ours)
        self.way = way(flow, ours)
        self.writing = tuple(
            points
            for points in flow.loops.values()
            if any(isinstance(event := flow.events[point], Write) and event.buffer in buffers for point in points)
        )
        self.covered: dict[Event, Left] = {}
        self.passed: set[Event] = set()
        self.seen_by: list[tuple[Trail, Left, bool]] = []
        self.steps = 0

    def verdict(self) -> Verdict:
        start = self.write.region
        if start is None or not start.known or start.loose:
            start = ALL
        for point, event in enumerate(self.flow.events):
            if event is self.write:
                self.follow(point, (start,))
        if self.steps > MOST_STEPS:
            return Refused("too-complex", "there are too many paths to follow", (step(self.flow, self.write),))
        if self.seen_by:
            return self.refusal()
        if not self.covered or not self.looked:
            written = "nothing overwrites it and nothing reads it" if self.looked else "nobody looks at this memory"
            message = f"{written}: it may be there for its side effect"
            return Refused("never-used", message, (step(self.flow, self.write),))
        because = tuple(step(self.flow, event, _words(left)) for event, left in self.covered.items())
        return Proved(because, assumed_before(self.flow, self.write, self.passed))

    def follow(self, start: int, left: Left) -> None:
        nothing: Choices = frozenset()
        around = {head for head, points in self.flow.loops.items() if start in points}
        todo: list[tuple[int, Buffer, Left, Choices, Trail, bool]] = []
        seen: set[tuple[int, Buffer, Left, Choices, bool]] = set()

        def push(point: int, buffer: Buffer, left: Left, choices: Choices, trail: Trail, certain: bool) -> None:
            for target, chosen in self.way.after(point, choices):
                # how often a loop that is left has written is not known
                left_loop = any(point in points and target not in points for points in self.writing)
                todo.append((target, buffer, left, chosen, trail, certain and not left_loop))

        push(start, self.write.buffer, left, nothing, (), True)
        while todo and self.steps <= MOST_STEPS:
            point, buffer, left, choices, trail, certain = todo.pop()
            if point in self.flow.renews:
                left = forget(left, self.flow.renews[point])
            key = (point, buffer, left, choices, certain)
            if key in seen:
                continue
            seen.add(key)
            self.steps += 1
            event = self.flow.events[point]
            if event is None or event.buffer is not buffer or not agrees(event.when, choices) or self.skips(event):
                push(point, buffer, left, choices, trail, certain)
                continue
            self.passed.add(event)
            match event:
                case Birth() if buffer.older is not None:  # the loop came round: ours is an earlier memory now
                    buffer = buffer.older
                case Read(region=Box() as region) if self.meets(left, region):
                    self.seen_by.append(((*trail, (event, left)), left, certain))
                    continue
                case Escape():
                    self.seen_by.append(((*trail, (event, left)), left, certain))
                    continue
                case Write(node=node) if event is not self.write and node is self.write.node:
                    pass  # what else the statement writes goes with it
                case Write(turns=head) if head in around:
                    pass  # turns before this write have had a part in it
                case Write(region=Box() as region, sure=sure, unless=unless):
                    if sure and not any(agrees(tags, choices) for tags in unless):
                        rest = minus(left, region)
                        if rest != left:
                            if event is not self.write:
                                self.covered.setdefault(event, rest)
                            trail = (*trail, (event, rest))
                            left = rest
                            if not rest:
                                continue
                    elif event is not self.write:
                        certain = False
                        trail = (*trail, (event, left))
            push(point, buffer, left, choices, trail, certain)

    def skips(self, event: Event) -> bool:
        return self.alone and (event.by_others or (isinstance(event, Escape) and event.how == "outlives"))

    def meets(self, left: Left, region: Box) -> bool:
        """A reader of this part may see what is left. Memory that came from outside may be expanded: two of its
        parts may be the same elements."""
        return self.write.buffer.shared or not all(apart(piece, region) for piece in left)

    def refusal(self) -> Refused:
        """The first witness in source order, a certain one before an uncertain one of the same place."""
        trail, left, certain = min(self.seen_by, key=lambda seen: (_order(seen[0]), not seen[2]))
        event, _ = trail[-1]
        witness = tuple(step(self.flow, passed, _words(rest)) for passed, rest in trail)
        written = any(isinstance(passed, Write) for passed, _ in trail)
        code, message, sure, needs = _reason(event, left, certain, written)
        return Refused(code, message, witness, certain=sure, needs=needs, then=self.then(event))

    def then(self, event: Event) -> Refused | None:
        """That others may hold the memory is often said first, and is not what the rewrite would fail for."""
        if not event.by_others:
            return None
        search = _Search(self.flow, self.write, alone=True)
        again = search.verdict()
        return replace(again, certain=False) if isinstance(again, Refused) and search.seen_by else None


def _order(trail: Trail) -> tuple[int, int, int]:
    node = trail[-1][0].node
    return getattr(node, "lineno", 0) or 1 << 30, getattr(node, "col_offset", 0), len(trail)


def _words(left: Left) -> str:
    return ", ".join(str(piece) for piece in left) or "nothing"


def _reason(event: Event, left: Left, certain: bool, written: bool) -> tuple[str, str, bool, str]:
    """Code, message, whether the witness is certain, and what would settle it."""
    line = getattr(event.node, "lineno", 0)
    place = f"at line {line} " if line else ""
    rest = _words(left)
    if isinstance(event, Read):
        return _read_reason(event, f"line {line}", rest, certain, written and left != (ALL,))
    assert isinstance(event, Escape)
    part = "" if left == (ALL,) else f"{rest} is never written, and "
    if event.how == "returned":
        if not certain:
            needs = f"that all of it is written by line {line}"
            return (
                "partly-written",
                f"{place}it is {event.why}, and a part of it may not be written by then",
                False,
                needs,
            )
        if not written:
            return "returned", f"{place}it is {event.why} as it was filled", True, ""
        return "gap", f"{part}{place}it is {event.why}", True, ""
    needs = NEEDS[event.how]
    return event.how, f"{part}{place}it is {event.why}", False, needs


NEEDS = {
    "kept": "who reads it first, and whether it is overwritten by then",
    "captured": "when the code that captured it runs",
    "unseen-call": "whether the callee overwrites all of it before it reads it",
    "outlives": "who looks at it after the function",
    "stream": "in which order the streams run",
    "not-understood": "what this does to its memory",
}


def _read_reason(event: Read, line: str, rest: str, certain: bool, gap: bool) -> tuple[str, str, bool, str]:
    if not certain:
        message = f"at {line} it is {_seen(event)}, and a part of it may not be written by then"
        return "partly-written", message, False, f"that all that is read at {line} is written by then"
    if gap:
        return "gap", f"{rest} is never written, and at {line} it is {_seen(event)}", True, ""
    known = event.region is not None and event.region.known
    needs = "" if known else f"that the part, or the memory, which is read at {line} is another one"
    return "read-first", f"at {line} it is {_seen(event)}, before it is overwritten", known, needs


def _seen(event: Read) -> str:
    return (
        event.why
        if event.why.startswith(("read", "updated", "used", "tested", "copied", "passed"))
        else f"read: {event.why}"
    )
