"""Polynomials, conditions and stores as Python text, which runs them with numbers: it knows nothing of the proofs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import CodeType
from typing import Any

from codemods.core.access import Access
from codemods.core.condition import AtLeast, Blind, Condition, Every, Flag, Some
from codemods.core.poly import Atom, Poly, deep
from codemods.core.size import Atom as SizeAtom
from codemods.core.size import Size, as_size, variable
from codemods.cover.boxes import Interval

Numbers = dict[str, int]  # of what is made of nothing, and of flags


def _trunc(one: int, two: int) -> int:
    return one // two if (one < 0) == (two < 0) else -(-one // two)


MEANING: dict[str, Callable[..., int]] = {
    "div": lambda one, two: one // two,
    "mod": lambda one, two: one % two,
    "cdiv": lambda one, two: -(-one // two),
    "trunc": _trunc,
    "rem": lambda one, two: one - two * _trunc(one, two),
    "min": min,
    "max": max,
    "pow2": lambda one: 1 << (one - 1).bit_length() if one > 0 else 0,
}


def name(atom: Atom) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in atom.text)


def size(value: Poly) -> Size | None:
    """As the host says it, which has no names for what is made of others."""
    total = as_size(0)
    for monomial, factor in value.terms.items():
        product = as_size(factor)
        for atom in monomial:
            if atom.parts:
                return None
            product = product * variable(SizeAtom(atom.text, ("size", atom.text), atom.natural))
        total = total + product
    return total


def text(value: Poly) -> str:
    """A sum of products."""
    products = ("*".join([str(factor), *map(_factor, monomial)]) for monomial, factor in value.terms.items())
    return f"({' + '.join(products) or '0'})"


def _factor(atom: Atom) -> str:
    if atom.kind == "pick":
        test, then, other = atom.parts
        return f"({text(then)} if {holds(test)} else {text(other)})"  # type: ignore[arg-type]
    if atom.kind in MEANING:
        return f"{atom.kind}({', '.join(text(part) for part in atom.parts if isinstance(part, Poly))})"
    return name(atom)


def holds(test: Condition) -> str:
    """What is not seen has a name in some tests, and does not hold in others."""
    match test:
        case AtLeast(value):
            return f"({text(value)} >= 0)"
        case Every(parts):
            return f"({' and '.join(map(holds, parts)) or 'True'})"
        case Some(parts):
            return f"({' or '.join(map(holds, parts)) or 'False'})"
        case Flag(flag, wanted):
            return f"({flag} == {wanted})"
        case Blind(why, line):
            return f"hidden_{line}" if why == "hidden" else "False"
    raise ValueError(test)


def calculated(expression: CodeType | str, numbers: Numbers) -> Any:
    """ZeroDivisionError where something is divided by 0."""
    return eval(expression, {**MEANING, **numbers})


def programs(stores: list[Access], grid: tuple[Poly, ...]) -> str:
    """The set of all addresses at which the programs of a launch store."""
    return " | ".join(_one(store, grid) for store in stores) or "set()"


def _one(store: Access, grid: tuple[Poly, ...]) -> str:
    assert store.offset is not None
    turns = [
        f"for {name(one.turn)} in range(len(range({text(one.low)}, {text(one.high)}, {text(one.step)})))"
        for one in store.loops
    ]
    axes = [f"for pid_{axis}_ in range({text(entry)})" for axis, entry in enumerate(grid)]
    return f"{{{text(store.offset)} {' '.join([*axes, *turns, lanes(store)])} if {holds(store.test)}}}"


def lanes(access: Access) -> str:
    """Its lanes as the loops of a comprehension."""
    values = (*access.test.polys(), *(() if access.offset is None else (access.offset,)))
    return " ".join(
        f"for {name(atom)} in range({text(part)})"
        for atom in sorted({atom for value in values for atom in deep(value) if atom.kind == "lane"})
        for part in atom.parts
        if isinstance(part, Poly)
    )


def elements(part: tuple[Interval, ...], extents: tuple[Poly, ...], strides: tuple[Poly, ...]) -> str:
    """The set of the addresses of a part of a tensor."""
    letters = [f"i{dimension}" for dimension in range(len(extents))]
    address = " + ".join(f"{letter}*{text(stride)}" for letter, stride in zip(letters, strides, strict=True))
    ranges = (
        f"for {letter} in range(max({text(low)}, 0), min({text(high)}, {text(extent)}))"
        for letter, (low, high), extent in zip(letters, part, extents, strict=True)
    )
    return f"{{{address or 0} {' '.join(ranges)}}}" if letters else "{0}"


def all_numbers(chance: Any, names: dict[str, tuple[int, ...]], times: int) -> list[Numbers]:
    """Some of the ways to give each name one of its numbers, without repetition."""
    every = list(itertools.islice(itertools.product(*names.values()), 20_000))
    return [dict(zip(names, chosen, strict=True)) for chosen in chance.sample(every, min(times, len(every)))]
