"""Sizes and regions with numbers put in: nothing is said of them that is not so."""

from __future__ import annotations

import itertools
import random

import pytest

from codemods.core.launch import cdiv, maximum, minimum, next_power_of_2
from codemods.core.region import ALL, FULL, SOME, Axis, Box, Comb, Run, Somewhere, apart, forget, inside, minus
from codemods.core.size import Atom, Size, as_size, at_most, variable

NAMES = ("n", "m", "k")
ATOMS = {name: Atom(name, ("size", name), name != "k") for name in NAMES}
N, M, K = (variable(ATOMS[name]) for name in NAMES)
SEEDS = range(4)
DRAWN = 400
Place = tuple[int, ...]


def calculated(size: Size, numbers: dict[str, int]) -> int:
    total = 0
    for monomial, factor in size.terms:
        for atom in monomial:
            factor *= of(atom, numbers)
        total += factor
    return total


def of(atom: Atom, numbers: dict[str, int]) -> int:
    match atom.key:
        case ("size", str(name)):
            return numbers[name]
        case ("Cdiv", Size() as one, Size() as two):
            return -(-calculated(one, numbers) // calculated(two, numbers))
        case ("Min", Size() as one, Size() as two):
            return min(calculated(one, numbers), calculated(two, numbers))
        case ("Max", Size() as one, Size() as two):
            return max(calculated(one, numbers), calculated(two, numbers))
        case ("PowerOf2", Size() as one):
            value = calculated(one, numbers)
            return next(power for power in (0, *(1 << bit for bit in range(9))) if power >= value)
    raise AssertionError(atom.key)


def some(chance: random.Random) -> Size:
    return chance.choice((as_size(0), N, M, K, N - M, N + M)) + chance.randint(-3, 3)


def numbers(chance: random.Random) -> dict[str, int]:
    return {"n": chance.randint(0, 4), "m": chance.randint(0, 4), "k": chance.randint(-4, 4)}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_certain_of_sizes(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(DRAWN):
        one, two = some(chance), some(chance)
        made = chance.choice((minimum, maximum))(one, two)
        if chance.random() < 0.3:
            made = next_power_of_2(one)
        elif chance.random() < 0.3:
            one, two = chance.choice((one, as_size(chance.randint(-5, 9)))), as_size(chance.randint(1, 4))
            made = cdiv(one, two)
        value = made * chance.choice((1, 2)) - (some(chance) if chance.random() < 0.5 else 0)
        for _ in range(6):
            given = numbers(chance)
            assert not value.natural or calculated(value, given) >= 0, (value, given)
            assert not at_most(one, two) or calculated(one, given) <= calculated(two, given), (one, two, given)
            assert calculated(one * two - one + 3, given) == calculated(one, given) * (calculated(two, given) - 1) + 3


def test_numbers_that_are_known() -> None:
    for value, by in itertools.product(range(-6, 12), range(1, 5)):
        assert cdiv(as_size(value), as_size(by)).constant == (value + by - 1) // by
    assert [next_power_of_2(as_size(value)).constant for value in range(1, 10)] == [1, 2, 4, 4, 8, 8, 8, 8, 16]
    assert not minimum(N, K).natural and not minimum(K, N).natural and minimum(N, M).natural
    assert maximum(N, K).natural and maximum(K, N).natural and not maximum(K, K).natural
    assert of(next(iter(minimum(N, M).atoms)), {"n": 1, "m": 2}) == 1
    assert not cdiv(K, N).natural and not cdiv(N, K).natural


# --- regions


def axis(chance: random.Random) -> Axis:
    match chance.randrange(10):
        case 0:
            return Somewhere()
        case 1 | 2:
            step = chance.choice((2, 2, 3))
            return Comb(step, frozenset(chance.sample(range(step), chance.randint(1, step))))
        case 3:
            return FULL
    return Run(some(chance), None if chance.random() < 0.4 else some(chance))


def box(chance: random.Random) -> Box:
    found = ALL
    for dimension in chance.choice(((0,), (0,), (0, 1), (-1,), (0, -1), (1,))):
        found = found.along(dimension, axis(chance))
    return found


def indices(axis: Axis, extent: int, given: dict[str, int], sure: bool) -> set[int]:
    match axis:
        case Run(low, high):
            return set(range(extent)[calculated(low, given) : None if high is None else calculated(high, given)])
        case Comb(step, rests):
            return {index for index in range(extent) if index % step in rests}
    return set() if sure else set(range(extent))


def elements(box: Box, extents: Place, given: dict[str, int], sure: bool = False) -> set[Place]:
    """`sure`: what certainly belongs to it; otherwise what may."""
    found = set(itertools.product(*map(range, extents)))
    for dimension, axis in box.axes:
        chosen = indices(axis, extents[dimension], given, sure)
        found = {place for place in found if place[dimension] in chosen}
    return found


def together(left: tuple[Box, ...], extents: Place, given: dict[str, int]) -> set[Place]:
    return {place for one in left for place in elements(one, extents, given)}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_certain_of_regions(seed: int) -> None:
    chance = random.Random(seed)
    answers = [0, 0]
    for _ in range(DRAWN):
        one, two, three = box(chance), box(chance), box(chance)
        left = minus(minus((one,), two), three)
        answers[0] += apart(one, two)
        answers[1] += inside(one, two)
        for _ in range(6):
            given, extents = numbers(chance), (chance.randint(0, 5), chance.randint(1, 4))
            here, said = elements(one, extents, given), (one, two, three, given, extents)
            assert not apart(one, two) or not here & elements(two, extents, given), said
            assert not inside(one, two) or here <= elements(two, extents, given, sure=True), said
            rest = here - elements(two, extents, given, sure=True) - elements(three, extents, given, sure=True)
            assert rest <= together(left, extents, given), said
    assert min(answers) > DRAWN // 100


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_forgotten(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(DRAWN):
        one, gone = box(chance), chance.choice(NAMES)
        wider = forget((one,), frozenset({ATOMS[gone]}))
        assert all(ATOMS[gone] not in part.atoms for part in wider)
        given, extents = numbers(chance), (chance.randint(0, 5), chance.randint(1, 4))
        assert elements(one, extents, given) <= together(wider, extents, given), (one, gone, given, extents)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_put_in_the_place_of_a_name(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(DRAWN):
        one, new = box(chance), chance.choice((N, M, K, as_size(3), N + 1))
        given, extents = numbers(chance), (chance.randint(0, 5), chance.randint(1, 4))
        after = {**given, "k": calculated(new, given)}
        moved = one.replace(lambda atom, new=new: new if atom == ATOMS["k"] else None)
        assert elements(moved, extents, given) == elements(one, extents, after), (one, new, given)


def test_parts_that_are_not_known() -> None:
    assert not inside(SOME, SOME) and not apart(SOME, SOME) and minus((SOME,), SOME) == (SOME,)
    assert inside(SOME, ALL) and not inside(ALL, SOME)
    evens, thirds = (Box(((0, Comb(step, frozenset({0}))),)) for step in (2, 3))
    odd = Box(((0, Comb(2, frozenset({1}))),))
    assert apart(evens, odd) and not apart(odd, thirds) and not inside(evens, thirds)
    assert minus((ALL,), evens) == (odd,) and minus((odd,), evens) == (odd,) and minus((evens,), evens) == ()
    assert minus(minus((ALL,), evens), odd) == ()
