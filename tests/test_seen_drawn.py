"""Loads and stores drawn at random: what a program looks at before it has stored there is what is said to be seen."""

from __future__ import annotations

import random
from dataclasses import replace
from types import CodeType

import pytest
from numbers_of import Numbers, all_numbers, calculated, lanes, name, size, text
from numbers_of import holds as held

from codemods.core.access import Access, Turns
from codemods.core.condition import TRUE, Blind, Condition, Flag, at_least, below, both, either, negated
from codemods.core.poly import ONE, ZERO, Atom, named, poly
from codemods.core.region import Box, Run
from codemods.core.size import Size
from codemods.cover.bounds import Facts
from codemods.cover.boxes import Shape
from codemods.cover.seen import seen

N, M = named("n", natural=True), named("m", natural=True)
PID = poly(Atom("pid", (0,), True))
LANE = poly(Atom("lane", (1, poly(2)), True))
OUT = frozenset({"out"})
SOME = (0, 1, 2, 3)
CHOICES = {"n": SOME, "m": SOME, "pid_0_": (0, 1)} | dict.fromkeys(("f", "end", "which", "twist"), (0, 1))
CHOICES |= dict.fromkeys(("hidden_1", "hidden_2"), (0, 1))
DRAWN = 400


def drawn(chance: random.Random) -> list[Access]:
    """A kernel: a few accesses, some of them in a loop, and some much like others."""
    turn = Atom("turn", (0,), True)
    turns = Turns(turn, chance.choice((ZERO, ZERO, ONE)), chance.choice((N, M, poly(2))), ONE, chance.random() < 0.8)
    inside = sorted(chance.sample(range(5), 2)) if chance.random() < 0.7 else [0, 0]
    found: list[Access] = []
    for order in range(4):
        looped = inside[0] <= order < inside[1]
        places = [ZERO, ONE, PID, PID + 1, LANE, PID * 2 + LANE, N, PID + LANE * 2]
        if looped:
            places += [poly(turn), poly(turn) + 1, poly(turn) - 1, poly(turn) + PID, poly(turn) * 2] * 2
        tests: list[Condition] = [TRUE, TRUE, TRUE, below(PID, N), Flag("f"), below(LANE, N)]
        tests += [Blind("hidden", 1), Blind("hidden", 2), either(Blind("hidden", 1), Flag("f"))]
        tests += [at_least(poly(turn) - 1), below(poly(turn), M)] * 2 if looped else []
        offset = None if chance.random() < 0.1 else chance.choice(places)
        bases = chance.choice((OUT, frozenset({"out", "x"}), None)) if offset is None else OUT
        kind = chance.choice(("load", "load", "store", "store", "atomic"))
        test = both(chance.choice(tests), chance.choice((TRUE, chance.choice(tests))))
        access = Access(kind, bases, offset, test, (turns,) if looped else (), order, str(order), order=order)  # type: ignore[arg-type]
        if found and chance.random() < 0.7:  # the same place once more
            before = chance.choice(found)
            if looped or not before.loops:
                moved = before.offset
                if moved is not None and before.loops and chance.random() < 0.5:
                    moved = moved - 1
                access = replace(access, offset=moved, bases=before.bases)
                if chance.random() < 0.6:
                    kept = before.test
                    access = replace(access, test=chance.choice((kept, both(kept, Flag("f")), negated(kept))))
        found.append(access)
    return found


def question(access: Access) -> CodeType:
    """The addresses of one access, when control passes it. An address that is not known is -1."""
    offset = "-1" if access.offset is None else text(access.offset)
    return compile(f"{{{offset} {lanes(access) or 'for _ in (0,)'} if {held(access.test)}}}", "access", "eval")


def simulated(accesses: list[Access], numbers: Numbers, extent: int) -> set[int]:
    """What one program looks at in `out` that it has not stored before."""
    mine: set[int] = set()
    found: set[int] = set()
    done: set[int] = set()
    asked = [question(access) for access in accesses]

    def once(at: int, here: Numbers) -> None:
        access = accesses[at]
        other = (here.get("step", 0) ^ at & here["twist"]) & 1  # in another turn, and at another place
        hidden = {key: value ^ other for key, value in here.items() if key.startswith("hidden")}
        places = calculated(asked[at], here | hidden)
        elsewhere = access.bases is None or len(access.bases) > 1 and bool(here["which"] ^ at & 1)
        if access.kind == "store":
            mine.update(() if elsewhere or access.offset is None else places)
        elif access.offset is None or access.bases is None:
            found.update(set(range(extent)) - mine if places else ())
        elif not elsewhere:
            found.update(places - mine)
            mine.update(places if access.kind == "atomic" else ())

    for at, access in enumerate(accesses):
        if not access.loops:
            once(at, numbers)
        elif at not in done:
            (turns,) = access.loops
            many = [other for other, one in enumerate(accesses) if one.loops]
            done.update(many)
            low, high = calculated(text(turns.low), numbers), calculated(text(turns.high), numbers)
            for turn in range(max(high - low, 0)):
                for other in many:
                    if not turns.total and turn == 1 and numbers["end"]:
                        break
                    once(other, numbers | {name(turns.turn): turn, "step": turn})
    return {place for place in found if 0 <= place < extent}


def elements(box: Box | None, numbers: Numbers, extent: int) -> set[int]:
    if box is None:
        return set()
    axis = box.axis(0)
    assert isinstance(axis, Run) and axis.high is not None or not box.axes
    if not box.axes:
        return set(range(extent))
    assert isinstance(axis, Run) and axis.high is not None
    return set(range(extent)[of(axis.low, numbers) : of(axis.high, numbers)])


def of(value: Size, numbers: Numbers) -> int:
    total = 0
    for monomial, factor in value.terms:
        for atom in monomial:
            factor *= numbers[atom.name]
        total += factor
    return total


@pytest.mark.parametrize("seed", range(8))
def test_what_is_looked_at_is_said_to_be(seed: int) -> None:
    chance = random.Random(seed)
    less = 0
    for _ in range(DRAWN):
        accesses = drawn(chance)
        shape = Shape((N + 4,), (ONE,), Facts().knowing(N + 4))
        box, _ = seen(accesses, shape, size)
        if box is not None and not box.axes:
            continue
        less += any(access.kind == "load" for access in accesses)
        for numbers in all_numbers(chance, CHOICES, 24):
            extent = numbers["n"] + 4
            wrong = simulated(accesses, numbers, extent) - elements(box, numbers, extent)
            assert not wrong, f"{wrong} with {numbers}: {box} {accesses}"
    assert less > DRAWN // 20
