"""Which part of a buffer: a box of index ranges with symbolic ends.

A bound is a place to cut a dimension, as a Python slice cuts it: negative numbers count from
the end and everything is clamped. Two bounds are compared only when that is certain; `minus`
never returns less than the truth and `apart` is true only when two parts certainly share nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codemods.core.size import ZERO, Atom, Size, as_size, at_most


@dataclass(frozen=True, slots=True)
class Run:
    """Indices from `low` up to, not including, `high`; None is the end of the dimension."""

    low: Size = ZERO
    high: Size | None = None

    def __str__(self) -> str:
        if self.high is not None and self.high - self.low == as_size(1):
            return f"{{{self.low}}}"
        return f"[{'' if self.low == ZERO else self.low}:{'' if self.high is None else self.high}]"


@dataclass(frozen=True, slots=True)
class Comb:
    """Indices whose remainder by `step` is one of `rests`, over the whole dimension."""

    step: int
    rests: frozenset[int]

    def __str__(self) -> str:
        return " and ".join(f"[{rest}::{self.step}]" for rest in sorted(self.rests))


@dataclass(frozen=True, slots=True)
class Somewhere:
    """Some indices, it is not known which."""

    def __str__(self) -> str:
        return "some"


Axis = Run | Comb | Somewhere
FULL = Run()


@dataclass(frozen=True, slots=True)
class Box:
    """A product of axes. Dimensions that are not listed are full; a negative one counts from the last."""

    axes: tuple[tuple[int, Axis], ...] = ()

    def axis(self, dimension: int) -> Axis:
        return dict(self.axes).get(dimension, FULL)

    def along(self, dimension: int, axis: Axis) -> Box:
        """The same box with one dimension set."""
        kept = {key: old for key, old in self.axes if key != dimension}
        if axis != FULL:
            kept[dimension] = axis
        return Box(tuple(sorted(kept.items(), key=lambda item: item[0])))

    @property
    def known(self) -> bool:
        """It is exactly this part, not some of it."""
        return not any(isinstance(axis, Somewhere) for _, axis in self.axes)

    def replace(self, value: Callable[[Atom], Size | None]) -> Box:
        """The same part with some atoms of its bounds exchanged for sizes."""
        if not self.atoms:
            return self
        return Box(
            tuple(
                (key, Run(axis.low.replace(value), None if axis.high is None else axis.high.replace(value)))
                if isinstance(axis, Run)
                else (key, axis)
                for key, axis in self.axes
            )
        )

    @property
    def atoms(self) -> frozenset[Atom]:
        ends = [
            end for _, axis in self.axes if isinstance(axis, Run) for end in (axis.low, axis.high) if end is not None
        ]
        return frozenset(atom for end in ends for atom in end.atoms)

    @property
    def loose(self) -> bool:
        """A bound may be None: then it does not stand where it says."""
        return any(isinstance(atom.key, tuple) and atom.key[:1] == ("object",) for atom in self.atoms)

    def __str__(self) -> str:
        if not self.axes:
            return "all of it"
        if len(self.axes) == 1 and (dimension := self.axes[0][0]) in (0, -1):
            kind = "element" if isinstance(self.axes[0][1], Run) and str(self.axes[0][1]).startswith("{") else "part"
            return f"{kind} {self.axes[0][1]}" + (" of the last dimension" if dimension else "")
        return "part " + " x ".join(f"{axis} of dimension {dimension}" for dimension, axis in self.axes)


ALL = Box()
SOME = Box(((0, Somewhere()),))
Left = tuple[Box, ...]
MOST_PIECES = 12


def apart(one: Box, other: Box) -> bool:
    """The two parts certainly share no element."""
    return any(_axes_apart(axis, other.axis(dimension)) for dimension, axis in one.axes)


def minus(left: Left, written: Box) -> Left:
    """What is left of `left` once `written` is overwritten."""
    if not written.known:
        return left
    pieces: dict[Box, None] = {}
    for box in left:
        pieces.update(dict.fromkeys(_box_minus(box, written)))
    result = tuple(piece for piece in pieces if not any(other != piece and _inside(piece, other) for other in pieces))
    return result if len(result) <= MOST_PIECES else left


def forget(left: Left, atoms: frozenset[Atom]) -> Left:
    """The same parts when the values of some atoms are about to change: widened to not mention them."""
    return tuple(dict.fromkeys(_widen(box, atoms) if box.atoms & atoms else box for box in left))


def inside(part: Box, whole: Box) -> bool:
    """Every element of `part` is certainly one of `whole`."""
    return _inside(part, whole)


def _inside(part: Box, whole: Box) -> bool:
    return all(not _axis_minus(part.axis(dimension), axis) for dimension, axis in whole.axes)


def _box_minus(box: Box, written: Box) -> tuple[Box, ...]:
    if apart(box, written):
        return (box,)
    pieces: list[Box] = []
    for dimension, axis in written.axes:
        rest = _axis_minus(box.axis(dimension), axis)
        pieces += [box.along(dimension, piece) for piece in rest]
    return tuple(pieces)


def _not_after(one: Size, other: Size) -> bool:
    """The cut at `one` is certainly not behind the cut at `other`.

    `k - 5 <= k`, but where k is 3 the cut at -2 lies near the end: order says nothing across 0.
    """
    if one == other:
        return True
    if one.constant is not None and other.constant is not None and other.constant < 0:
        return one.constant <= other.constant < 0 and one.constant < 0
    return one.natural and at_most(one, other)


def _axis_minus(axis: Axis, written: Axis) -> tuple[Axis, ...]:
    if written == FULL or axis == written and not isinstance(axis, Somewhere):
        return ()
    match axis, written:
        case Run(low, high), Run(from_, upto):
            before = () if _not_after(from_, low) else (Run(low, from_),)
            covers_end = upto is None or (high is not None and _not_after(high, upto))
            return before if covers_end or upto is None else (*before, Run(upto, high))
        case Run(), Comb(step, rests) if axis == FULL:
            return (Comb(step, frozenset(range(step)) - rests),) if len(rests) < step else ()
        case Comb(step, rests), Comb(other, taken) if step == other:
            return (Comb(step, rests - taken),) if rests - taken else ()
    return (axis,)


def _axes_apart(one: Axis, other: Axis) -> bool:
    match one, other:
        case Run(low, high), Run(from_, upto):
            return (high is not None and _not_after(high, from_)) or (upto is not None and _not_after(upto, low))
        case Comb(step, rests), Comb(also, taken) if step == also:
            return not rests & taken
    return False


def _widen(box: Box, atoms: frozenset[Atom]) -> Box:
    for dimension, axis in box.axes:
        if isinstance(axis, Run):
            low = ZERO if axis.low.atoms & atoms else axis.low
            high = None if axis.high is not None and axis.high.atoms & atoms else axis.high
            box = box.along(dimension, Run(low, high))
    return box
