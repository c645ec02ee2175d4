"""The unknowns of a store while lemmas exchange them: an address, conditions, and how far each unknown runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codemods.core.poly import Atom, Poly, deep, poly, replace
from codemods.cover.bounds import Facts

FREE = frozenset({"pid", "lane", "turn", "var"})


class Open(Exception):
    """It is not known what the store reaches; says why."""


@dataclass(slots=True)
class Space:
    """`extents`: of each unknown; None where only the conditions bound it. `tests`: polynomials that are >= 0."""

    address: Poly
    tests: list[Poly]
    extents: dict[Atom, Poly | None]
    facts: Facts
    count: int = 0

    def fresh(self, extent: Poly | None) -> Poly:
        self.count += 1
        atom = Atom("var", (self.count,), True)
        self.extents[atom] = extent
        return poly(atom)

    def exchange(self, new: Callable[[Atom], Poly | None]) -> None:
        self.address = replace(self.address, new)
        self.tests = [replace(test, new) for test in self.tests]

    def everything(self) -> list[Poly]:
        return [self.address, *self.tests]

    def state(self) -> tuple[Poly, list[Poly], dict[Atom, Poly | None]]:
        return self.address, list(self.tests), dict(self.extents)

    def restore(self, state: tuple[Poly, list[Poly], dict[Atom, Poly | None]]) -> None:
        self.address, self.tests, self.extents = state


def free(value: Poly) -> set[Atom]:
    return {atom for atom in deep(value) if atom.kind in FREE}
