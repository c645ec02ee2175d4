"""The values of a kernel while it is traced: numbers are polynomials, pointers are a base and a polynomial.

A tensor's value is told for one lane. Its axes count from the last, as broadcasting aligns them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from codemods.core.condition import FALSE, TRUE, Blind, Condition, Flag, at_least, blind, both, either, negated, pick
from codemods.core.poly import ZERO, Atom, Poly, deep, poly
from codemods.core.poly import replace as exchanged


@dataclass(frozen=True, slots=True)
class Num:
    """An integer, or a number of which nothing is known."""

    value: Poly
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Truth:
    test: Condition
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Pointer:
    """Into the memory of one of `bases`, None: of anything. `maybe`: it is the value of a parameter of which nothing
    is known, and may be a number."""

    bases: frozenset[str] | None
    offset: Poly | None
    rank: int = 0
    maybe: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """None, a string, a float or a dtype."""

    value: object


@dataclass(frozen=True, slots=True)
class Row:
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A block pointer, or a tensor descriptor, which checks all bounds."""

    base: Pointer
    shape: tuple[Num, ...]
    strides: tuple[Num, ...]
    offsets: tuple[Num, ...]
    sizes: tuple[Num, ...]
    descriptor: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A function of the module, or, without one, a name that stands for `path`."""

    function: ast.FunctionDef | None
    module: object = None
    path: str = ""


Value = Num | Truth | Pointer | Plain | Row | Block | Code
MOST_TERMS = 12
NOTHING = Plain(None)


def rank(value: Value) -> int:
    match value:
        case Num() | Truth() | Pointer():
            return value.rank
    return 0


def why(*values: object) -> Blind | None:
    """What a value depends on that is not known: a load before anything else."""
    found: list[Blind] = []
    for value in values:
        match value:
            case Num(value=number):
                found += [hidden(atom) for atom in deep(number) if atom.kind == "blind"]
                found += [test for atom in deep(number) if atom.kind == "pick" and (test := blind(atom.parts[0]))]  # type: ignore[arg-type]
            case Truth(test=test):
                found += [unknown] if (unknown := blind(test)) else []
            case Pointer():
                found.append(Blind(f"the argument {min(value.bases)}" if value.bases else "a pointer"))
    return min(found, key=lambda unknown: (not unknown.line, unknown.line, unknown.why), default=None)


def hidden(atom: Atom) -> Blind:
    _, text, line = atom.parts
    return Blind(str(text), int(str(line)))


def truth(value: Value) -> Condition:
    """Whether a value counts as true."""
    match value:
        case Truth(test=test):
            return test
        case Num(value=number):
            unknown = why(value)
            return unknown or either(at_least(number - 1), at_least(-number - 1))
        case Pointer() if label := argument(value):
            return Flag(f"{label} is true")
        case Plain(value=plain) if plain is None or isinstance(plain, str | float):
            return TRUE if plain else FALSE
    return Blind("a value that is not known")


def argument(value: Value) -> str:
    """The parameter whose unchanged value this is, of which nothing is known; "" where it is another value."""
    if isinstance(value, Pointer) and value.maybe and value.rank == 0 and value.offset == ZERO:
        return min(value.bases) if value.bases and len(value.bases) == 1 else ""
    return ""


def known(value: Value) -> int | None:
    """The number that a value certainly is."""
    match value:
        case Num(value=number):
            return number.constant
        case Truth(test=test) if test in (TRUE, FALSE):
            return int(test == TRUE)
    return None


def moved(value: Value, axes: dict[int, int], new_rank: int, unknown: Callable[[Blind], Num]) -> Value:
    """A tensor with its axes at other places. What is not known of each lane is another unknown afterwards."""

    def new(atom: Atom) -> Poly | None:
        if atom.kind == "lane":
            axis, length = atom.parts
            return poly(lane(axes[int(str(axis))], length)) if int(str(axis)) in axes else None  # type: ignore[arg-type]
        if atom.kind == "blind":
            return unknown(hidden(atom)).value
        return None

    match value:
        case Num(value=number):
            return Num(exchanged(number, new), new_rank)
        case Truth(test=test):
            return Truth(test.mapped(lambda part: exchanged(part, new)), new_rank)
        case Pointer(offset=offset):
            return replace(value, offset=None if offset is None else exchanged(offset, new), rank=new_rank)
    return value


def lane(axis: int, length: Poly) -> Atom:
    return Atom("lane", (axis, length), True)


def joined(test: Condition, one: Value, two: Value, unknown: Callable[[Blind], Num]) -> Value:
    """What a name stands for where either branch may have bound it."""
    if one == two:
        return one
    hazy = blind(test)
    wide = max(rank(one), rank(two))
    match one, two:
        case Num(), Num() if (
            not hazy and not why(one, two) and len(one.value.terms) + len(two.value.terms) < MOST_TERMS
        ):
            return Num(pick(test, one.value, two.value), wide)
        case Truth(), Truth() if not hazy:
            return Truth(chosen(test, one.test, two.test), wide)
        case Pointer(), Pointer():
            return either_pointer(test if not hazy else None, one, two)
        case (Pointer() as pointer, Plain()) | (Plain(), Pointer() as pointer):
            return replace(pointer, offset=None, rank=wide)
        case (Pointer(), Num() | Truth()) | (Num() | Truth(), Pointer()):
            return Pointer(None, None, wide)
        case Row(items=ones), Row(items=twos) if len(ones) == len(twos):
            return Row(tuple(joined(test, a, b, unknown) for a, b in zip(ones, twos, strict=True)))
        case (Block(base=base), _) | (_, Block(base=base)):
            both = {other.base.bases for other in (one, two) if isinstance(other, Block)}
            bases = None if None in both else frozenset().union(*(part for part in both if part))
            return Pointer(bases, None, wide) if len(both) > 1 else replace(base, offset=None)
    cause = hazy or why(one, two) or Blind("a value that differs between branches")
    return Num(unknown(cause).value, wide)


def chosen(test: Condition, then: Condition, other: Condition) -> Condition:
    return either(both(test, then), both(negated(test), other))


def either_pointer(test: Condition | None, one: Pointer, two: Pointer) -> Pointer:
    wide = max(one.rank, two.rank)
    bases = None if one.bases is None or two.bases is None else one.bases | two.bases
    offset = None
    if one.bases == two.bases and one.offset is not None and two.offset is not None and test is not None:
        offset = pick(test, one.offset, two.offset)
    return Pointer(bases, offset, wide, one.maybe or two.maybe)
