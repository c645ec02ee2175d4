"""Stores drawn at random: what a proof says they reach, they reach. The second look of the tool has no part in this."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from numbers_of import all_numbers, calculated, elements, programs, text

from codemods.core.access import Access, Turns
from codemods.core.condition import TRUE, Condition, Flag, at_least, below, both, either, equal, negated, pick
from codemods.core.poly import ONE, ZERO, Atom, Poly, cdiv, div, least, mod, most, named, poly, pow2, rem, trunc
from codemods.core.poly import replace as exchanged
from codemods.cover.bounds import Facts
from codemods.cover.boxes import Shape
from codemods.cover.stores import covered

SEEDS = range(16)
PROGRAMS = 60  # of a seed
N, M, K, B = (named(name, natural=True) for name in "nmkB")
ANY = named("z", kind="any")
SOME = (0, 1, 2, 3)
CHOICES = {"n": SOME, "m": SOME, "k": SOME, "B": (1, 2, 4), "z": (-3, 0, 2)} | dict.fromkeys("fgh", (0, 1))


@dataclass
class Drawn:
    """A launch in the making. `tests` and `loops` are those of the store."""

    chance: random.Random
    grid: list[Poly] = field(default_factory=list)
    tests: list[Condition] = field(default_factory=list)
    loops: list[Turns] = field(default_factory=list)
    lanes: int = 0

    def upto(self, extent: Poly, depth: int = 0) -> Poly:
        """A number that takes each value from 0 up to the extent, which is >= 1."""
        ways: list[Callable[[Poly, int], Poly]] = [self.lane, self.turn]
        if len(self.grid) < 3:
            ways += [self.program] * 3
        if depth < 2:
            ways += [self.tiled, self.tiled, self.strided, self.backwards, self.joined, self.clamped, self.late]
        return self.chance.choice(ways)(extent, depth)

    def program(self, extent: Poly, depth: int) -> Poly:
        self.grid.append(extent)
        return poly(Atom("pid", (len(self.grid) - 1,), True))

    def lane(self, extent: Poly, depth: int) -> Poly:
        length = extent if self.chance.random() < 0.5 else pow2(extent)
        self.lanes += 1
        lane = poly(Atom("lane", (self.lanes, length), True))
        if length != extent:
            self.tests.append(below(lane, extent))
        return lane

    def turn(self, extent: Poly, depth: int) -> Poly:
        turn = Atom("turn", (len(self.loops),), True)
        low = self.chance.choice((ZERO, ZERO, ONE, N))
        self.loops.append(Turns(turn, low, extent + low, ONE))
        return poly(turn)

    def tiled(self, extent: Poly, depth: int) -> Poly:
        size = self.chance.choice((poly(2), poly(4), B, B))
        value = self.upto(cdiv(extent, size), depth + 1) * size + self.upto(size, depth + 1)
        self.tests.append(below(value, extent))
        return value

    def strided(self, extent: Poly, depth: int) -> Poly:
        """A loop in steps."""
        size = self.chance.choice((poly(2), B))
        turn = Atom("turn", (len(self.loops),), True)
        self.loops.append(Turns(turn, ZERO, extent, size))
        value = poly(turn) * size + self.upto(size, depth + 1)
        self.tests.append(below(value, extent))
        return value

    def backwards(self, extent: Poly, depth: int) -> Poly:
        return extent - 1 - self.upto(extent, depth + 1)

    def clamped(self, extent: Poly, depth: int) -> Poly:
        return least(self.upto(extent + self.chance.randrange(2), depth + 1), extent - 1)

    def late(self, extent: Poly, depth: int) -> Poly:
        """The first few do nothing."""
        skipped = self.chance.choice((ONE, M))
        value = self.upto(extent + skipped, depth + 1)
        self.tests.append(at_least(value - skipped))
        return value - skipped

    def joined(self, extent: Poly, depth: int) -> Poly:
        """What is left of a number that counts through more."""
        times = self.chance.choice((poly(2), N, B))
        value = self.upto(extent * times, depth + 1)
        if self.chance.random() < 0.5:
            return self.chance.choice((mod, rem))(value, extent)
        return self.chance.choice((div, trunc))(value, times)

    def pair(self, rows: Poly, columns: Poly) -> list[Poly]:
        """Two numbers in one, in order or in groups of rows."""
        value = self.upto(rows * columns, 1)
        divided, remainder = self.chance.choice(((div, mod), (trunc, rem)))
        if self.chance.random() < 0.5:
            return [divided(value, columns), remainder(value, columns)]
        group = self.chance.choice((poly(2), B))
        many = group * columns
        height = least(rows - divided(value, many) * group, group)
        inside = self.chance.choice((value, remainder(value, many)))
        return [divided(value, many) * group + remainder(inside, height), divided(remainder(value, many), height)]


def shape(chance: random.Random) -> Shape:
    extents = [
        chance.choice((N, M, K, N + 1, N * 2, B, ONE, poly(3), N * M)) for _ in range(chance.choice((1, 1, 2, 2, 3)))
    ]
    strides, step = [ZERO] * len(extents), ONE
    order = list(range(len(extents)))
    if chance.random() < 0.3:
        chance.shuffle(order)
    for dimension in reversed(order):
        strides[dimension] = step
        step = step * (extents[dimension] + (chance.random() < 0.1))
    return Shape(tuple(extents), tuple(strides), Facts(frozenset(B.atoms)).knowing(*extents))


def stores(chance: random.Random, shape: Shape) -> tuple[list[Access], tuple[Poly, ...]]:
    drawn = Drawn(chance)
    extents = list(shape.extents)
    indices = drawn.pair(*extents[:2]) if len(extents) > 1 and chance.random() < 0.4 else []
    if len(extents) > 1 and chance.random() < 0.2:  # all dimensions as one
        offset = drawn.upto(shape.count)
    else:
        indices += [drawn.upto(extent) for extent in extents[len(indices) :]]
        offset = sum((index * stride for index, stride in zip(indices, shape.strides, strict=True)), ZERO)
    if chance.random() < 0.1:
        offset = pick(Flag("f"), offset, offset)
    store = Access("store", frozenset({"out"}), offset, both(*drawn.tests), tuple(drawn.loops))
    parts = [store]
    if chance.random() < 0.35:
        inner = indices[0] if indices else offset
        test = chance.choice((Flag("f"), below(inner, chance.choice((ONE, N, B))), at_least(N - 2), equal(inner, ZERO)))
        second = negated(test)
        if chance.random() < 0.5:
            parts = [replace(store, test=both(store.test, half)) for half in (test, second)]
        else:
            parts = [replace(store, test=both(store.test, either(test, chance.choice((second, Flag("g"))))))]
    grid = tuple([*drawn.grid, ONE, ONE, ONE][:3])
    return parts, grid


# --- and then one thing is wrong


def broken(
    chance: random.Random, parts: list[Access], shape: Shape, grid: tuple[Poly, ...]
) -> tuple[list[Access], Shape, tuple[Poly, ...]]:
    at = chance.randrange(len(parts))
    store = parts[at]
    assert store.offset is not None
    match chance.randrange(9):
        case 0:
            axis = chance.randrange(3)
            return parts, shape, (*grid[:axis], other(chance, grid[axis]), *grid[axis + 1 :])
        case 1:
            changed = replace(store, offset=other(chance, store.offset))
        case 2:
            changed = replace(store, test=both(store.test, at_least(other(chance, store.offset) - chance.randrange(2))))
        case 3 if store.loops:
            turns = chance.choice(store.loops)
            field_ = chance.choice(("low", "high"))
            new = replace(turns, **{field_: other(chance, getattr(turns, field_))})
            changed = replace(store, loops=tuple(new if one is turns else one for one in store.loops))
        case 3 | 4:
            dimension = chance.randrange(len(shape.extents))
            given = list(chance.choice((shape.extents, shape.strides)))
            given[dimension] = other(chance, given[dimension])
            if chance.random() < 0.5:
                return parts, Shape(tuple(given), shape.strides, Facts(shape.facts.positive).knowing(*given)), grid
            return parts, replace(shape, strides=tuple(given)), grid
        case 5 | 6:  # another number, wherever it stands
            old, new = chance.choice((N, M, B)), chance.choice((N, M, K, N + 1, ANY, poly(2)))
            if chance.random() < 0.5:
                changed = _everywhere(store, lambda atom: new if poly(atom) == old else None)
            else:
                found = sorted({atom for value in _values(store) for atom in value.atoms})
                atom = chance.choice(found) if found else None
                changed = _everywhere(store, lambda one: poly(one) + 1 if one == atom else None)
        case 7:
            changed = replace(store, test=store.test.mapped(lambda value: other(chance, value)))
        case _:
            changed = replace(store, test=chance.choice((TRUE, negated(store.test), both(store.test, Flag("h")))))
    return [*parts[:at], changed, *parts[at + 1 :]], shape, grid


def other(chance: random.Random, value: Poly) -> Poly:
    again = [value + 1, value - 1, value * 2, value + N, value - M, -value, most(value, ONE), least(value, N)]
    return chance.choice(again)


def _values(store: Access) -> Iterator[Poly]:
    assert store.offset is not None
    yield from (store.offset, *store.test.polys())


def _everywhere(store: Access, new: Callable[[Atom], Poly | None]) -> Access:
    """But in steps, which are >= 1."""
    assert store.offset is not None
    return replace(
        store,
        offset=exchanged(store.offset, new),
        test=store.test.mapped(lambda value: exchanged(value, new)),
        loops=tuple(replace(one, low=exchanged(one.low, new), high=exchanged(one.high, new)) for one in store.loops),
    )


def wrong(chance: random.Random, parts: list[Access], shape: Shape, grid: tuple[Poly, ...]) -> tuple[bool, str]:
    """Whether something is claimed, and the numbers with which it does not hold."""
    found = covered(parts, shape, grid)
    if found.part is None:
        return False, ""
    facts = [f"{text(fact)} >= 0" for fact in (*shape.facts.least, *(poly(atom) - 1 for atom in shape.facts.positive))]
    left = f"{elements(found.part, shape.extents, shape.strides)} - ({programs(parts, grid)})"
    question = compile(f"({left}) if {' and '.join(facts)} else set()", "launch", "eval")
    for numbers in all_numbers(chance, CHOICES, 24):
        try:
            if missing := calculated(question, numbers):
                return True, f"{sorted(missing)[:4]} with {numbers}"
        except ZeroDivisionError:
            continue  # such a launch has no meaning
    return True, ""


@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_where_they_are_close(seed: int) -> None:
    """A division, a rest or the like against what it is made of, times small numbers and one more or less."""
    chance = random.Random(seed)
    shown = 0
    for _ in range(1_000):
        one = chance.choice((N, N * M, N + M, N - 1, N - M, M * B, N * 2 + 1))
        by = chance.choice((B, N + 1, poly(2), poly(3), M, M - N))
        made = chance.choice((div, mod, cdiv, least, most, lambda one, by: pow2(one) + by - by))(one, by)
        made = made * chance.choice((by, ONE, by * 2, B))
        value = sum((part * chance.randint(-2, 2) for part in (one, by, by * B, ONE, ONE)), ZERO)
        value = value + made * chance.choice((1, -1)) - one * (chance.choice((0, 0, 1)))
        least_ = [chance.choice((N - M, M - 1, B - 2))] if chance.random() < 0.5 else []
        facts = Facts(frozenset(chance.choice((B, N + B)).atoms), tuple(least_))
        if not facts.natural(value):
            continue
        shown += 1
        known = [f"{text(fact)} >= 0" for fact in (*least_, *(poly(atom) - 1 for atom in facts.positive), by - 1)]
        asked = compile(f"{text(value)} >= 0 or not ({' and '.join(known)})", "bound", "eval")
        for numbers in all_numbers(chance, CHOICES, 24):
            with suppress(ZeroDivisionError):
                assert calculated(asked, numbers), (value, facts, numbers)
    assert shown > 60


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_reached_is_reached(seed: int) -> None:
    chance = random.Random(seed)
    whole = 0
    for number in range(PROGRAMS):
        tensor = shape(chance)
        parts, grid = stores(chance, tensor)
        if number % 2:
            for _ in range(chance.choice((1, 1, 2))):
                parts, tensor, grid = broken(chance, parts, tensor, grid)
        claims, against = wrong(chance, parts, tensor, grid)
        whole += claims
        assert not against, f"{against}: {[(store.offset, store.test, store.loops) for store in parts]} {tensor} {grid}"
    assert whole > PROGRAMS // 8
