"""What a function does to the memory of one parameter: every path from its entry is followed to where it returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from codemods.core.effect import Effect
from codemods.core.event import Buffer, Escape, Event, Flow, Read, Write
from codemods.core.paths import Choices, agrees, way
from codemods.core.region import ALL, SOME, Box, Comb, Left, Run, apart, forget, inside, minus
from codemods.core.size import Atom

MOST_STEPS = 4_000


@dataclass(slots=True)
class _Life:
    """What was met on the way: readers and escapes with what of the memory was as it came then, and what of it still is
    so where the function returns."""

    read: dict[Event, Left] = field(default_factory=dict)
    escaped: dict[Event, None] = field(default_factory=dict)
    wrote: dict[Event, None] = field(default_factory=dict)
    left: dict[Left, None] = field(default_factory=dict)
    passed: set[Event] = field(default_factory=set)
    whole: bool = True  # every path was followed


def effect(flow: Flow, buffer: Buffer, leave: int, function: str, path: str) -> tuple[Effect, frozenset[str]]:
    """`leave`: the point where the function returns, -1 where it never does. And what the answer rests on."""
    life = _follow(flow, buffer, leave)
    assumes = frozenset(name for event in life.passed for name in event.assumes)
    if not life.whole:
        return Effect(
            keeps=f"has too many paths to follow ({path})", missing="it has too many paths to follow"
        ), assumes
    writes = _written(life)
    return (
        Effect(
            reads=_looked_at(life),
            writes=writes,
            touches=not all(_within(event, writes) for event in life.wrote),
            keeps=_kept(life, path),
            told=_told(life, writes, path),
            missing="" if writes == ALL else _missing(life, function, path),
        ),
        assumes,
    )


def _follow(flow: Flow, buffer: Buffer, leave: int) -> _Life:
    life = _Life()
    ways = way(flow, [event for event in flow.events if event and event.buffer is buffer])
    nothing: Choices = frozenset()
    todo: list[tuple[int, Left, Choices]] = [(0, (ALL,), nothing)]
    seen: set[tuple[int, Left, Choices]] = set()
    while todo:
        point, left, choices = todo.pop()
        if point in flow.renews:
            left = forget(left, flow.renews[point])
        if (point, left, choices) in seen:
            continue
        seen.add((point, left, choices))
        if len(seen) > MOST_STEPS:
            life.whole = False
            return life
        if point == leave:
            life.left[left] = None
        event = flow.events[point]
        if event is not None and event.buffer is buffer and agrees(event.when, choices):
            left = _met(life, event, left, choices)
        todo += [(target, left, chosen) for target, chosen in ways.after(point, choices)]
    return life


def _met(life: _Life, event: Event, left: Left, choices: Choices) -> Left:
    life.passed.add(event)
    match event:
        case Read(region=Box() as region):
            met = tuple(piece for piece in left if not apart(piece, region))
            if met:
                life.read[event] = tuple(dict.fromkeys((*life.read.get(event, ()), *_common(met, region))))
        case Escape():
            life.escaped[event] = None
            if left:
                life.read[event] = (ALL,)
        case Write(region=Box() as region, sure=sure, unless=unless):
            life.wrote[event] = None
            if sure and not any(agrees(tags, choices) for tags in unless):
                return minus(left, region)
    return left


def _common(pieces: Left, region: Box) -> Left:
    """What a reader of a region may see of these pieces, or more."""
    return pieces if region == ALL else (region,)


def _looked_at(life: _Life) -> Box | None:
    boxes = {box for left in life.read.values() for box in left}
    if not boxes:
        return None
    (box,) = boxes if len(boxes) == 1 else (ALL,)
    return box if _fixed(box) else ALL


def _fixed(box: Box) -> bool:
    """Every caller can tell which part it is, by the arguments that it gives."""
    return all(isinstance(axis, Run | Comb) for _, axis in box.axes) and all(map(portable, box.atoms))


def portable(atom: Atom) -> bool:
    """An integer that is a parameter, or an extent that a parameter had when the function was entered."""
    match atom.key:
        case ("parameter", str()) | ("extent", ("parameter", str()), int(), 0):
            return True
    return False


def _written(life: _Life) -> Box | None:
    """A part that is surely overwritten wherever the function returns."""
    pieces = [piece for left in life.left for piece in left]
    if not life.left:
        return None
    if not pieces:
        return ALL
    sure = [event.region for event in life.wrote if isinstance(event, Write) and event.sure and event.region]
    found = [box for box in sure if box.known and _fixed(box) and all(apart(piece, box) for piece in pieces)]
    return next((box for box in found if all(inside(other, box) for other in found)), found[0] if found else None)


def _within(event: Event, writes: Box | None) -> bool:
    return writes is not None and event.region is not None and event.region.known and inside(event.region, writes)


def _kept(life: _Life, path: str) -> str:
    events = [event for event in life.escaped if isinstance(event, Escape)]
    first = min(events, key=lambda event: (event.how == "outlives", _line(event)), default=None)
    return "" if first is None else f"lets it out: {first.why} ({path}:{_line(first)})"


def _told(life: _Life, writes: Box | None, path: str) -> str:
    """The reader that comes first, or else what covers it."""
    reads = [event for event in life.read if isinstance(event, Read)]
    if isinstance(next(iter(life.read), None), Escape):
        return ""  # `keeps` says it
    if reads:
        first = min(reads, key=_line)
        parts = [box for box in life.read[first] if _fixed(box)]
        whole = parts != list(life.read[first]) or parts == [ALL]
        text = "it" if whole else " and ".join(map(str, parts)) + " of it"
        text = text.replace(" of it of it", " of it")
        return f"reads {text} before it is written ({path}:{_line(first)})"
    sure = [event for event in life.wrote if isinstance(event, Write) and event.sure]
    if writes is not None and sure:
        return f"writes {writes} ({path}:{_line(max(sure, key=_line))})"
    return ""


def _missing(life: _Life, function: str, path: str) -> str:
    pieces = [piece for left in life.left for piece in left]
    if not life.wrote:
        return f"{function} never writes it ({path})"
    line = _line(next(iter(life.wrote)))
    if any(piece == ALL for piece in pieces):
        return f"{function} does not write it on every path ({path}:{line})"
    rest = " and ".join(dict.fromkeys(map(str, pieces)))
    return f"{rest} is not certainly written by {function} ({path}:{line})"


def _line(event: Event) -> int:
    return getattr(event.node, "lineno", 0)


__all__ = ["SOME", "effect"]
