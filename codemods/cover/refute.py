"""A second look at every proof: small numbers are put in, and every program is run through.

This shares no lemma with the proof. Where it finds an element that no store reaches, the proof is wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from codemods.core.access import Access, Turns
from codemods.core.condition import AtLeast, Condition, Every, Flag, Some
from codemods.core.poly import Atom, Poly, deep
from codemods.cover.boxes import Shape

TRIES = 3
MOST_POINTS = 20_000
MOST_ELEMENTS = 1_500
CHOICES = (1, 2, 3, 5, 4, 7, 6)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a claim does not stand. `refuted`: with `sizes` it is wrong; otherwise it could not be checked."""

    text: str
    sizes: tuple[tuple[str, int], ...] = ()
    refuted: bool = False


TOO_LARGE = Doubt("it is too large to be checked")
UNCOMPUTED = Doubt("a number that cannot be computed")


class TooLarge(Exception):
    """More points than are worth the time."""


@dataclass(slots=True)
class Point:
    """Values of all unknowns. `points`: how many may still be looked at."""

    values: dict[str, int]
    flags: dict[str, bool] = field(default_factory=dict)
    points: int = MOST_POINTS
    kept: dict[str, int] = field(default_factory=dict)  # what is the same for all turns and lanes of a program

    def number(self, value: Poly) -> int:
        total = 0
        for monomial, factor in value.terms.items():
            for atom in monomial:
                factor *= self.atom(atom)
                if not factor:
                    break
            total += factor
        return total

    def atom(self, atom: Atom) -> int:
        known = self.values.get(atom.text)
        if known is None:
            known = self.kept.get(atom.text)
        if known is not None:
            return known
        value = self.computed(atom)
        if not any(part.kind in ("lane", "turn") for part in atom.inside):
            self.kept[atom.text] = value
        return value

    def computed(self, atom: Atom) -> int:
        if atom.kind == "pick":
            return self.number(atom.parts[1 if self.holds(atom.parts[0]) else 2])  # type: ignore[arg-type]
        return self.built(atom.kind, [self.number(part) for part in atom.parts if isinstance(part, Poly)])

    def built(self, kind: str, parts: list[int]) -> int:
        match kind, parts:
            case "div", [one, two]:
                return one // two
            case "mod", [one, two]:
                return one % two
            case "cdiv", [one, two]:
                return (one + two - 1) // two
            case "trunc", [one, two]:
                return abs(one) // abs(two) * (1 if (one < 0) == (two < 0) else -1)
            case "rem", [one, two]:
                return one - two * (abs(one) // abs(two) * (1 if (one < 0) == (two < 0) else -1))
            case "min", [one, two]:
                return min(one, two)
            case "max", [one, two]:
                return max(one, two)
            case "pow2", [one]:
                return 1 << (one - 1).bit_length() if one > 0 else 0
        raise KeyError(kind)

    def holds(self, test: Condition) -> bool:
        match test:
            case AtLeast(value):
                return self.number(value) >= 0
            case Every(parts):
                return all(map(self.holds, parts))
            case Some(parts):
                return any(map(self.holds, parts))
            case Flag(text, holds):
                return self.flags.setdefault(text, True) == holds
        return False


def missed(stores: tuple[Access, ...], shape: Shape, grid: tuple[Poly, ...]) -> Doubt | None:
    """What is wrong with the claim that the stores reach everything; None where nothing was found."""
    looked = 0
    for point in _points(stores, shape, grid):
        try:
            element = _unreached(point, stores, shape, grid)
        except TooLarge:
            continue
        except (KeyError, ZeroDivisionError):
            return UNCOMPUTED
        if element is not None:
            sizes = tuple(sorted(point.values.items()))
            numbers = ", ".join(f"{name} = {value}" for name, value in sizes)
            return Doubt(f"element {element} is not reached with {numbers or 'these numbers'}", sizes, True)
        looked += 1
        if looked >= TRIES:
            break
    return None if looked else TOO_LARGE


def _points(stores: tuple[Access, ...], shape: Shape, grid: tuple[Poly, ...]) -> Iterator[Point]:
    values: list[Poly] = [*shape.extents, *shape.strides, *grid]
    flags: set[str] = set()
    for store in stores:
        values += [store.offset] if store.offset is not None else []
        values += store.test.polys()
        values += [part for turns in store.loops for part in (turns.low, turns.high, turns.step)]
        flags |= _flags(store.test)
    names = sorted({atom.text for value in values for atom in deep(value) if atom.kind in ("size", "any")})
    for attempt in range(3 * TRIES):
        numbers = {
            name: CHOICES[(attempt * (index + 1) + index * index) % len(CHOICES)] for index, name in enumerate(names)
        }
        asked = {flag: bool((attempt >> index) & 1) for index, flag in enumerate(sorted(flags))}
        point = Point(numbers, asked)
        if _plausible(point, shape):
            yield point


def _plausible(point: Point, shape: Shape) -> bool:
    """Facts hold, and the elements of the tensor have places of their own."""
    try:
        if not all(point.number(fact) >= 0 for fact in shape.facts.least):
            return False
        for atom in shape.facts.positive:
            if point.values.get(atom.text, 1) < 1:
                return False
        count = 1
        for extent in shape.extents:
            count *= point.number(extent)
    except (KeyError, ZeroDivisionError):
        return True
    return count <= MOST_ELEMENTS


def _flags(test: Condition) -> set[str]:
    match test:
        case Flag(text, _):
            return {text}
        case Every(parts) | Some(parts):
            return {flag for part in parts for flag in _flags(part)}
    return set()


def _unreached(point: Point, stores: tuple[Access, ...], shape: Shape, grid: tuple[Poly, ...]) -> int | None:
    extents = [point.number(extent) for extent in shape.extents]
    strides = [point.number(stride) for stride in shape.strides]
    left = {
        sum(index * stride for index, stride in zip(place, strides, strict=True))
        for place in itertools.product(*map(range, extents))
    }
    sizes = [max(point.number(entry), 0) for entry in grid]
    for store in stores:
        lanes = sorted(
            {
                a
                for value in (store.offset, *store.test.polys())
                if value is not None
                for a in deep(value)
                if a.kind == "lane"
            }
        )
        for place in itertools.product(*map(range, sizes)):
            for axis, number in enumerate(place):
                point.values[f"pid({axis})"] = number
            point.kept.clear()
            _run(point, store, store.loops, lanes, left)
            if not left:
                return None
    for name in [name for name in point.values if name.startswith(("pid(", "lane(", "turn("))]:
        del point.values[name]
    return min(left, default=None)


def _run(point: Point, store: Access, loops: tuple[Turns, ...], lanes: list[Atom], left: set[int]) -> None:
    """One program, from some loop on: what it stores is taken from `left`."""
    if loops:
        low, high, step = (point.number(value) for value in (loops[0].low, loops[0].high, loops[0].step))
        for turn, _ in enumerate(range(low, high, step)):
            point.values[loops[0].turn.text] = turn
            _run(point, store, loops[1:], lanes, left)
        return
    lengths = [point.number(atom.parts[1]) for atom in lanes]  # type: ignore[arg-type]
    for place in itertools.product(*map(range, lengths)):
        point.points -= 1
        if point.points < 0:
            raise TooLarge
        for atom, number in zip(lanes, place, strict=True):
            point.values[atom.text] = number
        if point.holds(store.test):
            assert store.offset is not None
            left.discard(point.number(store.offset))
            if not left:
                return
