"""What a host function knows when it launches a kernel: the grid and the arguments, as plain data.

Numbers are sizes. The atoms of a size may carry a structure in their key, which a proof looks into:
("FloorDiv" | "Mod" | "Cdiv" | "Min" | "Max", Size, Size), ("PowerOf2", Size), ("Meta", name of a parameter).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from codemods.core.size import Atom, Size, as_size, variable


@dataclass(frozen=True, slots=True)
class Tensor:
    """`key`: equal for one tensor under several names, and what `Stride.of` refers to. `count`: so many elements fill
    the memory from its pointer on, in whatever order of the dimensions; None where that is not known."""

    key: Hashable
    shape: tuple[Size, ...] | None = None  # None: nothing is known, not even the rank
    strides: tuple[Size, ...] | None = None  # in elements
    contiguous: bool = False  # its strides are those of its shape, in row-major order
    name: str = ""  # as the host function writes it
    count: Size | None = None


@dataclass(frozen=True, slots=True)
class Stride:
    """`x.stride(dimension)`. Negative dimensions count from the last."""

    of: Hashable
    dimension: int


@dataclass(frozen=True, slots=True)
class Number:
    """An integer."""

    size: Size


@dataclass(frozen=True, slots=True)
class Constant:
    """None, a bool, a string, a float, an int, or the name of a dtype as a string that starts with a dot."""

    value: bool | str | float | int | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything: a number, a tensor, None."""

    name: str = ""


Argument = Tensor | Stride | Number | Constant | Unknown


@dataclass(frozen=True, slots=True)
class Launch:
    """`kernel[grid](*arguments, **keywords)`. An entry of the grid is None where nothing is known of it; a grid that
    is a function of the constexpr parameters uses `meta(..)` for them. Fewer than three entries: the rest is 1.
    `grid` is None where not even the number of entries is known.

    `positive`: numbers that are known to be >= 1. `multiples`: numbers that are known to be a multiple of a size, as
    `assert n % group == 0` says it. `products`: what some numbers are made of, such as the number of elements of a
    tensor of its extents."""

    grid: tuple[Size | None, ...] | None
    arguments: tuple[Argument, ...] = ()
    keywords: tuple[tuple[str, Argument], ...] = ()
    positive: frozenset[Atom] = field(default_factory=frozenset)
    multiples: tuple[tuple[Atom, Size], ...] = ()
    products: tuple[tuple[Atom, Size], ...] = ()

    @property
    def sizes(self) -> Iterator[Size]:
        """All numbers in it."""
        yield from (size for size in self.grid or () if size is not None)
        for argument in (*self.arguments, *(value for _, value in self.keywords)):
            match argument:
                case Number(size):
                    yield size
                case Tensor(shape=shape, count=count):
                    yield from shape or ()
                    yield from () if count is None else (count,)
        yield from (size for _, size in self.multiples)
        yield from (variable(atom) for atom in (*self.positive, *(atom for atom, _ in self.multiples)))


def meta(name: str) -> Size:
    """`META[name]`, the value of a constexpr parameter."""
    return variable(Atom(f'META["{name}"]', ("Meta", name)))


def cdiv(value: Size, by: Size) -> Size:
    """`triton.cdiv(value, by)`: (value + by - 1) // by."""
    if value.constant is not None and by.constant:
        return as_size(-(-value.constant // by.constant))
    return variable(Atom(f"cdiv({value}, {by})", ("Cdiv", value, by), value.natural and by.natural))


def next_power_of_2(value: Size) -> Size:
    """`triton.next_power_of_2(value)`: the least power of two that is not smaller; 0 for what is not above 0."""
    if value.constant is not None and value.constant > 0:
        return as_size(1 << (value.constant - 1).bit_length())
    return variable(Atom(f"next_power_of_2({value})", ("PowerOf2", value), True))


def minimum(one: Size, two: Size) -> Size:
    return variable(Atom(f"min({one}, {two})", ("Min", one, two), one.natural and two.natural))


def maximum(one: Size, two: Size) -> Size:
    return variable(Atom(f"max({one}, {two})", ("Max", one, two), one.natural or two.natural))
