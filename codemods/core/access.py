"""What one program of a kernel stores and loads, in order, as polynomials: the form in which a launch is proved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from codemods.core.condition import TRUE, Condition
from codemods.core.poly import Atom, Poly


@dataclass(frozen=True, slots=True)
class Turns:
    """A loop around an access: `turn` counts from 0 while `low + step * turn` is below `high`.

    `total`: the loop runs to its end, which `break`, `while` and `return` may prevent.
    """

    turn: Atom
    low: Poly
    high: Poly
    step: Poly
    total: bool = True


@dataclass(frozen=True, slots=True)
class Access:
    """`bases`: the parameters it may go through; None is any memory at all. `offset`: in elements from there.

    `test`: which programs, turns and lanes do it. A lane is an atom of kind "lane" in the offset or in the test, and
    runs from 0 to its length. `value`: of a store, what it writes, where that is a number.
    """

    kind: Literal["load", "store", "atomic"]
    bases: frozenset[str] | None
    offset: Poly | None
    test: Condition = TRUE
    loops: tuple[Turns, ...] = ()
    line: int = 0
    text: str = ""  # as the source writes it
    value: Poly | None = None
    result: Atom | None = None  # of a load: the unknown that it gives
    order: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """All accesses of a kernel in a launch. `positive`: atoms that are >= 1 in every launch that compiles.

    `unseen`: what the kernel does that is not understood, with its line; then it may do anything.
    """

    accesses: tuple[Access, ...] = ()
    grid: tuple[Poly, ...] = ()
    positive: frozenset[Atom] = field(default_factory=frozenset)
    unseen: str = ""
    assumes: tuple[str, ...] = ()
