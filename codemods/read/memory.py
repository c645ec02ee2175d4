"""Telling what happens to memory: the events of one instruction, and who can reach what afterwards."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable
from dataclasses import replace

from codemods.core.effect import Outcome
from codemods.core.event import Birth, Buffer, Escape, Event, How, Read, Rebound, Write
from codemods.core.region import ALL, SOME, Box, Run, Somewhere
from codemods.core.size import Atom, Size, variable
from codemods.read.graph import Graph, Instr
from codemods.read.names import Names
from codemods.read.values import (
    FRESH,
    NEW,
    NONE,
    NOTHING,
    OUT,
    OUTSIDE,
    Def,
    Loose,
    Moment,
    Ref,
    Refs,
    Shape,
    State,
    Value,
    fresh,
    untagged,
    varies,
)

MADE = (("def",), ("tuple",), ("dict",), ("bin",), ("join",), ("before",), ("thrown",))  # idents of what may hold more
RELAYS = frozenset("resize_ resize_as_ set_ as_strided as_strided_ untyped_storage storage".split())


class Memory:
    """The state at a point and the events told so far; `events` is None while a fixed point is sought."""

    def __init__(self, graph: Graph, names: Names) -> None:
        self.graph = graph
        self.names = names
        self.state = State()
        self.at = Def(0, 0)
        self.events: list[Event] | None = None
        self.sites: dict[object, Buffer] = {}
        self.shapes: dict[Buffer, Shape] = {}
        self.launches: dict[Hashable, Outcome] = {}  # what was found out about a launch; it is asked at every visit
        self.packed: set[Buffer] = set()  # allocated here: its elements lie without gaps
        self.viewed: set[Buffer] = set()  # somewhere a view of it is made
        self.sized: set[Hashable] = set()  # values whose len() is taken: they can be walked without side effects
        self.passing: set[Buffer] = set()  # memory from outside that may be other memory each time
        self.restart = False
        self.stale = False  # something was learnt on which earlier events depend
        self.asked = False  # whether walking runs code was asked, and not known
        self.ran: set[ast.AST] = set()  # where code that cannot be seen runs
        self.kept_names: set[ast.AST] = set()  # names that an augmented assignment leaves bound to the same tensor
        self.moments: dict[ast.AST, Moment] = {}  # of allocations in loops, and in front of loops
        self.apart_calls: set[ast.AST] = set()  # calls that have no meaning where their arguments overlap
        self.trusted: set[str] = set()  # modules that are taken to hand on Triton, as assumptions
        self.assuming: tuple[str, ...] = ()  # what the call that is being told rests on
        self.streams: ast.AST | None = None  # where the function begins to work on several streams
        calls = [
            instr.node
            for block in graph.blocks
            for instr in block.instrs
            if instr.op == "call" and isinstance(instr.node, ast.Call)
        ]
        self.fills = any(getattr(call.func, "attr", "") in ("zero_", "fill_") for call in calls)
        self.relays = any(getattr(call.func, "attr", "") in RELAYS for call in calls)
        self.outs = any(keyword.arg == "out" for call in calls for keyword in call.keywords)

    # events

    def tell(self, event: Event) -> None:
        if self.events is not None:
            self.events.append(replace(event, assumes=self.assuming) if self.assuming else event)

    def mention(self, value: Value, node: ast.AST, why: str = "used by name") -> None:
        """Its name, shape or identity is used, but none of its elements."""
        if self.events is not None:
            for ref in _in_order(value.reach):
                if ref.buffer is not FRESH and ref.buffer is not OUTSIDE:
                    self.tell(Read(ref.buffer, None, node, why, ref.when))

    def read(self, value: Value, node: ast.AST, why: str = "read here", but: Refs = NONE) -> None:
        elsewhere = False
        for ref in _in_order(value.reach):
            if ref.buffer is FRESH:
                continue
            elsewhere = elsewhere or ref.buffer.shared or ref.buffer in self.state.escaped
            if ref.buffer is not OUTSIDE:
                self.tell(Read(ref.buffer, told(ref.region), node, why, ref.when))
        if elsewhere:
            self.outside_read(node, f"{why}: it may be the same memory", value.reach | but)

    def write(
        self,
        value: Value,
        node: ast.AST,
        why: str,
        sure: bool = False,
        constant: str | None = None,
        api: str = "",
        of: Ref | None = None,
    ) -> None:
        """`of`: only of this one of the tensors that it may be."""
        elsewhere = False
        for ref in _in_order(value.refs):
            if ref.buffer is FRESH:
                continue
            elsewhere = elsewhere or ref.buffer.shared or ref.buffer in self.state.escaped
            if ref.buffer is not OUTSIDE and (of is None or ref == of):
                others = tuple(other.when for other in value.refs if other is not ref and not _same(other, ref))
                latest = ref.buffer.older is not None or ref.buffer.shared
                certain = sure and ref.region.known and latest
                self.tell(Write(ref.buffer, ref.region, node, why, ref.when, certain, constant, api, others))
        if elsewhere:
            self.outside_write(node, value.refs)

    def escape(self, value: Value, node: ast.AST, why: str, how: How) -> None:
        """Others may look at it from now on, at any time."""
        out = {ref.buffer for ref in value.reach if ref.buffer is not FRESH and ref.buffer is not OUTSIDE}
        for ref in _in_order(value.reach):
            if ref.buffer in out:
                self.tell(Escape(ref.buffer, ALL, node, why, ref.when, how))
        if out - self.state.escaped:
            self.state.escaped |= out
        self.handed(value)

    def handed(self, value: Value) -> None:
        """Other code had it: of what that has put into a container nothing is told."""
        ours = any(ref.buffer is not OUTSIDE and ref.buffer is not FRESH for ref in value.reach)
        if not value.tensor and (ours or _bare(value)):
            self.grown(value)

    def grown(self, holder: Value) -> None:
        """A container may hold other memory from here on, under all its names and in all that holds it."""
        ours = {ref.buffer for ref in holder.reach} - {OUTSIDE, FRESH}
        for held in (self.state.names, self.state.slots):
            for key, value in held.items():
                if (new := _grown(value, ours, holder.ident)) is not value:
                    held[key] = new  # type: ignore[index]

    def outside_call(self, node: ast.AST, why: str, how: How = "unseen-call") -> None:
        """Code that we cannot see runs: it may look at, and write, whatever has been let out."""
        self.ran.add(node)
        for buffer in _ordered(self.state.escaped):
            self.tell(Escape(buffer, ALL, node, why, how=how, by_others=True))
            self.tell(Write(buffer, SOME, node, why, by_others=True))
        self.state.epoch = self.at

    def outside_read(self, node: ast.AST, why: str, but: Refs = NONE) -> None:
        named = {ref.buffer for ref in but}
        for buffer in _ordered(self.state.escaped - named):
            self.tell(Read(buffer, SOME, node, why, by_others=True))

    def outside_write(self, node: ast.AST, but: Refs = NONE) -> None:
        named = {ref.buffer for ref in but}
        for buffer in _ordered(self.state.escaped - named):
            self.tell(Write(buffer, SOME, node, "may be written: it may be the same memory", by_others=True))

    def everything(self) -> Value:
        """All that any name can reach."""
        reach: set[Ref] = set()
        for value in (*self.state.names.values(), *self.state.slots.values()):
            reach |= value.reach
        return Value(inside=frozenset(reach))

    def do_before(self, instr: Instr) -> None:
        """A loop is about to be entered: what holds now."""
        self.moment(instr.node)

    def moment(self, node: ast.AST) -> None:
        self.moments[node] = Moment(self.at, dict(self.state.names), self.state.epoch, self.state.layout)

    # buffers

    def made(self, node: ast.AST, name: str, tensor: bool = True) -> Value:
        """The result of an operator: followed only where something in the function is filled in place."""
        if self.fills and tensor:
            return self.born(node, name, name, None, False)
        return fresh(("def", self.at), name, tensor)

    def born(self, node: ast.AST, name: str, api: str, shape: Shape, dense: bool, typed: bool = False) -> Value:
        buffer = self.sites.get(node)
        if buffer is None:
            buffer = self.sites[node] = Buffer(name, Buffer(name))
            self.shapes[buffer] = shape
        elif self.shapes[buffer] != shape:
            self.blur(buffer, shape)
        self._make_older(buffer)
        known = shape if isinstance(shape, tuple) else None
        self.tell(Birth(buffer, ALL, node, f"{api} allocates it", api=api, shape=known, typed=typed))
        lasting = self.shapes[buffer]
        dims = tuple(range(len(lasting))) if isinstance(lasting, tuple) else Loose()
        return Value(("born", self.at), frozenset({Ref(buffer, ALL, dims, dense)}), tensor=True, name=name)

    def blur(self, buffer: Buffer, shape: Shape) -> None:
        """Its shape is not the same each time we look: forget what differs, and start over where it was relied on."""
        old = self.shapes.get(buffer)
        new: Shape = None
        if isinstance(old, tuple) and isinstance(shape, tuple) and len(old) == len(shape):
            new = tuple(
                one if one == other else variable(Atom("?", ("extent of", self.at, place), natural=True))
                for place, (one, other) in enumerate(zip(old, shape, strict=True))
            )
        if new != old:
            self.shapes[buffer] = new
            self.restart = True

    def _make_older(self, buffer: Buffer) -> None:
        older = buffer.older
        assert older is not None
        if buffer in self.state.escaped:
            self.state.escaped = (self.state.escaped - {buffer}) | {older}
        for held in (self.state.names, self.state.slots):
            for key, value in held.items():
                if any(ref.buffer is buffer for ref in value.reach):
                    refs, inside = _aged(value.refs, buffer), _aged(value.inside, buffer)
                    held[key] = value.but(refs=refs, inside=inside, items=None)  # type: ignore[index]

    def adopted(self, value: Value) -> Value:
        """Memory that is filled here but was not born here: from now on it has a buffer of its own, unless it may
        be another one each time round a loop."""
        if any(ref.buffer is not OUTSIDE and ref.buffer is not FRESH for ref in value.refs):
            return value
        lasting = value.refs == OUT and not any(varies(value.ident, loop) for loop in self.graph.heads.values())
        site = ("shared", value.ident) if lasting else ("shared", self.at)
        buffer = self.sites.get(site)
        if buffer is None:
            buffer = self.sites[site] = Buffer(value.name, shared=True)
            self.shapes[buffer] = None
        self.state.escaped |= {buffer}
        if not lasting:
            self.passing.add(buffer)
        known = value.but(refs=frozenset({Ref(buffer, ALL, Loose())}), inside=NONE, tensor=True)
        if lasting:
            for held in (self.state.names, self.state.slots):
                for key, other in held.items():
                    if other.ident == value.ident and other.refs == OUT:
                        held[key] = known.but(name=other.name)  # type: ignore[index]
        return known

    # sizes

    def number(self, value: Value) -> Size:
        """The number that a value is as a bound of a slice. One that may be a tensor or another object may
        change when code that we cannot see runs: it is known by the time, too."""
        if value.size is not None:
            return self.settle(value.size)
        own = any(ref.buffer is not OUTSIDE and ref.buffer is not FRESH for ref in value.reach)
        return variable(Atom(value.name, ("object", value.ident, self.at if own else self.state.epoch)))

    def moved(self, value: Value) -> None:
        """Memory is written that an index may be read from."""
        if any(ref.buffer is OUTSIDE or ref.buffer is FRESH for ref in value.refs) or not value.refs:
            self.state.epoch = self.at

    def settle(self, size: Size) -> Size:
        """The size in the terms of the equalities that hold here."""
        equal = self.state.equal
        for _ in range(4):
            if not (size.atoms & equal.keys()):
                break
            size = size.replace(equal.get)
        return size

    def slot(self, instr: Instr, index: int) -> Value:
        return self.state.slots.get(instr.args[index], NOTHING)

    def slots(self, instr: Instr) -> list[Value]:
        return [self.state.slots.get(slot, NOTHING) for slot in instr.args]

    def rebound(self, name: str, node: ast.AST) -> None:
        if self.events is not None and (old := self.state.names.get(name)):
            for ref in _in_order(old.refs):
                if ref.buffer is not FRESH and ref.buffer is not OUTSIDE:
                    self.tell(Rebound(ref.buffer, None, node, f"{name} is bound again", ref.when, name))


def told(region: Box) -> Box:
    """A part as a reader may be trusted to keep to: bounds that might be None are not relied on."""
    for dimension, axis in region.axes:
        if isinstance(axis, Run) and region.loose:
            region = region.along(dimension, Somewhere())
    return region


def _bare(value: Value) -> bool:
    """It may be a container that holds no memory yet."""
    if value.tensor or not value.reach <= NEW or value.size is not None or value.shape_of or value.fact:
        return False
    if value.name == "tuple" and value.items and all(item.size is not None for item in value.items):
        return False
    return isinstance(value.ident, tuple) and value.ident[:1] in MADE


def _grown(value: Value, ours: set[Buffer], ident: Hashable) -> Value:
    empty = _bare(value) and (value.ident == ident or value.name in ("list", "container", "tuple"))
    if value.tensor or not (empty or any(ref.buffer in ours for ref in value.inside)):
        return value
    items = None if value.items is None else tuple(_grown(item, ours, ident) for item in value.items)
    same = value.inside >= OUT and items == value.items
    return value if same else value.but(inside=value.inside | OUT, items=items)


def _same(one: Ref, other: Ref) -> bool:
    return one.buffer is other.buffer and one.region == other.region and one.region.known


def _aged(refs: Refs, buffer: Buffer) -> Refs:
    older = buffer.older or buffer
    return frozenset(Ref(older, ref.region, ref.dims, False, ref.when) if ref.buffer is buffer else ref for ref in refs)


def _in_order(refs: Refs) -> Iterable[Ref]:
    """The same in every run: which of two events comes first decides what is said."""
    if len(refs) < 2:
        return refs
    if len({ref.buffer.name for ref in refs}) == len(refs):
        return sorted(refs, key=lambda ref: ref.buffer.name)
    return sorted(refs, key=lambda ref: (ref.buffer.name, str(ref.region), sorted(ref.when)))


def _ordered(buffers: Iterable[Buffer]) -> list[Buffer]:
    return sorted(buffers, key=lambda buffer: buffer.name)


def somewhere(refs: Refs) -> Refs:
    """Some part of the same memory, or a copy of it."""
    return frozenset(ref if ref.buffer in (OUTSIDE, FRESH) else ref.part() for ref in untagged(refs))
