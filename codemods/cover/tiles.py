"""The addresses that one store surely reaches: a start and digits, each of which runs from 0 on its own.

The programs, turns and lanes of a store are unknowns with extents. Lemmas exchange them for others until the address
is a sum of coefficient * unknown and no condition is left. Each step keeps a part of what is reached, or all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codemods.core.access import Access
from codemods.core.condition import AtLeast, Condition, blind, conjuncts
from codemods.core.poly import ONE, ZERO, Atom, Poly, cdiv, coefficient, deep, div, mod, poly, quotient
from codemods.cover.bounds import Facts
from codemods.cover.space import Open, Space, free
from codemods.cover.swizzle import swizzled

STEPS = 60


@dataclass(frozen=True, slots=True)
class Digit:
    factor: Poly
    extent: Poly


@dataclass(frozen=True, slots=True)
class Reach:
    """start + sum of factor * i for all i from 0 up to the extent of each digit."""

    start: Poly
    digits: tuple[Digit, ...]


def reach(store: Access, test: Condition, offset: Poly, grid: tuple[Poly, ...], facts: Facts) -> Reach:
    """What a store surely reaches; the test is a conjunction."""
    space = spread(store, test, offset, grid, facts)
    for _ in range(STEPS):
        if not any(lemma(space) for lemma in LEMMAS):
            break
    if space.tests:
        raise Open(f"the mask or guard `{space.tests[0]} >= 0` is not understood")
    digits, start = [], space.address
    for atom in sorted(free(space.address)):
        factor, extent = coefficient(space.address, atom), space.extents.get(atom)
        if factor is None or extent is None:
            raise Open(f"the address {space.address} is not understood")
        digits.append(Digit(factor, extent))
        start = start - factor * poly(atom)
    return Reach(start, tuple(digits))


def spread(store: Access, test: Condition, offset: Poly, grid: tuple[Poly, ...], facts: Facts) -> Space:
    """The unknowns of a store with their extents and conditions."""
    tests = []
    for part in conjuncts(test):
        if unknown := blind(part):
            raise Open(f"{unknown.why} decides")
        if not isinstance(part, AtLeast):
            raise Open("the guard is not understood")
        tests.append(part.value)
    extents: dict[Atom, Poly | None] = {}
    for turns in store.loops:
        if not turns.total:
            raise Open("it is in a loop that may end early")
        extents[turns.turn] = None
        tests.append(turns.high - 1 - turns.low - turns.step * poly(turns.turn))
    axes: dict[object, Poly] = {}
    for atom in sorted({atom for value in (offset, *tests) for atom in free(value)}):
        if atom.kind == "lane":
            axis, length = atom.parts
            assert isinstance(length, Poly)
            if free(length):
                raise Open("the length of a tensor is not fixed")
            if axes.setdefault(axis, length) != length:
                raise Open("tensors of different lengths")
            extents[atom] = length
        elif atom.kind == "pid":
            extents[atom] = grid[int(str(atom.parts[0]))]
        elif atom not in extents:
            raise Open("a number of a loop that is over")
    for axis in range(3):  # a program along an axis that nothing depends on must still be there
        extents.setdefault(Atom("pid", (axis,), True), grid[axis])
    for value in (offset, *tests):
        for atom in sorted(deep(value)):
            if atom.kind == "blind":
                raise Open(f"{atom.parts[1]} decides")
    return Space(offset, tests, extents, facts)


# --- lemmas: each makes one step and says whether it did


def certain(space: Space) -> bool:
    """A condition that always holds goes; one on the launch alone must hold."""
    for test in space.tests:
        if space.facts.natural(test):
            space.tests.remove(test)
            return True
        if not free(test):
            raise Open(f"it is not known that {test} >= 0")
    return False


def idle(space: Space) -> bool:
    """An unknown that decides nothing: one value is enough, so there must be one."""
    used = {atom for value in space.everything() for atom in free(value)}
    for atom, extent in list(space.extents.items()):
        if atom not in used:
            if extent is not None and not space.facts.at_least_one(extent):
                raise Open(f"it is not known that {extent} >= 1")
            del space.extents[atom]
            return True
        if extent == ONE:
            space.exchange(lambda other, atom=atom: ZERO if other == atom else None)  # type: ignore[misc]
            return True
    return False


def lowest(space: Space) -> bool:
    """An unknown that the address has not, and that every condition wants small: 0 is the best choice."""
    reached = free(space.address)
    for atom, extent in space.extents.items():
        if atom in reached:
            continue
        factors = [coefficient(test, atom) for test in space.tests if atom in free(test)]
        small = factors and all(factor is not None and (-factor).natural for factor in factors)
        if small and (extent is None or space.facts.at_least_one(extent)):
            space.exchange(lambda other, atom=atom: ZERO if other == atom else None)  # type: ignore[misc]
            space.extents[atom] = ONE
            return True
    return False


def fixed(space: Space) -> bool:
    """p >= 0 and -p >= 0: one unknown has one value."""
    for test in space.tests:
        if -test not in space.tests:
            continue
        for atom in sorted(free(test)):
            factor = coefficient(test, atom)
            if factor is None or factor.constant not in (1, -1):
                continue
            value = (test - factor * poly(atom)) * -(factor.constant or 0)
            if atom in free(value):
                continue
            extent = space.extents.pop(atom)
            space.tests = [other for other in space.tests if other not in (test, -test)]
            space.tests.append(value)
            if extent is not None:
                space.tests.append(extent - 1 - value)
            space.exchange(lambda other, atom=atom, value=value: value if other == atom else None)  # type: ignore[misc]
            return True
    return False


def trimmed(space: Space) -> bool:
    """atom < U: the extent is U where it was at least that."""
    for test in space.tests:
        (atom, *more) = free(test) or (None,)
        if atom is None or more:
            continue
        factor = coefficient(test, atom)
        if factor is None or factor.constant != -1:
            continue
        upper, extent = test + poly(atom) + 1, space.extents[atom]
        if extent is None or space.facts.natural(extent - upper):
            space.extents[atom] = upper
        elif not space.facts.natural(upper - extent):
            continue
        space.tests.remove(test)
        return True
    return False


def rounded(space: Space) -> bool:
    """The machine's division rounds to 0: down, where nothing is negative."""
    for value in space.everything():
        for atom in sorted(deep(value)):
            if atom.kind not in ("trunc", "rem"):
                continue
            over, by = atom.parts
            assert isinstance(over, Poly) and isinstance(by, Poly)
            if space.facts.at_least_one(by) and space.facts.natural(over):
                new = (div if atom.kind == "trunc" else mod)(over, by)
                space.exchange(lambda other, atom=atom, new=new: new if other == atom else None)  # type: ignore[misc]
                return True
    return False


