"""Calls whose callee was looked into: its outcome, told as events on the memory of the arguments."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from codemods.core.effect import UNSEEN, Effect, Outcome
from codemods.core.event import Read
from codemods.core.region import ALL, Box, Comb, Run
from codemods.core.report import Notice
from codemods.core.size import Atom, Size, as_size, variable
from codemods.read.births import Given
from codemods.read.graph import Instr
from codemods.read.memory import somewhere
from codemods.read.modules import KernelSource
from codemods.read.operators import Operators
from codemods.read.uses import only_called
from codemods.read.values import FRESH, NONE, OUT, OUTSIDE, Def, Ref, Refs, Value, number, tracked, untagged
from codemods.read.views import Cut, Entry, Rest, indexed

Key = int | str  # of an argument: its place, or its keyword


@dataclass(frozen=True, slots=True)
class Asked:
    """A call, as far as the caller knows it. `holder`: what is called, or what stands in front of `.attr`.
    `arguments`: by place, or keyword; those behind a `*` or `**` are left out where `open`."""

    node: ast.Call
    holder: Value
    attr: str
    arguments: dict[Key, Value]
    open: bool = False
    fresh: frozenset[Key] = frozenset()  # whose memory is followed
    made: ast.AST | None = None  # the call, or the nested function, that the holder comes from
    whole: Mapping[Key, Mapping[Ref, str]] = field(default_factory=dict)  # alternatives that are surely all written


class Callees(Protocol):
    def annotated(self, api: str) -> int | str | None: ...

    def outcome(self, asked: Asked) -> Outcome | None: ...

    def kernel(self, holder: Value) -> KernelSource | None: ...

    def contradicted(self, notice: Notice) -> None: ...


class Outcomes(Operators):
    callees: Callees | None = None

    def seen_into(self, given: Given, holder: Value, attr: str) -> Value | None:
        """The result of a call that can be seen into; None where it cannot, or where there is nothing to gain."""
        if self.callees is None or tracked(holder):
            return None
        spread = tuple(value for key, value in _arguments(given, True).items() if key not in _arguments(given, False))
        arguments = _arguments(given, False)
        ours = frozenset(key for key, value in arguments.items() if self.followed(value))
        if not ours or any(tracked(value) for value in spread):
            return None
        made = self.made_by(holder)
        asked = Asked(given.node, holder, attr, arguments, given.starred or given.spread, ours, made)
        outcome = self.callees.outcome(asked)
        if outcome is None:
            return None
        if (both := self.together(arguments, outcome)) is not None:
            name = f"{holder.name}.{attr}" if attr else holder.name
            why = f"passed to {name}() as two arguments, and what two arguments in one memory do is not known"
            self.escape(both, given.node, why, "unseen-call")
            return None
        for value in spread:
            self.read(value, given.node, "passed on")
        return self.applied(asked, outcome, f"{holder.name}.{attr}" if attr else holder.name)

    def made_by(self, holder: Value) -> ast.AST | None:
        """The call, or the nested function, that a value is the result of."""
        match holder.ident:
            case ("def", Def() as at) if at.place >= 0:
                instr = self.graph.blocks[at.block].instrs[at.place]
                if instr.op == "closure":
                    return instr.node
                if instr.op == "call" and _root(instr) not in self.graph.locals:
                    return instr.node if only_called(self.graph, at, methods=True) else None
        return None

    def typed(self, api: str, value: Value) -> Value:
        """What a function gives back, where it is annotated: ints hold no memory, and methods of tensors run no code.
        That matters only beside memory that others may have, too."""
        match self.callees.annotated(api) if self.callees is not None and self.fills else None:
            case "tensor":
                return value.but(refs=value.reach, inside=NONE, tensor=True)
            case "int":
                return number(variable(Atom(f"{api}()", ("int", self.at))))
            case int(count):
                made = [number(variable(Atom(f"{api}()", ("int", self.at, place)))) for place in range(count)]
                return Value(("def", self.at), items=tuple(made), name="tuple")
        return value

    def followed(self, value: Value) -> bool:
        """Some of its memory is not within reach of others yet."""
        return any(
            ref.buffer is not OUTSIDE
            and ref.buffer is not FRESH
            and (ref.buffer.shared or ref.buffer not in self.state.escaped)
            for ref in value.reach
        )

    def together(self, arguments: dict[Key, Value], outcome: Outcome) -> Value | None:
        """An argument that shares memory with another one, of which one is written: what is said of one would not hold
        then."""
        held = [(outcome.effects.get(key, UNSEEN), value) for key, value in arguments.items()]
        return next(
            (
                value
                for place, (effect, value) in enumerate(held)
                for also, other in held[:place]
                if _buffers(value) & _buffers(other) and (_writes(effect) or _writes(also))
            ),
            None,
        )

    def applied(self, asked: Asked, outcome: Outcome, name: str) -> Value:
        """Reads come first, then writes, then whatever others may do from now on."""
        node, was = asked.node, self.assuming
        self.assuming = tuple(dict.fromkeys((*was, *outcome.assumes)))
        if not outcome.quiet:
            self.outside_call(node, f"reachable when {name}() runs")
        elif outcome.assumes:
            for buffer in sorted(self.state.escaped, key=lambda buffer: buffer.name):
                self.tell(Read(buffer, None, node, f"not reached by {name}()"))
        effects = [
            (value, self.placed(outcome.effects.get(key, UNSEEN), asked)) for key, value in asked.arguments.items()
        ]
        written: Refs = NONE
        if outcome.apart:
            self.apart_calls.add(node)
            written = NONE.union(*(value.reach for value, effect in effects if effect.writes is not None))
        for value, effect in effects:
            hidden = effect.keeps == UNSEEN.keeps or not effect.told
            if effect.keeps and effect.reads is not None and hidden:  # that is how it may be read
                self.let_out(value, effect, node, name)
            why = f"passed to {name}()" + (f", which {effect.told}" if effect.told else "")
            self.mention(value, node, why)
            if effect.reads is not None:
                part = value if effect.reads == ALL else value.but(refs=self.part(value, effect.reads))
                self.read(part, node, why, written - value.reach)
        for (key, value), (_, effect) in zip(asked.arguments.items(), effects, strict=True):
            self.stores(value, effect, node, name, asked.whole.get(key, {}))
        for value, effect in effects:
            self.let_out(value, effect, node, name)
            self.handed(value)
        result = self.given_back(asked, outcome, name)
        if outcome.anew:
            self.state.layout = self.at
        self.assuming = was
        return result

    def placed(self, effect: Effect, asked: Asked) -> Effect:
        """With bounds that depend on the arguments told in terms of the caller."""
        reads, writes = (None if box is None else self.bounds(box, asked) for box in (effect.reads, effect.writes))
        if effect.reads is not None and reads is None:
            effect = replace(effect, reads=ALL)
        elif reads != effect.reads:
            effect = replace(effect, reads=reads)
        if writes == effect.writes:
            return effect
        return replace(effect, writes=writes, touches=effect.touches or writes is None)

    def bounds(self, box: Box, asked: Asked) -> Box | None:
        """None where the caller does not know an integer on which a bound depends."""
        known: dict[Atom, Size] = {}
        for atom in box.atoms:
            match atom.key:
                case ("argument", (int() | str()) as key):
                    size = asked.arguments[key].size if key in asked.arguments else None
                case ("argument", (int() | str()) as key, int(place)):
                    value = asked.arguments.get(key)
                    size = self.dimension(value, place).size if value is not None and value.tensor else None
                case ("argument", *_):
                    size = None
                case _:
                    continue
            if size is None:
                return None
            known[atom] = self.settle(size)
        return box.replace(known.get)

    def let_out(self, value: Value, effect: Effect, node: ast.AST, name: str) -> None:
        if effect.keeps and value.reach:
            why = f"passed to {name}(), which "
            unseen = "cannot be seen into" + (f": {effect.missing}" if effect.missing else "")
            why += unseen if effect.keeps == UNSEEN.keeps else effect.keeps
            self.escape(value, node, why, "unseen-call")

    def stores(self, value: Value, effect: Effect, node: ast.AST, name: str, whole: Mapping[Ref, str]) -> None:
        if not _writes(effect) or not value.reach:
            return
        handled = self.graph.blocks[self.at.block].handler is not None
        sure = effect.writes is not None and value.tensor and not (effect.dense and any(map(_gaps, value.refs)))
        if effect.touches or handled or not sure:
            why = f"passed to {name}(): {effect.missing}" if effect.missing else f"{name}() may write it"
            self.write(Value(refs=somewhere(value.reach - whole.keys())), node, why)
        for ref, told in whole.items():
            self.write(value, node, f"{name}() {told}", sure=True, of=ref)
        if effect.writes is not None and sure:
            part = value.but(refs=self.part(value, effect.writes))
            text = "all of it" if effect.writes == ALL else str(effect.writes)
            self.write(part, node, f"{name}() {effect.told or f'writes {text}'}", sure=True)
        self.moved(value)

    def part(self, value: Value, box: Box) -> Refs:
        """The part of the memory that a part of an argument is."""
        if box == ALL:
            return value.refs
        index = index_of(box) if value.tensor else None
        if index is None:
            return somewhere(value.refs)
        return frozenset(indexed(ref, index, self.ref_shape) for ref in value.refs)

    def given_back(self, asked: Asked, outcome: Outcome, name: str) -> Value:
        if outcome.returns is not None and outcome.returns in asked.arguments:
            return asked.arguments[outcome.returns]
        aliases = [
            value for key, value in asked.arguments.items() if outcome.effects.get(key, UNSEEN).returned and value.reach
        ]
        held = untagged(somewhere(frozenset().union(*(value.reach for value in aliases), NONE)))
        held = frozenset(ref for ref in held if not ref.buffer.shared) | (OUT if held else NONE)
        for value in aliases:
            self.note_view(value)
        if outcome.fresh and not held:
            return self.made(asked.node, f"{name}(..)")
        return Value(("def", self.at), held | OUT, held | OUT, name=f"{name}()")


def _root(instr: Instr) -> str:
    """The name that the callee begins with."""
    func = instr.node.func if isinstance(instr.node, ast.Call) else None
    while isinstance(func, ast.Attribute):
        func = func.value
    return func.id if isinstance(func, ast.Name) else ""


def _arguments(given: Given, spread: bool) -> dict[Key, Value]:
    """By place or keyword; with `spread` also those behind a star, and all behind the first of them."""
    stars = [place for place, node in enumerate(given.node.args) if isinstance(node, ast.Starred)]
    upto = stars[0] if stars and not spread else len(given.values)
    found: dict[Key, Value] = dict(enumerate(given.values[:upto]))
    return found | {name: value for name, value in given.named.items() if spread or name != "**"}


def _buffers(value: Value) -> frozenset[object]:
    ours = {ref.buffer for ref in value.reach} - {OUTSIDE, FRESH}
    return frozenset(ours | {buffer.older for buffer in ours if buffer.older is not None})


def _gaps(ref: Ref) -> bool:
    """A view that is not contiguous: it leaves something out of its rows, or has them in another order."""
    dims = [place for place in ref.dims if place is not None] if isinstance(ref.dims, tuple) else []
    return dims != sorted(dims) or any(dimension or not isinstance(axis, Run) for dimension, axis in ref.region.axes)


def _writes(effect: Effect) -> bool:
    return effect.touches or effect.writes is not None


def index_of(box: Box) -> tuple[Entry, ...] | None:
    """A part as an index into the argument; None where it is not one."""
    cuts: dict[int, Cut] = {}
    for dimension, axis in box.axes:
        match axis:
            case Run(low, high):
                cuts[dimension] = Cut(_end(low), high, 1)
            case Comb(step, rests) if len(rests) == 1:
                cuts[dimension] = Cut(as_size(min(rests)), None, step)
            case _:
                return None
    if all(dimension >= 0 for dimension in cuts):
        return tuple(cuts.get(place, Cut()) for place in range(max(cuts, default=-1) + 1))
    if all(dimension < 0 for dimension in cuts):
        return (Rest(), *(cuts.get(place, Cut()) for place in range(min(cuts), 0)))
    return None


def _end(low: Size) -> Size | None:
    return None if low.constant == 0 else low
