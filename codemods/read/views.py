"""Views: which part of a buffer an index, or a method that returns the same memory, stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from codemods.core.region import FULL, Axis, Comb, Run, Somewhere
from codemods.core.size import ONE, ZERO, Size, as_size, at_most
from codemods.read.values import FRESH, OUTSIDE, Loose, Ref, Refs, Shape, Value, size_in

ShapeOf = Callable[[Ref], Shape]


@dataclass(frozen=True, slots=True)
class Cut:
    """One entry of a basic index: `low:high:step`, with None where nothing stands."""

    low: Size | None = None
    high: Size | None = None
    step: int | None = 1
    point: bool = False  # an integer: the dimension goes


@dataclass(frozen=True, slots=True)
class NewAxis: ...


@dataclass(frozen=True, slots=True)
class Rest: ...


Entry = Cut | NewAxis | Rest


def entries(index: Value, number: Callable[[Value], Size]) -> tuple[Entry, ...] | None:
    """The entries of an index, or None where it may be an advanced one: a mask, a list, a tensor."""
    parts = index.items if index.items is not None and index.name == "tuple" else (index,)
    found: list[Entry] = []
    for part in parts:
        entry = _entry(part, number)
        if entry is None:
            return None
        found.append(entry)
    return tuple(found)


def _entry(part: Value, number: Callable[[Value], Size]) -> Entry | None:
    if part.name == "slice" and part.items is not None:
        low, high, step = part.items
        width = 1 if step == NIL else step.size.constant if step.size is not None else None
        if width is None or width < 1:
            return Cut(step=None)
        first, last = (None if end == NIL else number(end) for end in (low, high))
        return Cut(first, last, width)
    if part == NIL:
        return NewAxis()
    if part == ELLIPSIS:
        return Rest()
    if part.size is not None:
        size = number(part)
        return Cut(size, size + ONE, point=True)
    return None


NIL = Value("None", name="None")
ELLIPSIS = Value("...", name="...")


def indexed(ref: Ref, index: tuple[Entry, ...], shape_of: ShapeOf) -> Ref:
    """The view that a basic index makes."""
    if ref.buffer is OUTSIDE or ref.buffer is FRESH:
        return ref
    match ref.dims:
        case tuple() as dims:
            return _indexed(ref, dims, index, shape_of(ref))
        case Loose() as loose:
            return _indexed_loosely(ref, loose, index, shape_of(ref))
    whole = all(isinstance(entry, NewAxis | Rest) or entry == Cut() for entry in index)
    return ref if whole else ref.part()


def _indexed(ref: Ref, dims: tuple[int | None, ...], index: tuple[Entry, ...], shape: Shape) -> Ref:
    """With every dimension known."""
    region, dense, kept, position = ref.region, ref.dense, list[int | None](), 0
    width = len([entry for entry in index if isinstance(entry, Cut)])
    if width > len(dims):
        return ref.part()  # Python raises
    for entry in index:
        if isinstance(entry, NewAxis):
            kept.append(None)
        elif isinstance(entry, Rest):
            skip = len(dims) - width
            kept += dims[position : position + skip]
            position += skip
        else:
            target = dims[position]
            if target is None and entry != Cut():
                return ref.part()
            dense = dense and (entry == Cut() or (target == 0 and entry.step == 1))
            if target is not None:
                region = region.along(target, cut(region.axis(target), entry, size_in(shape, target)))
            kept += [] if entry.point else [target]
            position += 1
    return Ref(ref.buffer, region, (*kept, *dims[position:]), dense, ref.when)


def _indexed_loosely(ref: Ref, dims: Loose, index: tuple[Entry, ...], shape: Shape) -> Ref:
    """With an unknown number of dimensions: the first ones count from the front, those behind an ellipsis from the
    back. Both ways may lead to one dimension, so a view that was cut one way is not cut the other way."""
    region, dense, regular = ref.region, ref.dense, True
    rest = next((place for place, entry in enumerate(index) if isinstance(entry, Rest)), len(index))
    for entries, from_end in ((index[:rest], False), (index[rest + 1 :], True)):
        cuts = [entry for entry in entries if isinstance(entry, Cut)]
        if any((key < 0) != from_end for key, _ in ref.region.axes) and any(entry != Cut() for entry in cuts):
            return ref.part()
        for position, entry in enumerate(cuts, -len(cuts) if from_end else 0):
            target = position - dims.back if from_end else position + dims.front
            dense = dense and (entry == Cut() or (target == 0 and entry.step == 1 and not from_end))
            region = region.along(target, cut(region.axis(target), entry, size_in(shape, target)))
        points = [entry.point for entry in cuts]
        ordered = sorted(points, reverse=not from_end)  # integers first, or behind an ellipsis last
        regular = regular and points == ordered and len(cuts) == len(entries)
        dims = Loose(dims.front, dims.back + sum(points)) if from_end else Loose(dims.front + sum(points), dims.back)
    return Ref(ref.buffer, region, dims if regular else None, dense, ref.when)


def cut(axis: Axis, entry: Cut, size: Size | None) -> Axis:
    """One dimension of a view, cut once more; `size` is the extent of the buffer's dimension."""
    if entry.step is None:
        return Somewhere()
    if entry.step != 1:
        rest = 0 if entry.low is None else entry.low.constant
        if axis == FULL and entry.high is None and rest is not None and 0 <= rest < entry.step:
            return Comb(entry.step, frozenset({rest}))
        return Somewhere()
    length = span_of(axis, size)
    if entry.point:
        run = _point(entry.low or ZERO, length)
        return Somewhere() if run is None else _compose(axis, run)
    low = ZERO if entry.low is None else _bound(entry.low, length)
    if low is None:  # from its end on: nothing
        return Somewhere() if size is None or axis != FULL else Run(size, None)
    return _compose(axis, Run(low, _bound(entry.high, length)))