def raised(space: Space) -> bool:
    """atom >= L: count from L."""
    for test in space.tests:
        (atom, *more) = free(test) or (None,)
        if atom is None or more:
            continue
        factor = coefficient(test, atom)
        extent = space.extents[atom]
        if factor is None or factor.constant != 1 or extent is None:
            continue
        low = poly(atom) - test
        if space.facts.natural(low):
            del space.extents[atom]
            space.tests.remove(test)
            moved = space.fresh(extent - low) + low
            space.exchange(lambda other, atom=atom, moved=moved: moved if other == atom else None)  # type: ignore[misc]
            return True
    return False


def implied(space: Space) -> bool:
    """A condition that holds even where its unknowns make it smallest."""
    for test in space.tests:
        smallest = test
        for atom in sorted(free(test)):
            factor, extent = coefficient(smallest, atom), space.extents[atom]
            if factor is None or extent is None and not factor.natural:
                break
            if factor.natural:
                smallest = smallest - factor * poly(atom)
            elif (-factor).natural and extent is not None:
                smallest = smallest - factor * poly(atom) + factor * (extent - 1)
            else:
                break
        else:
            if space.facts.natural(smallest):
                space.tests.remove(test)
                return True
    return False


def bounded(space: Space) -> bool:
    """A lower or an upper bound of two numbers is two conditions."""
    for index, test in enumerate(space.tests):
        for monomial, factor in test.terms.items():
            for place, atom in enumerate(monomial):
                if atom.kind not in ("min", "max") or not free(poly(atom)):
                    continue
                times = Poly({monomial[:place] + monomial[place + 1 :]: factor})
                if (times if atom.kind == "min" else -times).natural:
                    rest = test - Poly({monomial: factor})
                    parts = [rest + times * part for part in atom.parts if isinstance(part, Poly)]
                    space.tests[index : index + 1] = parts
                    return True
    return False


