"""Stores drawn at random: what a launch is said to write it writes, and no more where that is said."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from numbers_of import all_numbers, calculated, elements, programs, size, text
from test_cover_drawn import CHOICES, B, N, broken, shape, stores

from codemods.core.access import Access, Trace
from codemods.core.poly import ONE, ZERO, Poly, named, poly
from codemods.core.region import Run
from codemods.core.size import Size
from codemods.cover import effect
from codemods.cover.bounds import Facts
from codemods.cover.boxes import Interval, Shape

SEEDS = range(8)
PROGRAMS = 60


def written(found: effect.Effect, tensor: Shape) -> str:
    """The addresses that are surely written, as Python text."""
    if found.writes is None:
        return "set()"
    parts: list[Interval] = []
    for dimension, extent in enumerate(tensor.extents):
        axis = found.writes.axis(dimension)
        assert isinstance(axis, Run)
        parts.append((back(axis.low), extent if axis.high is None else back(axis.high)))
    return elements(tuple(parts), tensor.extents, tensor.strides)


def back(value: Size) -> Poly:
    total = ZERO
    for monomial, factor in value.terms:
        product = poly(factor)
        for atom in monomial:
            product = product * named(atom.name, atom.natural)
        total = total + product
    return total


def within(chance: random.Random, small: Shape) -> tuple[list[Access], Shape, tuple[Poly, ...]]:
    """Stores into a part of a tensor: something is left in front of it, or behind."""
    at = chance.randrange(len(small.extents))
    before, behind = (chance.choice((ZERO, ONE, N, poly(2))) for _ in range(2))
    extents = list(small.extents)
    extents[at] = extents[at] + before + behind
    strides, step = [], ONE
    for extent in reversed(extents):
        strides.append(step)
        step = step * extent
    strides.reverse()
    kernel, grid = stores(chance, replace(small, strides=tuple(strides)))
    moved = [replace(store, offset=(store.offset or ZERO) + before * strides[at]) for store in kernel]
    facts = Facts(frozenset(B.atoms)).knowing(*extents)
    return moved, Shape(tuple(extents), tuple(strides), facts), grid


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_said_to_be_written_is(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the second look, which would find most of what is wrong, too."""
    monkeypatch.setattr(effect, "missed", lambda *_: None)
    chance = random.Random(seed)
    less = alone = 0
    for number in range(PROGRAMS):
        tensor = shape(chance)
        if chance.random() < 0.5:
            kernel, tensor, grid = within(chance, tensor)
        else:
            kernel, grid = stores(chance, tensor)
        for _ in range(number % 3):
            kernel, tensor, grid = broken(chance, kernel, tensor, grid)
        flat = tensor.dense and chance.random() < 0.3
        known = (None, None, size, tensor.count) if flat else (tensor.extents, tensor.strides, size)
        trace = Trace(tuple(kernel), grid, frozenset(B.atoms))
        found = effect.effect(trace, effect.Memory("out", *known), "k", "a.py", 1)
        if found.writes is None and found.touches:
            continue
        less += bool(found.writes and found.writes.axes)
        alone += not found.touches
        whole = elements(tuple((ZERO, extent) for extent in tensor.extents), tensor.extents, tensor.strides)
        facts = " and ".join(f"{text(extent - 1)} >= 0" for extent in tensor.extents)
        asked = f"({whole}, {written(found, tensor)}, {programs(kernel, grid)}) if {facts} else None"
        question = compile(asked, "launch", "eval")
        for numbers in all_numbers(chance, CHOICES, 24):
            try:
                answer = calculated(question, numbers)
            except ZeroDivisionError:
                continue
            if answer is None:
                continue
            every, said, done = answer
            assert said <= done, (numbers, found, kernel, tensor, grid)
            assert found.touches or done & every <= said, (numbers, found, kernel, tensor, grid)
    assert alone and less, (alone, less)
