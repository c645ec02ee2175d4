"""What holds where paths come together, and when a path comes round a loop."""

from __future__ import annotations

from collections.abc import Hashable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from codemods.core.event import Buffer
from codemods.core.size import Atom, variable
from codemods.read.values import NONE, OUT, Def, State, Value, merge, runs, tracked, varies, without

LASTING = (("api",), ("bool",), ("const",))  # the first part of idents that no loop changes


@dataclass(frozen=True, slots=True)
class Join:
    """A block into which several paths lead. `edges` tells them apart later, None: they cannot be. `live`: the names
    that are still looked up. `own`: what has become a value of its own here stays one, or the search might not end."""

    block: int
    edges: list[int] | None
    live: frozenset[str]
    own: set[Hashable]

    def state(self, every: list[State]) -> State:
        """A name that nobody looks up any more is let go, unless it holds memory that is followed: when it is bound
        again is an event."""
        if len(every) == 1:
            return every[0].copy()
        first, others = every[0], every[1:]
        names = first.names
        for state in others:
            same = state.names.get
            names = {name: value for name, value in names.items() if same(name) is value}
        if self.own:
            names = {name: value for name, value in names.items() if name not in self.own}
        for name in dict.fromkeys(name for state in every for name in state.names if name not in names):
            held = [(place, state.names[name]) for place, state in enumerate(every) if name in state.names]
            if name in self.live or any(tracked(value) for _, value in held):
                names[name] = self.value(name, held)
        slots = {
            slot: self.value(slot, [(place, state.slots[slot]) for place, state in enumerate(every)])
            for slot in first.slots
            if all(slot in state.slots for state in others)
        }
        return State(
            names,
            slots,
            escaped=frozenset().union(*(state.escaped for state in every)),
            closed=frozenset().union(*(state.closed for state in every)),
            epoch=self.time([state.epoch for state in every], "epoch"),
            layout=self.time([state.layout for state in every], "layout"),
            equal={k: v for k, v in first.equal.items() if all(state.equal.get(k) == v for state in others)},
            ranks={k: v for k, v in first.ranks.items() if all(state.ranks.get(k) == v for state in others)},
            positive=first.positive.intersection(*(state.positive for state in others)),
        )

    def time(self, times: list[Hashable], kind: str) -> Hashable:
        """The one time at which all paths come in, or a new one; a path that comes round unchanged says nothing."""
        here = (kind, Def(self.block, -1))
        others = {time for time in times if time != here}
        if len(others) == 1 and here not in self.own:
            return others.pop()
        self.own.add(here)
        return here

    def value(self, name: Hashable, held: list[tuple[int, Value]]) -> Value:
        ident = ("join", Def(self.block, -1), name)
        if name not in self.own:
            if all(value is held[0][1] for _, value in held):
                return held[0][1]
            others = [value for _, value in held if value.ident != ident] or [held[0][1]]
            if all(value is others[0] or value == others[0] for value in others):
                return others[0]
            self.own.add(name)
        tags = None if self.edges is None else [self.edges[place] for place, _ in held]
        return merge([value for _, value in held], ident, self.block, tags)


def aged(state: State, before: State | None, loop: frozenset[int], head: int, live: frozenset[str]) -> State:
    """A state that comes round a loop: what the loop makes anew is an earlier one from here on. What was there
    `before` the loop, and still is, is not one of those. What nobody looks up any more is let go, as in a join."""
    entry = before.names if before is not None else {}
    names: dict[str, Value] = {}
    for name, value in state.names.items():
        if entry.get(name) is value:
            names[name] = value
        elif name in live or tracked(value):
            carried = before is not None and name not in entry  # in the first turn it is not bound at all
            names[name] = _aged(value, loop, head, name, carried)
    state = replace(state, names=names, slots=dict(state.slots))
    for slot, value in state.slots.items():
        state.slots[slot] = _aged(value, loop, head, slot)
    if varies(state.epoch, loop) and state.epoch != ("epoch", Def(head, -1)):
        state.epoch = ("epoch before", Def(head, -1))
    if varies(state.layout, loop) and state.layout != ("layout", Def(head, -1)):
        state.layout = ("layout before", Def(head, -1))
    state.equal = {k: v for k, v in state.equal.items() if not varies(k.key, loop) and not varies(v, loop)}
    state.ranks = {k: v for k, v in state.ranks.items() if not varies(k, loop)}
    state.positive = frozenset(size for size in state.positive if not varies(size, loop))
    return state


def outgrown(state: State, stale: AbstractSet[Buffer]) -> State:
    """Of memory that the last turn made, whose shape is told in numbers of that turn, no dimension is known."""
    if not stale:
        return state
    for held in (state.names, state.slots):
        for key, value in held.items():
            if any(ref.buffer in stale for ref in value.reach):
                refs, inside = (
                    frozenset(replace(ref, dims=None, dense=False) if ref.buffer in stale else ref for ref in every)
                    for every in (value.refs, value.inside)
                )
                held[key] = value.but(refs=refs, inside=inside)  # type: ignore[index]
    return state


def _aged(value: Value, loop: frozenset[int], head: int, name: str | int, carried: bool = False) -> Value:
    if isinstance(value.ident, tuple) and value.ident[:1] in LASTING and not value.reach:
        return value
    stale = carried or varies(value.ident, loop) or (value.size is not None and varies(value.size, loop))
    if stale and value.ident != ("join", Def(head, -1), name):
        ident = ("before", Def(head, -1), name)
        size = None if value.size is None else variable(Atom(value.name, ident, value.size.natural))
        more = OUT if runs(value) else NONE
        value = value.but(refs=value.refs | more, inside=value.inside | more)
        value = value.but(ident=ident, size=size, items=None, shape_of=None, bound=None, fact=None, entries=None)
        if carried and isinstance(name, str):  # else it grows with each visit
            value = value.but(name=name)
    if value.meta is not None and varies((value.meta.dtype, *(value.meta.shape or ())), loop):
        value = value.but(meta=None)
    refs, inside = without(value.refs, loop), without(value.inside, loop)
    return value if refs is value.refs and inside is value.inside else value.but(refs=refs, inside=inside, exact=False)