def merged(space: Space) -> bool:
    """k*B*u + k*v with v < B is k*w with w < B * the extent of u."""
    for value in list(_sums(space)):
        found = sorted(free(value))
        factors = {atom: coefficient(value, atom) for atom in found}
        for lower in found:
            for upper in found:
                one, two = factors[upper], factors[lower]
                if upper != lower and one is not None and two is not None and _merge(space, upper, lower, one, two):
                    return True
    return False


def _sums(space: Space) -> Iterator[Poly]:
    """Where to look for digits of one number: the address, and what is divided."""
    yield space.address
    for value in space.everything():
        for atom in sorted(deep(value)):
            if atom.kind in ("div", "mod", "trunc", "rem") and isinstance(atom.parts[0], Poly):
                yield atom.parts[0]


def _merge(space: Space, upper: Atom, lower: Atom, one: Poly, two: Poly) -> bool:
    base, many = space.extents.get(lower), space.extents.get(upper)
    if base is None or upper not in space.extents or one != two * base or not space.facts.at_least_one(base):
        return False
    kept = space.state()
    del space.extents[lower], space.extents[upper]
    whole = space.fresh(None if many is None else many * base)
    tests = []
    for test in space.tests:
        if upper in free(test) and lower not in free(test):
            factor = coefficient(test, upper)
            share = None if factor is None or not (-factor).natural else quotient(-factor, base)
            if factor is None or share is None:
                space.restore(kept)
                return False
            test = test - factor * poly(upper) - share * whole  # w >= B * u: this asks for more
        tests.append(test)
    space.tests = tests
    space.exchange(lambda atom: whole - base * poly(upper) if atom == lower else None)
    if any(upper in free(value) for value in space.everything()):
        space.restore(kept)
        return False
    return True


def split(space: Space) -> bool:
    """v // B and v % B are numbers of their own: v = B*q + r with r < B."""
    for value in space.everything():
        for atom in sorted(deep(value)):
            if atom.kind not in ("div", "mod", "trunc", "rem"):
                continue
            over, by = atom.parts
            assert isinstance(over, Poly) and isinstance(by, Poly)
            (inner, *more) = over.atoms or (None,)
            if inner is None or more or over != poly(inner) or inner not in space.extents or free(by):
                continue
            if not space.facts.at_least_one(by):
                continue
            _split(space, inner, by)
            return True
    return False


def _split(space: Space, atom: Atom, by: Poly) -> None:
    extent = space.extents.pop(atom)
    even = None if extent is None else quotient(extent, by)
    many = None if extent is None else even if even is not None else cdiv(extent, by)
    high, low = space.fresh(many), space.fresh(by)
    over = poly(atom)

    def new(other: Atom) -> Poly | None:
        if other.kind in ("div", "trunc") and other.parts == (over, by):
            return high
        if other.kind in ("mod", "rem") and other.parts == (over, by):
            return low
        return high * by + low if other == atom else None

    space.exchange(new)
    if extent is not None and even is None:
        space.tests.append(extent - 1 - high * by - low)


LEMMAS = (certain, fixed, rounded, idle, bounded, trimmed, implied, raised, lowest, swizzled, split, merged)
