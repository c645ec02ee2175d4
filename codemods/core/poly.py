"""Integer polynomials over named unknowns, some of which are themselves made of polynomials.

`Size` is for extents that a host function can name. A kernel needs more: `pid // cdiv(n, B)` is an unknown with a
structure, and a proof has to look into it. Everything here is exact: `//` and `%` are Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Atom:
    """An unknown integer. `kind` says what it is, `parts` what it is made of; equal descriptions are one unknown.

    size  a number of the host             pid    the place of a program along an axis of the grid
    lane  a place in a block               turn   how often a loop came round before
    div, mod, cdiv, min, max, pow2         of polynomials; pow2 is the least power of two that is not smaller
    cdiv(a, b) is (a + b - 1) // b; trunc, rem: `//` and `%` of the machine, which round to 0
    pick  one of two, as a condition says  blind  anything: (number, why, line)
    slack, var                             unknowns of a proof
    """

    __slots__ = ("_inside", "kind", "natural", "parts", "text")

    def __init__(self, kind: str, parts: tuple[object, ...], natural: bool, text: str = "") -> None:
        self.kind, self.parts, self.natural = kind, parts, natural
        self._inside: frozenset[Atom] | None = None
        self.text = text or f"{kind}({', '.join(map(str, parts))})"

    @property
    def inside(self) -> frozenset[Atom]:
        """The atom itself and all that it is made of."""
        if self._inside is None:
            found = {self}
            for part in self.parts:
                if not isinstance(part, str | int):
                    polys = (part,) if isinstance(part, Poly) else part.polys()  # type: ignore[attr-defined]
                    found.update(atom for value in polys for atom in deep(value))
            self._inside = frozenset(found)
        return self._inside

    def __eq__(self, other: object) -> bool:
        return self is other or isinstance(other, Atom) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: Atom) -> bool:
        return self.text < other.text

    def __repr__(self) -> str:
        return self.text


Monomial = tuple[Atom, ...]


class Poly:
    """A sum of integer * product of atoms. Immutable; equal values compare equal."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: dict[Monomial, int]) -> None:
        self.terms = terms
        self._hash: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __add__(self, other: Poly | int) -> Poly:
        total = dict(self.terms)
        for monomial, factor in poly(other).terms.items():
            new = total.get(monomial, 0) + factor
            if new:
                total[monomial] = new
            else:
                total.pop(monomial, None)
        return Poly(total)

    def __neg__(self) -> Poly:
        return Poly({monomial: -factor for monomial, factor in self.terms.items()})

    def __sub__(self, other: Poly | int) -> Poly:
        return self + -poly(other)

    def __mul__(self, other: Poly | int) -> Poly:
        right = poly(other)
        if right.terms == {(): 1}:
            return self
        total: dict[Monomial, int] = {}
        for one, a in self.terms.items():
            for two, b in right.terms.items():
                monomial = tuple(sorted(one + two)) if one and two else one or two
                total[monomial] = total.get(monomial, 0) + a * b
        return Poly({monomial: factor for monomial, factor in total.items() if factor})

    @property
    def constant(self) -> int | None:
        """The value, where it is a known number."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    @property
    def atoms(self) -> set[Atom]:
        """Those at the surface."""
        return {atom for monomial in self.terms for atom in monomial}

    @property
    def natural(self) -> bool:
        """Certainly >= 0, seen at once."""
        return all(factor >= 0 and all(atom.natural for atom in monomial) for monomial, factor in self.terms.items())

    def __str__(self) -> str:
        parts = []
        for monomial, factor in sorted(self.terms.items(), key=lambda term: (not term[0], term[0])):
            names = "*".join(atom.text if atom.text.isidentifier() else f"({atom.text})" for atom in monomial)
            parts.append(f"{factor}*{names}" if names and factor != 1 else names or str(factor))
        return " + ".join(parts) or "0"

    __repr__ = __str__


def poly(value: Poly | Atom | int) -> Poly:
    match value:
        case Poly():
            return value
        case Atom():
            return Poly({(value,): 1})
    return Poly({(): int(value)} if value else {})


ZERO = poly(0)
ONE = poly(1)


def named(name: str, natural: bool = False, kind: str = "size") -> Poly:
    """An unknown that is made of nothing."""
    return poly(Atom(kind, (), natural, name))


def terms(value: Poly) -> Iterator[Poly]:
    """The summands."""
    for monomial, factor in value.terms.items():
        yield Poly({monomial: factor})


def quotient(value: Poly, by: Poly) -> Poly | None:
    """`value / by` where it comes out even as polynomials."""
    if value == by:
        return ONE
    if len(by.terms) == 1:
        return _quotient_of_terms(value, by)
    if not by.terms:
        return None
    lead = max(by.terms, key=lambda monomial: (len(monomial), monomial))
    result, rest = ZERO, value
    for _ in range(12):
        if not rest.terms:
            return result
        first = max(rest.terms, key=lambda monomial: (len(monomial), monomial))
        part = _quotient_of_terms(Poly({first: rest.terms[first]}), Poly({lead: by.terms[lead]}))
        if part is None:
            return None
        result, rest = result + part, rest - part * by
    return None


def _quotient_of_terms(value: Poly, by: Poly) -> Poly | None:
    ((divisor, number),) = by.terms.items()
    total = {}
    for monomial, factor in value.terms.items():
        left = list(monomial)
        if factor % number or not all(atom in left and not left.remove(atom) for atom in divisor):  # type: ignore[func-returns-value]
            return None
        total[tuple(left)] = factor // number
    return Poly(total)


def _even(value: Poly, by: Poly) -> tuple[Poly, Poly]:
    """`value` as a multiple of `by` and a rest: (whole, rest)."""
    whole, rest = ZERO, ZERO
    for term in terms(value):
        part = quotient(term, by)
        whole, rest = (whole + part, rest) if part is not None else (whole, rest + term)
    return whole, rest


# Each of these gives the simplest form of what it is named after. Divisors are >= 1: whoever calls makes sure of it.


def div(value: Poly, by: Poly) -> Poly:
    if value.constant is not None and by.constant:
        return poly(value.constant // by.constant)
    exact = quotient(value, by)
    if exact is not None:
        return exact
    whole, rest = _even(value, by)
    if rest.constant is not None and by.constant:
        return whole + rest.constant // by.constant
    return whole + poly(Atom("div", (rest, by), rest.natural and by.natural))


def mod(value: Poly, by: Poly) -> Poly:
    if value.constant is not None and by.constant:
        return poly(value.constant % by.constant)
    if quotient(value, by) is not None:
        return ZERO
    _, rest = _even(value, by)
    if rest.constant is not None and by.constant:
        return poly(rest.constant % by.constant)
    return poly(Atom("mod", (rest, by), by.natural))


def cdiv(value: Poly, by: Poly) -> Poly:
    """(value + by - 1) // by"""
    if value.constant is not None and by.constant:
        return poly(-(-value.constant // by.constant))
    exact = quotient(value, by)
    return exact if exact is not None else poly(Atom("cdiv", (value, by), value.natural and by.natural))


def least(one: Poly, two: Poly) -> Poly:
    apart = (one - two).constant
    if apart is not None:
        return one if apart <= 0 else two
    first, second = sorted((one, two), key=str)
    return poly(Atom("min", (first, second), one.natural and two.natural))


def most(one: Poly, two: Poly) -> Poly:
    apart = (one - two).constant
    if apart is not None:
        return one if apart >= 0 else two
    first, second = sorted((one, two), key=str)
    return poly(Atom("max", (first, second), one.natural or two.natural))


def pow2(value: Poly) -> Poly:
    number = value.constant
    if number is not None:
        return poly(1 << (number - 1).bit_length() if number > 0 else 0)
    return poly(Atom("pow2", (value,), True))


def trunc(value: Poly, by: Poly) -> Poly:
    return poly(Atom("trunc", (value, by), False))


def rem(value: Poly, by: Poly) -> Poly:
    return poly(Atom("rem", (value, by), False))


BUILD: dict[str, Callable[..., Poly]] = {
    "div": div, "mod": mod, "cdiv": cdiv, "min": least, "max": most, "pow2": pow2, "trunc": trunc, "rem": rem,
}  # fmt: skip


def deep(value: Poly) -> set[Atom]:
    """All atoms, at the surface and inside others."""
    found: set[Atom] = set()
    for monomial in value.terms:
        for atom in monomial:
            if atom not in found:
                found |= atom.inside
    return found


def replace(value: Poly, new: Callable[[Atom], Poly | None]) -> Poly:
    """The same with some atoms exchanged, also where they are inside others."""
    total = ZERO
    changed = False
    for monomial, factor in value.terms.items():
        product = poly(factor)
        for atom in monomial:
            other = _replaced(atom, new)
            changed = changed or other is not None
            product = product * (poly(atom) if other is None else other)
        total = total + product
    return total if changed else value


def _replaced(atom: Atom, new: Callable[[Atom], Poly | None]) -> Poly | None:
    given = new(atom)
    if given is not None or not atom.parts:
        return given
    parts = tuple(_part(part, new) for part in atom.parts)
    if all(one is two or one == two for one, two in zip(parts, atom.parts, strict=True)):
        return None
    if atom.kind in BUILD:
        return BUILD[atom.kind](*parts)
    if atom.kind == "pick" and not getattr(parts[0], "parts", True):  # the test is decided: Every(()) or Some(())
        return parts[1] if type(parts[0]).__name__ == "Every" else parts[2]  # type: ignore[return-value]
    return poly(Atom(atom.kind, parts, atom.natural))


def _part(part: object, new: Callable[[Atom], Poly | None]) -> object:
    if isinstance(part, Poly):
        return replace(part, new)
    if isinstance(part, str | int):
        return part
    return part.mapped(lambda value: replace(value, new))  # type: ignore[attr-defined]


def coefficient(value: Poly, atom: Atom) -> Poly | None:
    """What the atom is multiplied with, where it occurs in no other way."""
    total: dict[Monomial, int] = {}
    for monomial, factor in value.terms.items():
        times = monomial.count(atom)
        if times > 1 or any(other.parts and atom in deep(poly(other)) for other in monomial if other != atom):
            return None
        if times:
            left = list(monomial)
            left.remove(atom)
            total[tuple(left)] = factor
    return Poly(total)
