"""What a Python value may be, as far as tensor memory is concerned."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from codemods.core.event import Buffer, Tags
from codemods.core.meta import Meta
from codemods.core.region import ALL, SOME, Box
from codemods.core.size import Atom, Size, as_size, variable

OUTSIDE = Buffer("memory from elsewhere", shared=True)
FRESH = Buffer("memory that nobody else has")
UNTAGGED: Tags = frozenset()
MOST_TAGS = 4
LIBRARIES = frozenset({"builtins", "math", "torch", "triton"})


class Def(NamedTuple):
    """A place in the graph that makes a value; every time it runs the value may be another."""

    block: int
    place: int


@dataclass(frozen=True, slots=True)
class Loose:
    """The dimensions of a view whose rank is not known: its i-th is the buffer's i+front-th, its
    -j-th the buffer's -(j+back)-th."""

    front: int = 0
    back: int = 0


Dims = tuple[int | None, ...] | Loose | None  # view dimension -> buffer dimension; None: a new axis; all None: lost


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor over exactly `region` of `buffer`, on paths that agree with `when`."""

    buffer: Buffer
    region: Box = ALL
    dims: Dims = None
    dense: bool = False  # contiguous: reshape is a view
    when: Tags = UNTAGGED

    def part(self) -> Ref:
        """Some view of this one."""
        return Ref(self.buffer, SOME, None, False, self.when)

    def on(self, when: Tags) -> Ref:
        """The same view, on other paths."""
        return self if self.when == when else Ref(self.buffer, self.region, self.dims, self.dense, when)


Refs = frozenset[Ref]
NONE: Refs = frozenset()
OUT = frozenset({Ref(OUTSIDE)})
NEW = frozenset({Ref(FRESH)})
Fact = tuple[str, tuple[tuple[Size, Size], ...]]  # an operator between numbers; equality of two shapes is of several
IDENTITY = "is None"  # (this, operator, ident): a value compared with None


@dataclass(frozen=True, slots=True)
class Like:
    """A shape of unknown rank: that of another tensor, as it was then."""

    tensor: Value
    layout: Hashable


@dataclass(frozen=True, slots=True)
class First:
    """A shape made from one value that may be a sequence: where it can be used as a number it is the only extent."""

    size: Size


@dataclass(frozen=True, slots=True)
class Lead:
    """A shape of unknown rank: `front`, then the extents of another tensor but its last `cut`, then `tail`."""

    front: tuple[Size, ...]
    name: str = field(compare=False)
    of: Hashable
    layout: Hashable
    cut: int
    tail: tuple[Size, ...]


Shape = tuple[Size, ...] | Like | Lead | First | None


def size_in(shape: Shape, dimension: int) -> Size | None:
    """One extent of a shape, None where it is not known."""
    if isinstance(shape, Like):
        return extent(shape.tensor, dimension, shape.layout)
    if isinstance(shape, First):
        return shape.size if dimension == 0 else None
    if isinstance(shape, Lead):
        known = shape.tail if dimension < 0 else shape.front
        return known[dimension] if -len(known) <= dimension < len(known) else None
    return shape[dimension] if shape is not None and -len(shape) <= dimension < len(shape) else None


class Value(NamedTuple):
    """A tuple because so many are made: it is built in a fifth of the time.

    `refs`: the memory of a tensor, certainly one of them (or it is no tensor). `inside`: memory that can be reached
    through it, as through a list. `ident`: two values with one ident are the same object, or equal numbers."""

    ident: Hashable = None
    refs: Refs = NONE
    inside: Refs = NONE
    tensor: bool = False  # certainly a tensor
    exact: bool = False  # where it is none of `refs`, the path does not agree with `when` of those that are followed
    size: Size | None = None  # the number it is, if it is certainly a Python int
    items: tuple[Value, ...] | None = None  # a tuple with these elements
    api: str | None = None  # what a dotted name stands for: "torch.zeros"
    name: str = "?"  # for messages
    shape_of: Like | None = None  # it is the shape of a tensor
    fact: Fact | None = None  # the comparison it is the truth of
    bound: tuple[Value, str] | None = None  # a method of a value
    entries: tuple[tuple[str, Value], ...] | None = None  # a dict that is written out, of values without memory
    meta: Meta | None = None  # of the tensor, or for a dtype which one it is; see read/facts.py

    @property
    def reach(self) -> Refs:
        if not self.inside or self.inside is self.refs:
            return self.refs
        return self.refs | self.inside if self.refs else self.inside

    def but(self, **changes: Any) -> Value:
        return self._replace(**changes)


NOTHING = Value()


def unknown(ident: Hashable, name: str) -> Value:
    return Value(ident, OUT, OUT, name=name)


def imported(api: str, name: str) -> Value:
    """What a dotted name stands for. Of modules that hold no tensors of other people nothing is feared."""
    refs = NONE if api.split(".", 1)[0] in LIBRARIES else OUT
    return Value(("api", api), refs, refs, api=api, name=name)


def number(size: Size | int, name: str = "?") -> Value:
    value = as_size(size)
    return Value(("number", value), size=value, name=name)


def fresh(ident: Hashable, name: str, tensor: bool = True) -> Value:
    return Value(ident, NEW, tensor=tensor, name=name)


def extent(tensor: Value, dimension: int, layout: Hashable) -> Size:
    """The size of a dimension of a tensor that is not of our making."""
    return variable(
        Atom(f"{tensor.name}.shape[{dimension}]", ("extent", tensor.ident, dimension, layout), natural=True)
    )


def untagged(refs: Refs) -> Refs:
    return frozenset(ref.on(UNTAGGED) for ref in refs) if any(ref.when for ref in refs) else refs


def tag(refs: Refs, join: int, edge: int) -> Refs:
    """The same memory, on the paths that come into `join` by `edge`."""
    return frozenset(ref.on(ref.when | {(join, edge)}) if len(ref.when) < MOST_TAGS else ref for ref in refs)


def without(refs: Refs, joins: frozenset[int]) -> Refs:
    """The same memory with no condition on some joins: they are about to be passed again."""
    if refs is NEW or refs is OUT or not any(ref.when for ref in refs):
        return refs
    return frozenset(ref.on(frozenset(pair for pair in ref.when if pair[0] not in joins)) for ref in refs)


@dataclass(slots=True)
class State:
    """What holds at a point: names and slots, who has been let out, and known equalities of sizes."""

    names: dict[str, Value] = field(default_factory=dict)
    slots: dict[int, Value] = field(default_factory=dict)  # results of instructions, until the statement is over
    escaped: frozenset[Buffer] = frozenset()
    closed: frozenset[str] = frozenset()  # names that a nested scope made so far can look up
    epoch: Hashable = 0  # changes whenever code we cannot see may have changed an object
    layout: Hashable = 0  # changes whenever a tensor may have been given another shape in place
    equal: dict[Atom, Size] = field(default_factory=dict)
    ranks: dict[Hashable, int] = field(default_factory=dict)  # of tensors; and which values are numbers, not tuples
    positive: frozenset[Size] = frozenset()  # numbers that are certainly more than 0

    def copy(self) -> State:
        return State(
            dict(self.names),
            dict(self.slots),
            self.escaped,
            self.closed,
            self.epoch,
            self.layout,
            dict(self.equal),
            dict(self.ranks),
            self.positive,
        )


class Moment(NamedTuple):
    """What held when control came to a place."""

    at: Def
    names: dict[str, Value]
    epoch: Hashable
    layout: Hashable


def tracked(value: Value) -> bool:
    """It may be memory that is followed."""
    return _followed(value.refs) or (value.inside is not value.refs and _followed(value.inside))


def _followed(refs: Refs) -> bool:
    if refs is OUT or refs is NEW or not refs:
        return False
    return any(ref.buffer is not OUTSIDE and ref.buffer is not FRESH for ref in refs)


def merge(values: list[Value], ident: Hashable, join: int, edges: list[int] | None) -> Value:
    """One value for the different ones that come together. `edges` tells them apart later; None: they cannot be."""
    name = values[0].name
    refs: set[Ref] = set(OUT) if any(runs(value) for value in values) else set()
    edges = edges if any(tracked(value) for value in values) else None  # nothing to tell apart
    for place, value in enumerate(values):
        refs |= tag(value.refs, join, edges[place]) if edges else untagged(value.refs)
    same_size = all(value.size == values[0].size for value in values)
    sized = all(value.size is not None for value in values)
    size = values[0].size if same_size else variable(Atom(name, ident, _natural(values))) if sized else None
    told = edges is not None and all(value.tensor or value.exact or not tracked(value) for value in values)
    return Value(
        ident,
        frozenset(refs),
        untagged(frozenset().union(*(value.inside for value in values))),
        exact=told and all(any(pair[0] == join for pair in ref.when) for ref in refs if _followed(frozenset({ref}))),
        tensor=all(value.tensor for value in values),
        size=size,
        name=name,
        api=values[0].api if all(value.api == values[0].api for value in values) else None,
    )


def runs(value: Value) -> bool:
    """It is an iterator, such as a generator, a `map` or a `zip`: walking it may run code."""
    return value.bound is not None and value.bound[0] is NOTHING and value.bound[1] != "range"


def within(value: Value) -> Refs:
    """What can be reached through a container that holds it."""
    return value.reach | OUT if runs(value) else value.reach


def varies(ident: Hashable, blocks: frozenset[int]) -> bool:
    """It may be another value after some of these blocks have run again."""
    kind = type(ident)
    if kind is Def:
        return ident.block in blocks  # type: ignore[attr-defined]
    if kind is tuple:
        for part in ident:  # type: ignore[attr-defined]  # noqa: SIM110, a generator is slower
            if type(part) is not str and varies(part, blocks):
                return True
        return False
    return kind is Size and any(varies(atom.key, blocks) for atom in ident.atoms)  # type: ignore[attr-defined]


def shape_varies(shape: Shape, blocks: frozenset[int]) -> bool:
    """It is told in numbers that may be others after some of these blocks have run again."""
    match shape:
        case Like(tensor, layout):
            return varies((tensor.ident, layout), blocks)
        case Lead():
            return varies((shape.of, shape.layout, shape.front, shape.tail), blocks)
        case First(size):
            return varies(size, blocks)
    return varies(shape, blocks)


def _natural(values: list[Value]) -> bool:
    return all(value.size is not None and value.size.natural for value in values)
