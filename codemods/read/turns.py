"""Walking: what the turns of a loop give, and whether walking runs code that cannot be seen."""

from __future__ import annotations

import ast

from codemods.core.size import Atom, variable
from codemods.read.calls import Calls
from codemods.read.graph import Instr
from codemods.read.memory import somewhere
from codemods.read.values import (
    NONE,
    NOTHING,
    OUT,
    Ref,
    Value,
    number,
    untagged,
)


class Turns(Calls):
    def do_iterate(self, instr: Instr) -> Value:
        """What is walked; its size is the number of turns, where an index counts them. A named `enumerate` may be
        moved on by others."""
        source = self.slot(instr, 0)
        if source.bound and source.bound[1] == "enumerate" and source.items and isinstance(instr.node, ast.Call):
            return source.but(size=self.length(source.items[0], taken=False).size)
        return source

    def counter(self, head: int, way: tuple[int, ...], natural: bool) -> Value:
        """An index that counts turns; only that of the loop itself, with no way, counts all of them from its start."""
        place = self.at._replace(block=head, place=0)
        key = ("loop", place, way) if way else ("loop", place)
        return number(variable(Atom(self.graph.indices.get(head, "index"), key, natural)), "index")

    def do_turn(self, instr: Instr) -> None:
        source = self.state.names.get(f"%it{instr.data}", NOTHING)
        if not self.quiet_source(source):
            self.outside_call(instr.node, f"reachable when {source.name if source.name != '?' else 'it'} is walked")

    def quiet_source(self, source: Value) -> bool:
        """Walking it runs no code that cannot be seen."""
        if source.bound is not None and source.bound[0] is NOTHING:
            kind = source.bound[1]
            return kind == "range" or (kind != "lazy" and all(self.quiet_source(item) for item in source.items or ()))
        if source.ident in self.sized or source.tensor or source.items is not None:
            return True
        self.asked = True
        return not source.refs & OUT and source.api is None

    def do_next(self, instr: Instr) -> Value:
        head = int(str(instr.data))
        source = self.state.names.get(f"%it{head}", NOTHING)
        return self.turn_of(source, head)

    def turn_of(self, source: Value, head: int, way: tuple[int, ...] = ()) -> Value:
        """What one turn gives; `way` leads into a zip or an enumerate, where each part counts for itself."""
        kind = source.bound[1] if source.bound and source.bound[0] is NOTHING else ""
        if kind == "range" and source.items:
            start, _, step = (item.size for item in source.items)
            natural = start is not None and start.natural and step is not None and step.natural
            return self.counter(head, way, natural)
        if kind in ("enumerate", "zip") and source.items:
            parts = [self.turn_of(item, head, (*way, place + 1)) for place, item in enumerate(source.items)]
            if kind == "enumerate":
                parts = [self.counter(head, way, True), *parts]
            held = untagged(frozenset().union(*(part.reach for part in parts), NONE))
            return Value(("def", self.at, *way), inside=held, items=tuple(parts), name="tuple")
        if source.tensor:
            self.note_view(source)
            return Value(("def", self.at, *way), somewhere(source.refs), tensor=True, name=f"{source.name}[]")
        refs, inside = self.element(source)
        return Value(("def", self.at, *way), refs, inside, name=f"an element of {source.name}")

    def element(self, holder: Value) -> tuple[frozenset[Ref], frozenset[Ref]]:
        """What an element of a container may be: anything that is in it."""
        held = untagged(holder.inside) | somewhere(holder.refs)
        return held or NONE, held