def _point(index: Size, size: Size | None) -> Run | None:
    """The one place that an integer index names; it must be in range, otherwise Python raises."""
    value = index.constant
    if value is not None and value < 0:
        if size is not None and size.constant is not None:
            index = index + size
        else:
            return Run(index, None if value == -1 else index + ONE)
    if not index.natural:
        if size is not None and index == size - ONE:
            return Run(as_size(-1), None)
        return None
    high = index + ONE
    return Run(index, None if high == size else high)


def _bound(bound: Size | None, size: Size | None) -> Size | None:
    """A bound of a slice over a whole dimension, None where it is certainly the end."""
    if bound is None or size is None:
        return bound
    if bound == size or (bound.natural and at_most(size, bound)):
        return None
    value, width = bound.constant, size.constant
    if value is not None and value < 0 and width is not None:
        return as_size(max(0, width + value))
    return as_size(-1) if width is None and bound == size - ONE else bound


def _compose(axis: Axis, run: Run) -> Axis:
    """A run inside a run. Only with ends that are certainly not negative: those count from the outer start."""
    if axis == FULL:
        return run
    if run == FULL:
        return axis
    if not isinstance(axis, Run) or not axis.low.natural or not run.low.natural:
        return Somewhere()
    if run.high is None:
        return Run(axis.low + run.low, axis.high)
    if not run.high.natural:
        return Somewhere()
    high = axis.low + run.high
    if axis.high is None or at_most(high, axis.high):
        return Run(axis.low + run.low, high)
    return Somewhere()


def span_of(axis: Axis, size: Size | None) -> Size | None:
    """How long a cut dimension is, where that is certain."""
    if axis == FULL:
        return size
    match axis:
        case Run(low, high) if low.natural and size is not None:
            end = size if high is None else high
            inside = high is None or (high.natural and at_most(high, size))
            return end - low if inside and at_most(low, end) else None
    return None


def shape_of_view(ref: Ref, shape: tuple[Size, ...] | None) -> tuple[Size, ...] | None:
    """The shape of a view, where every dimension is known."""
    if shape is None or not isinstance(ref.dims, tuple):
        return None
    found = [ONE if dim is None else span_of(ref.region.axis(dim), shape[dim]) for dim in ref.dims]
    return None if any(size is None for size in found) else tuple(size for size in found if size is not None)


SAME = frozenset(
    "detach view_as view unflatten swapaxes swapdims transpose t permute adjoint unsqueeze squeeze movedim moveaxis "
    "ravel flatten contiguous reshape reshape_as T mT H mH data".split()
)
COPIES = frozenset("ravel flatten contiguous reshape reshape_as H mH".split())


def method_view(refs: Refs, name: str, args: list[Value], copies: bool) -> Refs:
    """What a method that keeps or may keep the memory returns, reference by reference."""
    out: set[Ref] = set()
    for ref in refs:
        if ref.buffer is OUTSIDE or ref.buffer is FRESH:
            out.add(ref)
        elif name in SAME and not (name == "view" and not all(_is_size(value) for value in args)):
            same = name not in COPIES or ref.dense
            out.add(_recast(ref, name, args))
            if not same:
                out.add(Ref(FRESH))
        else:
            out.add(ref.part())
            if copies:
                out.add(Ref(FRESH))
    return frozenset(out)


def _is_size(value: Value) -> bool:
    """A size, or sizes; a dtype would give other values to the same bytes."""
    return value.size is not None or value.items is not None or value.shape_of is not None


def _recast(ref: Ref, name: str, args: list[Value]) -> Ref:
    """The same elements; where the dimensions only change places they are still known."""
    sure_dense = name in (
        "view",
        "view_as",
        "reshape",
        "reshape_as",
        "ravel",
        "flatten",
        "contiguous",
        "detach",
        "data",
    )
    dense = ref.dense and sure_dense
    if name in ("detach", "data", "contiguous"):
        return replace(ref, dense=dense)
    dims = ref.dims
    if not isinstance(dims, tuple):
        return replace(ref, dims=None, dense=dense)
    places = [value.size.constant if value.size is not None else None for value in args]
    numbers = [place for place in places if place is not None]
    rank = len(dims)
    if name in ("T", "t", "mT") and rank == 2:
        return replace(ref, dims=dims[::-1], dense=False)
    if name in ("transpose", "swapaxes", "swapdims") and len(numbers) == len(places) == 2:
        one, two = (place % rank for place in numbers) if rank else (0, 0)
        moved = list(dims)
        moved[one], moved[two] = moved[two], moved[one]
        return replace(ref, dims=tuple(moved), dense=False)
    if (
        name == "permute"
        and len(numbers) == len(places) == rank
        and sorted(n % rank for n in numbers) == list(range(rank))
    ):
        return replace(ref, dims=tuple(dims[n % rank] for n in numbers), dense=False)
    if name == "unsqueeze" and len(numbers) == 1:
        place = numbers[0] % (rank + 1)
        return replace(ref, dims=(*dims[:place], None, *dims[place:]), dense=False)
    return replace(ref, dims=None, dense=dense)


def narrowed(start: Value, length: Value, number: Callable[[Value], Size]) -> Cut | None:
    """`narrow(dim, start, length)` as a cut of that dimension; it must be in range."""
    if start.size is None or length.size is None or not number(start).natural:
        return None
    low = number(start)
    return Cut(low, low + number(length))


__all__ = ["ELLIPSIS", "NIL", "Cut", "Entry", "entries", "indexed", "method_view", "narrowed", "shape_of_view"]
