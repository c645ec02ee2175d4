"""Is a polynomial certainly >= 0? A short list of lemmas, each applied to one atom at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from codemods.core.poly import ZERO, Atom, Poly, poly, quotient

DEPTH = 7


@dataclass(frozen=True, slots=True)
class Facts:
    """`positive`: atoms that are >= 1. `least`: polynomials that are >= 0."""

    positive: frozenset[Atom] = field(default_factory=frozenset)
    least: tuple[Poly, ...] = ()

    def natural(self, value: Poly) -> bool:
        """Certainly value >= 0."""
        return _natural(value, self, 0)

    def at_least_one(self, value: Poly) -> bool:
        return _natural(value - 1, self, 0)

    def knowing(self, *extents: Poly) -> Facts:
        """With extents that are >= 1: so are the natural factors of a product."""
        positive, least = set(self.positive), list(self.least)
        for extent in extents:
            least.append(extent - 1)
            for monomial in extent.terms if len(extent.terms) == 1 else ():
                if extent.natural:
                    positive.update(monomial)
        return Facts(frozenset(positive), tuple(least))


def _natural(value: Poly, facts: Facts, depth: int) -> bool:
    if value.natural:
        return True
    if all(factor < 0 for factor in value.terms.values()) and value.terms.get((), 0) < 0 and (-value).natural:
        return False
    if _surface(value, lambda atom: _lifted(atom, facts)).natural:
        return True
    if depth >= DEPTH:
        return False
    if any(_natural(other, facts, depth + 1) for other in _weaker(value, facts)):
        return True
    for every, alternatives in _cases(value):
        found = (_natural(other, facts, depth + 1) for other in alternatives)
        if all(found) if every else any(found):
            return True
    return depth < 2 and any(_natural(value - fact, facts, depth + 1) for fact in facts.least if _related(fact, value))


def _surface(value: Poly, new: Callable[[Atom], Poly]) -> Poly:
    total = ZERO
    for monomial, factor in value.terms.items():
        product = poly(factor)
        for atom in monomial:
            product = product * new(atom)
        total = total + product
    return total


def _lifted(atom: Atom, facts: Facts) -> Poly:
    """An atom that is >= 1, as 1 + something that is >= 0."""
    if atom in facts.positive or (atom.kind in ("cdiv", "pow2") and atom.natural and _positive(atom.parts[0], facts)):
        return poly(Atom("slack", (atom.text,), True)) + 1
    return poly(atom)


def _positive(value: object, facts: Facts) -> bool:
    assert isinstance(value, Poly)
    return (
        _surface(value, lambda atom: _lifted(atom, facts)).terms.get((), 0) >= 1
        and (_surface(value, lambda atom: _lifted(atom, facts)).natural)
        or any((value - 1 - fact).natural for fact in facts.least)
    )


def _related(fact: Poly, value: Poly) -> bool:
    return bool(fact.atoms & value.atoms)


def _weaker(value: Poly, facts: Facts) -> Iterator[Poly]:
    """Polynomials that are certainly not larger."""
    for monomial, factor in value.terms.items():
        for index, atom in enumerate(monomial):
            if atom.kind not in ("cdiv", "div", "mod", "pow2"):
                continue
            times = Poly({monomial[:index] + monomial[index + 1 :]: factor})
            rest = value - Poly({monomial: factor})
            yield from (rest + least for least in _least(atom, times, facts))


def _least(atom: Atom, times: Poly, facts: Facts) -> Iterator[Poly]:
    """What `times * atom` is certainly not below."""
    slack = poly(Atom("slack", (atom.text,), True))
    over = atom.parts[0]
    assert isinstance(over, Poly)
    if atom.kind == "pow2":
        if _signed(times, facts) > 0:
            yield times * (over + slack)
        return
    by = atom.parts[1]
    assert isinstance(by, Poly)
    if not by.natural and not _positive(by, facts):
        return
    if atom.kind == "mod":
        if _signed(times, facts) < 0:
            yield times * (by - 1)
        return
    share = quotient(times, by)
    if share is None or not (sign := _signed(share, facts)):
        return
    if atom.kind == "cdiv":  # value <= cdiv(value, by) * by <= value + by - 1
        yield share * (over + slack) if sign > 0 else share * (over + by - 1)
    else:  # value - by + 1 <= value // by * by <= value
        yield share * (over - by + 1 + slack) if sign > 0 else share * over


def _signed(value: Poly, facts: Facts) -> int:
    """1 where it is certainly >= 0, -1 where it is certainly <= 0, else 0."""
    if value.natural:
        return 1
    return -1 if (-value).natural else 0


def _cases(value: Poly) -> Iterator[tuple[bool, list[Poly]]]:
    for monomial, factor in value.terms.items():
        for index, atom in enumerate(monomial):
            if atom.kind not in ("min", "max"):
                continue
            times = Poly({monomial[:index] + monomial[index + 1 :]: factor})
            if not times.natural and not (-times).natural:
                continue
            rest = value - Poly({monomial: factor})
            every = (atom.kind == "min") == times.natural
            yield every, [rest + times * part for part in atom.parts if isinstance(part, Poly)]
