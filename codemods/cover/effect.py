"""The effect of a launch on one of its arguments, in words and as regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from codemods.core.access import Access, Trace
from codemods.core.condition import blind, conjuncts
from codemods.core.effect import Contradiction, Effect
from codemods.core.poly import ONE, ZERO, Atom, Poly, deep, poly
from codemods.core.region import ALL, Box, Run
from codemods.core.size import Size
from codemods.cover.bounds import Facts
from codemods.cover.boxes import Interval, Shape
from codemods.cover.refute import Doubt, missed
from codemods.cover.seen import seen
from codemods.cover.stores import Covered, covered

ENDLESS = poly(Atom("size", (), True, "the size of all memory"))


@dataclass(frozen=True, slots=True)
class Memory:
    """An argument: the parameter it is passed for, and its shape where that is known. `size` gives a polynomial in
    the names of the host, where it has names for all of it. `count`: so many elements fill the memory from the pointer
    on, in whatever order."""

    parameter: str
    extents: tuple[Poly, ...] | None
    strides: tuple[Poly, ...] | None
    size: Callable[[Poly], Size | None]
    count: Poly | None = None


def effect(trace: Trace, memory: Memory | None, name: str, path: str, line: int) -> Effect:
    """What all programs of a launch do to one argument."""
    if memory is None:
        return Effect(reads=None, touches=False)
    if trace.unseen:
        told = f"{name} is not understood: {trace.unseen} ({path}:{line})"
        return Effect(keeps="unseen", told=told, missing=told)
    own = [access for access in trace.accesses if access.bases is None or memory.parameter in access.bases]
    stores = [access for access in own if access.kind == "store"]
    shape = _shape(trace, memory.extents, memory.strides)
    reads, looked = seen(own, shape, memory.size)
    if len(stores) == len(own) == 0:
        return Effect(reads=None, touches=False, told=f"{name} does not use it ({path}:{line})")
    if not any(access.kind != "load" for access in own):
        return Effect(reads=reads, touches=False, told=f"{name} reads it ({place(own[0])})")
    found = Effect(reads=reads, touches=True, told=looked)
    direct = [store for store in stores if store.bases == frozenset({memory.parameter}) and store.offset is not None]
    if obstacle := _obstacle(own, direct, memory, name):
        return replace(found, told=found.told or obstacle, missing=obstacle)
    told = f"{name} stores into it, but its shape is not known ({place(direct[0])})"
    shaped = replace(found, told=found.told or told, missing=told)
    if shape is not None:
        shaped = _written(found, covered(direct, shape, trace.grid), direct, shape, trace, memory, name)
    stretch = _shape(trace, (memory.count,), (ONE,)) if memory.count is not None and shaped.writes != ALL else None
    if stretch is None:
        return shaped
    flat = _written(found, covered(direct, stretch, trace.grid), direct, stretch, trace, memory, name)
    if flat.writes == ALL:
        return flat
    shaped = replace(shaped, contradiction=shaped.contradiction or flat.contradiction)
    if shape is not None:
        return shaped
    # a part of the memory is not a part of the indices
    first = None if shaped.contradiction else _first(direct, trace)
    count = memory.size(stretch.count) or stretch.count
    told = f"is not known to store all of its {count} elements, and its shape is not known"
    if first is not None:
        size = memory.size(first) or first
        told = f"stores the first {size} of its {count} elements, and nothing says that these are all"
    told = f"{name} {told} ({place(direct[0])})"
    return replace(shaped, told=found.told or told, missing=told)


def _first(direct: list[Access], trace: Trace) -> Poly | None:
    """So many elements are stored, from the start of the memory on, however many there are."""
    values = [*trace.grid, *(value for store in direct for value in _values(store))]
    sizes = {atom for value in values for atom in deep(value) if atom.kind == "size" and atom.natural}
    stretch = Shape((ONE,), (ONE,), Facts(trace.positive | sizes))
    part = covered(direct, replace(stretch, extents=(ENDLESS,)), trace.grid).part
    if part is None or part[0][0] != ZERO:
        return None
    first = part[0][1]
    if len(first.terms) != 1 or not sizes - trace.positive <= first.atoms:  # with a size of 0, these are none at all
        return None
    return None if missed(_plain(direct), replace(stretch, extents=(first,)), trace.grid) else first


def place(access: Access) -> str:
    return f"{access.path}:{access.line}"


def _shape(trace: Trace, extents: tuple[Poly, ...] | None, strides: tuple[Poly, ...] | None) -> Shape | None:
    if extents is None or strides is None or len(extents) != len(strides):
        return None
    if any((-extent).natural for extent in extents):
        return None  # there is nothing to write, and nothing to prove it from
    return Shape(extents, strides, Facts(trace.positive).knowing(*extents))


def _obstacle(own: list[Access], direct: list[Access], memory: Memory, name: str) -> str:
    """Why there is no point in asking what the stores reach."""
    for access in own:
        if access.kind == "atomic":
            return f"{name} reads and writes it in one with `{access.text}` ({place(access)})"
    for store in direct:
        for load in own:
            same = load.kind == "load" and load.offset == store.offset and load.bases == store.bases
            if same and store.value is not None and load.result in deep(store.value):
                return f"{name} reads what is there and writes it back, changed ({place(store)})"
    if not direct:
        store = next(access for access in own if access.kind != "load")
        return f"{name} stores through a pointer that is not understood ({place(store)})"
    return ""


def _written(
    found: Effect, part: Covered, direct: list[Access], shape: Shape, trace: Trace, memory: Memory, name: str
) -> Effect:
    if part.part is not None and not part.gap:
        if doubt := missed(_plain(direct), shape, trace.grid):
            return doubted(found, doubt, f"{name} stores all of it", _plain(direct), shape, trace, place(part.by[0]))
        told = f"{name} stores all of it ({place(part.by[0])})"
        return replace(found, writes=ALL, touches=False, told=_with(found.told, told))
    if loaded := _loaded(direct, name):
        return replace(found, told=found.told or loaded, missing=loaded)
    region = _box(part.part, shape, memory.size) if part.part is not None and len(direct) == 1 else None
    if region is None or not region.axes:
        told = f"{name} is not known to store all of it: {part.gap} ({direct[0].path}:{part.line})"
        return replace(found, told=found.told or told, missing=told)
    assert part.part is not None
    alone = _first_missing(part.part, direct, shape)
    text = "element {0} is never written" if alone else f"only {region} is surely written"
    missing = f"{name}: {text} ({place(direct[0])})"
    told = f"{name} never writes element {{0}}" if alone else f"{name} surely writes only {region}"
    told = f"{told} ({place(direct[0])})"
    small = replace(shape, extents=tuple(b - a for a, b in part.part))
    moved = tuple(replace(store, offset=_shifted(store, part.part, shape)) for store in _plain(direct))
    if doubt := missed(moved, small, trace.grid):
        return doubted(found, doubt, f"{name} stores {region}", moved, small, trace, place(part.by[0]))
    return replace(found, writes=region, touches=not alone, told=_with(found.told, told), missing=missing)


def _number(atom: Atom) -> tuple[int, str]:
    """What was not known first comes first."""
    return int(str(atom.parts[0])) if atom.kind == "blind" else 0, atom.text


def doubted(
    found: Effect, doubt: Doubt, claim: str, stores: tuple[Access, ...], shape: Shape, trace: Trace, where: str
) -> Effect:
    """A proof that numbers contradict is a mistake of this program; one that they cannot check is just not used."""
    kind = "internal error, please report it" if doubt.refuted else "not checked"
    told = f"{kind}: the proof says that {claim}, but {doubt.text} ({where})"
    wrong = None
    if doubt.refuted:
        seen = tuple(f"{place(store)}: {store.text}: {store.offset} where {store.test}" for store in stores)
        extents = f"{', '.join(map(str, shape.extents))}; strides {', '.join(map(str, shape.strides))}"
        wrong = Contradiction(claim, doubt.text, doubt.sizes, where, seen, extents, ", ".join(map(str, trace.grid)))
    return replace(found, told=told, missing=told, contradiction=wrong)


def _plain(stores: list[Access]) -> tuple[Access, ...]:
    """Those whose addresses are known."""
    return tuple(
        store
        for store in stores
        if store.offset is not None
        and all(turns.total for turns in store.loops)
        and not any(atom.kind == "blind" for value in _values(store) for atom in deep(value))
    )


def _values(store: Access) -> list[Poly]:
    bounds = [value for turns in store.loops for value in (turns.low, turns.high, turns.step)]
    return [*bounds, *store.test.polys(), *([store.offset] if store.offset is not None else [])]


def _with(one: str, two: str) -> str:
    return f"{one}; {two}" if one else two


def _shifted(store: Access, part: tuple[Interval, ...], shape: Shape) -> Poly:
    assert store.offset is not None
    offset = store.offset
    for (low, _), stride in zip(part, shape.strides, strict=True):
        offset = offset - low * stride
    return offset


def _loaded(direct: list[Access], name: str) -> str:
    """The load that decides where, or whether, something is stored."""
    for store in direct:
        assert store.offset is not None
        for atom in sorted(deep(store.offset), key=_number):
            if atom.kind == "blind":
                return f"where {name} stores depends on {atom.parts[1]} (line {atom.parts[2]} of {store.path})"
        hidden = [
            (atom.parts[1], atom.parts[2])
            for value in _values(store)
            for atom in sorted(deep(value), key=_number)
            if atom.kind == "blind"
        ]
        hidden += [(unknown.why, unknown.line) for part in conjuncts(store.test) if (unknown := blind(part))]
        if hidden:
            return f"whether {name} stores depends on {hidden[0][0]} (line {hidden[0][1]} of {store.path})"
    return ""


def _box(part: tuple[Interval, ...], shape: Shape, size: Callable[[Poly], Size | None]) -> Box | None:
    """The region, where the host has names for its ends; an end behind the last index is the end."""
    region = ALL
    for dimension, ((low, high), extent) in enumerate(zip(part, shape.extents, strict=True)):
        ends = shape.facts.natural(high - extent)
        starts = shape.facts.natural(-low)
        if starts and ends:
            continue
        first, last = size(ZERO if starts else low), None if ends else size(high)
        if first is None or not ends and last is None:
            return None
        if not shape.facts.natural(low) or not first.natural or last is not None and not last.natural:
            return None
        region = region.along(dimension, Run(first, last))
    return region


def _first_missing(part: tuple[Interval, ...], direct: list[Access], shape: Shape) -> bool:
    """All but element 0 is written, and that one never is."""
    if len(part) != 1 or part[0][0] != ONE or not shape.facts.natural(part[0][1] - shape.extents[0]):
        return False
    return all(store.offset is not None and shape.facts.natural(store.offset - 1) for store in direct)
