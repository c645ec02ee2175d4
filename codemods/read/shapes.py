"""Shapes: of tensors that are born here, and names for the extents of all others."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

from codemods.core.event import Buffer
from codemods.core.region import ALL
from codemods.core.size import ONE, Atom, Size, variable
from codemods.read.counts import lead_of, numel_of
from codemods.read.memory import Memory, somewhere
from codemods.read.values import (
    FRESH,
    NEW,
    NONE,
    NOTHING,
    OUT,
    OUTSIDE,
    Def,
    Lead,
    Like,
    Loose,
    Ref,
    Shape,
    Value,
    extent,
    number,
)
from codemods.read.views import NIL, shape_of_view


class Shapes(Memory):
    def shape(self, holder: Value) -> Value:
        name = f"{holder.name}.shape"
        then = self.laid(holder)
        known, now = self.shape_of(holder), Like(holder, then)
        if known is not None:
            sizes = tuple(number(self.settle(size), str(size)) for size in known)
            return Value(("shape", *known), items=sizes, name="tuple", shape_of=now)
        rank = self.rank(holder, then)
        items = None if rank is None else tuple(self.dimension(holder, place, then) for place in range(rank))
        ident = ("shape", holder.ident, then)
        return Value(ident, items=items, name="tuple" if items else name, shape_of=now)

    def laid(self, holder: Value) -> Hashable:
        """Since when it has its shape. Code that cannot be seen may give another one to what is no tensor."""
        lasting = holder.tensor or not (self.names.reshapes or holder.ident == ("parameter", "self"))
        return self.state.layout if lasting else (self.state.layout, self.state.epoch)

    def dimension(self, tensor: Value, place: int, then: Hashable = None) -> Value:
        """One extent of a tensor, as it is now or as it was `then`."""
        layout = self.state.layout if then is None else then
        rank = self.rank(tensor, layout)
        known = self.shape_of(tensor)
        like = self.like(tensor)
        if like is not None:
            size = self.settle(extent(like.tensor, place, like.layout))
            return number(size, str(size))
        if known is not None:
            return (
                number(self.settle(known[place]), str(known[place])) if -len(known) <= place < len(known) else NOTHING
            )
        size = self.settle(extent(tensor, place + rank if rank is not None and place < 0 else place, layout))
        return number(size, str(size))

    def note_view(self, value: Value) -> None:
        new = {ref.buffer for ref in value.refs} - self.viewed
        self.viewed |= new
        self.stale = self.stale or bool(new and self.outs)

    def ref_shape(self, ref: Ref) -> Shape:
        shape = self.shapes.get(ref.buffer)
        return tuple(self.settle(size) for size in shape) if isinstance(shape, tuple) else shape

    def like(self, value: Value) -> Like | None:
        """The tensor whose shape a tensor of unknown rank was made after."""
        (ref,) = value.refs if len(value.refs) == 1 else (None,)
        shape = self.shapes.get(ref.buffer) if ref is not None and ref.region == ALL and ref.dims == Loose() else None
        return shape if isinstance(shape, Like) else None

    def shape_of(self, value: Value) -> tuple[Size, ...] | None:
        """The shape of a tensor that was born here, as far as it is known."""
        if len(value.refs) != 1:
            return None
        (ref,) = value.refs
        shape = self.ref_shape(ref)
        return shape_of_view(ref, shape) if isinstance(shape, tuple) else None

    def relaid(self, value: Value) -> Value:
        """It may have another shape, or other memory, from here on, under all its names."""
        ident = ("def", self.at)
        buffers = {ref.buffer for ref in value.refs} - {OUTSIDE, FRESH}
        for held in (self.state.names, self.state.slots):
            for key, other in held.items():
                if other.ident == value.ident or any(ref.buffer in buffers for ref in other.reach):
                    held[key] = loosened(other, ident)  # type: ignore[index]
        return loosened(value, ident)

    def reshaped(self, buffers: set[Buffer]) -> None:
        """They may have another shape from here on: of a view it is only known whether it was all of the memory that
        nobody sees through another one."""
        for held in (self.state.names, self.state.slots):
            for key, other in held.items():
                if any(ref.buffer in buffers for ref in other.reach):
                    refs = frozenset(self.without_shape(ref) if ref.buffer in buffers else ref for ref in other.refs)
                    inside = frozenset(ref.part() if ref.buffer in buffers else ref for ref in other.inside)
                    held[key] = other.but(refs=refs, inside=inside, items=None)  # type: ignore[index]

    def without_shape(self, ref: Ref) -> Ref:
        whole = ref.region == ALL and ref.buffer not in self.viewed
        return Ref(ref.buffer, ref.region, None, False, ref.when) if whole else ref.part()

    def numel(self, tensor: Value, then: Hashable = None) -> Value:
        known = self.shape_of(tensor)
        text = f"{tensor.name}.numel()"
        if known is not None:
            return number(prod(known), text)
        layout = self.state.layout if then is None else then
        return number(self.count_of(tensor) or numel_of(tensor.name, tensor.ident, layout), text)

    def count_of(self, tensor: Value) -> Size | None:
        """How many elements fill the memory that a tensor is all of, where it was allocated here: without gaps,
        whatever its strides."""
        (ref,) = tensor.refs if len(tensor.refs) == 1 else (None,)
        if ref is None or ref.region != ALL or ref.dims is None or ref.buffer not in self.packed:
            return None
        match self.ref_shape(ref):
            case tuple() as sizes:
                return prod(sizes)
            case Like(other, layout):
                return self.numel(other, layout).size
            case Lead(front, name, of, layout, cut, tail):
                return self.settle(prod(front) * lead_of(name, of, layout, cut) * prod(tail))
        return None

    def rank(self, tensor: Value, then: Hashable) -> int | None:
        return self.rank_of(*self.shaped_as(tensor, then))

    def rank_of(self, of: Hashable, layout: Hashable) -> int | None:
        known = self.state.equal.get(Atom("", ("rank", of, layout), natural=True))
        return self.state.ranks.get((of, layout)) if known is None else known.constant

    def dimensions(self, tensor: Value, name: str, then: Hashable = None) -> Value:
        """How many it has."""
        shape = self.shape_of(tensor)
        if shape is not None:
            return number(len(shape), name)
        of, layout = self.shaped_as(tensor, self.state.layout if then is None else then)
        return number(variable(Atom(name, ("rank", of, layout), natural=True)), name)

    def shaped_as(self, tensor: Value, then: Hashable) -> tuple[Hashable, Hashable]:
        """Whose shape it has, and when that had it."""
        like = self.like(tensor)
        return (tensor.ident, then) if like is None else (like.tensor.ident, like.layout)

    def cut_shape(self, holder: Value, index: Value) -> Value | None:
        """`x.shape[:-1]`, and a tuple of numbers cut short."""
        low, high, step = index.items if index.name == "slice" and index.items else (None, None, None)
        first, last = (None if end is None or end.size is None else end.size.constant for end in (low, high))
        if low is None or step != NIL or (low != NIL and first is None) or (high != NIL and last is None):
            return None
        if holder.items is not None and holder.name == "tuple" and all(item.size is not None for item in holder.items):
            items = holder.items[first:last]
            return Value(("tuple", *(item.ident for item in items)), items=items, name="tuple")
        if holder.shape_of is None or holder.items is not None or first or last is None or last >= 0:
            return None
        like = self.like(holder.shape_of.tensor) or holder.shape_of
        return lead(Lead((), like.tensor.name, like.tensor.ident, like.layout, -last, ()))

    def length(self, value: Value, taken: bool = True) -> Value:
        """How many elements it has; `taken`: the function asks for that itself."""
        name = f"len({value.name})"
        of = value.shape_of
        if value.items is not None and value.name == "tuple":
            return number(len(value.items), name)
        if value.tensor:
            return self.dimension(value, 0)
        if taken:
            self.stale = self.stale or (self.asked and value.ident not in self.sized)
            self.sized.add(value.ident)
        if of is not None:
            return self.dimensions(of.tensor, name, of.layout)
        return number(variable(Atom(name, ("len", value.ident, self.state.epoch), natural=True)), name)


def prod(sizes: Iterable[Size]) -> Size:
    total = ONE
    for size in sizes:
        total = total * size
    return total


def lead(shape: Lead) -> Value:
    """A shape of unknown rank as a value."""
    ident = ("lead", shape.name, shape.of, shape.layout, shape.cut, shape.front, shape.tail)
    return Value(ident, name=f"{shape.name}.shape[:-{shape.cut}]")


def leading(value: Value) -> Lead | None:
    match value.ident:
        case ("lead", str(name), of, layout, int(cut), tuple() as front, tuple() as tail):
            return Lead(front, name, of, layout, cut, tail)
    return None


def joined(one: Value, other: Value) -> Value | None:
    """`x.shape[:-1] + (n,)` and `(n,) + x.shape[:-1]`"""
    before, behind = leading(one), leading(other)
    if before is not None and (sizes := _sizes(other)) is not None:
        return lead(replace(before, tail=(*before.tail, *sizes)))
    if behind is not None and (sizes := _sizes(one)) is not None:
        return lead(replace(behind, front=(*sizes, *behind.front)))
    return None


def _sizes(value: Value) -> tuple[Size, ...] | None:
    sizes = [item.size for item in value.items or ()]
    if value.items is None or value.name not in ("tuple", "list"):
        return None
    return None if None in sizes else tuple(size for size in sizes if size is not None)


def loosened(value: Value, ident: tuple[str, Def]) -> Value:
    """Any part of the same memory, or other memory."""
    return value.but(
        ident=ident,
        refs=somewhere(value.refs) | OUT | NEW if value.refs else NONE,
        inside=somewhere(value.inside) | OUT if value.inside else NONE,
        items=None,
        exact=False,
    )
