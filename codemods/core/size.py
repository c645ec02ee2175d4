"""Sizes: integer polynomials over named unknowns, so that `n * 2 + 1` equals `1 + 2 * n`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Atom:
    """An integer whose value is not known. Two atoms with one key have one value, under whatever name."""

    name: str = field(compare=False)  # how it is written in the source
    key: Hashable
    natural: bool = False  # certainly >= 0, as every extent of a tensor is


Monomial = tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """A sum of coefficient * product of atoms, in a canonical order: equal values compare equal."""

    terms: tuple[tuple[Monomial, int], ...]

    def __add__(self, other: Size | int) -> Size:
        return _collect((*self.terms, *as_size(other).terms))

    def __neg__(self) -> Size:
        return Size(tuple((monomial, -factor) for monomial, factor in self.terms))

    def __sub__(self, other: Size | int) -> Size:
        return self + -as_size(other)

    def __mul__(self, other: Size | int) -> Size:
        return _collect(
            (tuple(sorted(left + right, key=_order)), a * b)
            for left, a in self.terms
            for right, b in as_size(other).terms
        )

    @property
    def constant(self) -> int | None:
        """The value, where it is a known number."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @property
    def atoms(self) -> frozenset[Atom]:
        return frozenset(atom for monomial, _ in self.terms for atom in monomial)

    @property
    def natural(self) -> bool:
        """Certainly >= 0."""
        return all(factor >= 0 and all(atom.natural for atom in monomial) for monomial, factor in self.terms)

    def replace(self, value: Callable[[Atom], Size | None]) -> Size:
        """The same polynomial with some atoms exchanged for sizes."""
        total = ZERO
        for monomial, factor in self.terms:
            product = as_size(factor)
            for atom in monomial:
                product = product * (value(atom) or variable(atom))
            total = total + product
        return total

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        parts = [_term(monomial, factor) for monomial, factor in sorted(self.terms, key=lambda term: not term[0])]
        return " + ".join(parts).replace("+ -", "- ")


def _order(atom: Atom) -> str:
    return repr(atom.key)


def _collect(terms: Iterable[tuple[Monomial, int]]) -> Size:
    total: dict[Monomial, int] = {}
    for monomial, factor in terms:
        total[monomial] = total.get(monomial, 0) + factor
    kept = [(monomial, factor) for monomial, factor in total.items() if factor]
    return Size(tuple(sorted(kept, key=lambda term: [_order(atom) for atom in term[0]])))


def _term(monomial: Monomial, factor: int) -> str:
    names = "*".join(f"({atom.name})" if " " in atom.name else atom.name for atom in monomial)
    if not names:
        return str(factor)
    return names if factor == 1 else f"-{names}" if factor == -1 else f"{factor}*{names}"


def as_size(value: Size | int) -> Size:
    return value if isinstance(value, Size) else Size((((), int(value)),) if value else ())


def variable(atom: Atom) -> Size:
    return Size((((atom,), 1),))


MOST = 100
ZERO = as_size(0)
ONE = as_size(1)


def large(part: object, most: int = MOST) -> bool:
    """It is made of more numbers and names than anybody wants to compare."""
    return _weight(part, most) >= most


def _weight(part: object, most: int) -> int:
    match part:
        case Size(terms):
            parts: Iterable[object] = (atom.key for monomial, _ in terms for atom in monomial)
        case Atom(key=key):
            parts = (key,)
        case tuple():
            parts = part
        case _:
            return 1
    total = 1
    for inner in parts:
        if total >= most:
            break
        total += _weight(inner, most - total)
    return total


def at_most(small: Size, large: Size) -> bool:
    """Certainly small <= large."""
    return small == large or (large - small).natural


def alone(size: Size) -> Atom | None:
    """The atom that a size is, if it is one."""
    if len(size.terms) == 1 and size.terms[0][1] == 1 and len(size.terms[0][0]) == 1:
        return size.terms[0][0][0]
    return None
