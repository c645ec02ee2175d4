"""Conditions on integers, in negation normal form: what has to hold for a program to reach a statement, or for a
lane of it to store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codemods.core.poly import Atom, Poly, poly


@dataclass(frozen=True, slots=True)
class AtLeast:
    """value >= 0"""

    value: Poly

    def mapped(self, new: Callable[[Poly], Poly]) -> Condition:
        """The same with every polynomial exchanged."""
        return at_least(new(self.value))

    def polys(self) -> tuple[Poly, ...]:
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Every:
    parts: tuple[Condition, ...] = ()

    def mapped(self, new: Callable[[Poly], Poly]) -> Condition:
        return both(*(part.mapped(new) for part in self.parts))

    def polys(self) -> tuple[Poly, ...]:
        return tuple(value for part in self.parts for value in part.polys())


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple[Condition, ...] = ()

    def mapped(self, new: Callable[[Poly], Poly]) -> Condition:
        return either(*(part.mapped(new) for part in self.parts))

    def polys(self) -> tuple[Poly, ...]:
        return tuple(value for part in self.parts for value in part.polys())


@dataclass(frozen=True, slots=True)
class Flag:
    """A fact about the arguments of the launch: the same for all programs, turns and lanes."""

    text: str
    holds: bool = True

    def mapped(self, new: Callable[[Poly], Poly]) -> Condition:
        return self

    def polys(self) -> tuple[Poly, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Blind:
    """It may hold or not. `why` says what it depends on, in words."""

    why: str
    line: int = 0

    def mapped(self, new: Callable[[Poly], Poly]) -> Condition:
        return self

    def polys(self) -> tuple[Poly, ...]:
        return ()


Condition = AtLeast | Every | Some | Flag | Blind
TRUE = Every()
FALSE = Some()


def at_least(value: Poly) -> Condition:
    """value >= 0"""
    if value.constant is not None:
        return TRUE if value.constant >= 0 else FALSE
    return AtLeast(value)


def below(one: Poly, two: Poly) -> Condition:
    return at_least(two - one - 1)


def equal(one: Poly, two: Poly) -> Condition:
    return both(at_least(one - two), at_least(two - one))


def both(*parts: Condition) -> Condition:
    flat: dict[Condition, None] = {}
    for part in parts:
        if part == FALSE:
            return FALSE
        flat.update(dict.fromkeys(part.parts if isinstance(part, Every) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Every(tuple(flat))


def either(*parts: Condition) -> Condition:
    flat: dict[Condition, None] = {}
    for part in parts:
        if part == TRUE:
            return TRUE
        flat.update(dict.fromkeys(part.parts if isinstance(part, Some) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Some(tuple(flat))


def negated(condition: Condition) -> Condition:
    match condition:
        case AtLeast(value):
            return at_least(-value - 1)
        case Every(parts):
            return either(*(negated(part) for part in parts))
        case Some(parts):
            return both(*(negated(part) for part in parts))
        case Flag(text, holds):
            return Flag(text, not holds)
    return condition


def conjuncts(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, Every) else (condition,)


def blind(condition: Condition) -> Blind | None:
    """The first part of it that cannot be seen."""
    match condition:
        case Blind():
            return condition
        case Every(parts) | Some(parts):
            return next(filter(None, map(blind, parts)), None)
    return None


def pick(test: Condition, then: Poly, other: Poly) -> Poly:
    """`then` where the test holds, and else the other."""
    if test == TRUE or then == other:
        return then
    if test == FALSE:
        return other
    shared = Poly({monomial: factor for monomial, factor in then.terms.items() if other.terms.get(monomial) == factor})
    one, two = then - shared, other - shared
    return shared + poly(Atom("pick", (test, one, two), one.natural and two.natural))
