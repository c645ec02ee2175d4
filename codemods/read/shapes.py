"""Shapes: of tensors that are born here, and names for the extents of all others."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from codemods.core.event import Buffer
from codemods.core.region import ALL
from codemods.core.size import ONE, Atom, Size, variable
from codemods.read.memory import Memory, somewhere
from codemods.read.values import (
    FRESH,
    NEW,
    NONE,
    NOTHING,
    OUT,
    OUTSIDE,
    Def,
    Like,
    Loose,
    Ref,
    Shape,
    Value,
    extent,
    number,
)
from codemods.read.views import shape_of_view


class Shapes(Memory):
    def shape(self, holder: Value) -> Value:
        name = f"{holder.name}.shape"
        known, now = self.shape_of(holder), Like(holder, self.state.layout)
        if known is not None:
            sizes = tuple(number(self.settle(size), str(size)) for size in known)
            return Value(("shape", *known), items=sizes, name="tuple", shape_of=now)
        rank = self.state.ranks.get((holder.ident, self.state.layout))
        items = None if rank is None else tuple(self.dimension(holder, place) for place in range(rank))
        ident = ("shape", holder.ident, self.state.layout)
        return Value(ident, items=items, name="tuple" if items else name, shape_of=now)

    def dimension(self, tensor: Value, place: int, then: Hashable = None) -> Value:
        """One extent of a tensor, as it is now or as it was `then`."""
        layout = self.state.layout if then is None else then
        rank = self.state.ranks.get((tensor.ident, layout))
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
        if known is None:
            return number(
                variable(
                    Atom(text, ("numel", tensor.ident, self.state.layout if then is None else then), natural=True)
                ),
                text,
            )
        total = ONE
        for size in known:
            total = total * size
        return number(total, text)

    def length(self, value: Value, taken: bool = True) -> Value:
        """How many elements it has; `taken`: the function asks for that itself."""
        name = f"len({value.name})"
        if value.items is not None and value.name == "tuple":
            return number(len(value.items), name)
        if value.tensor:
            return self.dimension(value, 0)
        if taken:
            self.stale = self.stale or (self.asked and value.ident not in self.sized)
            self.sized.add(value.ident)
        return number(variable(Atom(name, ("len", value.ident, self.state.epoch), natural=True)), name)


def loosened(value: Value, ident: tuple[str, Def]) -> Value:
    """Any part of the same memory, or other memory."""
    return replace(
        value,
        ident=ident,
        refs=somewhere(value.refs) | OUT | NEW if value.refs else NONE,
        inside=somewhere(value.inside) | OUT if value.inside else NONE,
        items=None,
    )
