"""What each instruction does to the state and to memory."""

from __future__ import annotations

import ast

from codemods.core.event import How
from codemods.ops import attribute
from codemods.read.arithmetic import Arithmetic
from codemods.read.graph import Graph, Instr
from codemods.read.memory import somewhere
from codemods.read.names import Names
from codemods.read.values import (
    NONE,
    NOTHING,
    OUT,
    Value,
    fresh,
    imported,
    number,
    runs,
    tracked,
    unknown,
    untagged,
    within,
)
from codemods.read.views import ELLIPSIS, NIL, entries, indexed, method_view

META = frozenset({"dtype", "device", "layout", "requires_grad", "is_cuda", "names", "itemsize", "nbytes", "is_leaf"})


class Steps(Arithmetic):
    def __init__(self, graph: Graph, names: Names) -> None:
        super().__init__(graph, names)
        # not bound to this object: in a circle it would keep the whole function alive
        self.doing = {op: getattr(type(self), f"do_{op}") for op in {i.op for b in graph.blocks for i in b.instrs}}

    def step(self, instr: Instr) -> None:
        value = self.doing[instr.op](self, instr)
        if value is not None:
            self.state.slots[instr.dest] = value

    # names

    def do_const(self, instr: Instr) -> Value:
        match instr.data:
            case bool() as truth:
                return Value(("bool", truth), name=str(truth))
            case int() as value:
                return number(value, str(value))
            case None:
                return NIL
            case value if value is Ellipsis:
                return ELLIPSIS
            case value:
                return Value(("const", type(value).__name__, repr(value)), name=repr(value))

    def do_load(self, instr: Instr) -> Value:
        name = str(instr.data)
        if name in self.graph.shared and not name.startswith("%"):
            value = self.state.names.get(name, NOTHING)
            return unknown(("shared", name, self.state.epoch, value.ident), name) if not value.api else value
        if (held := self.state.names.get(name)) is not None:
            self.mention(held, instr.node, f"{name} is used")
            return held
        if name in self.graph.locals or name.startswith("%"):
            return NOTHING  # unbound here: Python raises
        if (api := self.names.api(name)) is not None:
            return imported(api, name)
        return unknown(("global", name, self.state.epoch), name)

    def do_store(self, instr: Instr) -> None:
        name, value = str(instr.data), self.slot(instr, 0)
        if name in self.graph.shared or name in self.state.closed:
            how: How = "captured" if name in self.state.closed else "kept"
            self.escape(value, instr.node, f"bound to {name}, which others can look up", how)
        self.rebound(name, instr.node)
        if value.name == "list":
            value = self.state.slots[instr.args[0]] = value.but(items=None)  # it may be changed in place
        if name.startswith("%"):
            self.state.names[name] = value  # it has no name that people know
            return
        if runs(value):
            value = value.but(inside=value.inside | OUT)  # what looks at it later, runs it
        if value.name in ("?", "tuple") or (value.refs and not value.name.isidentifier()):
            value = value.but(name=name) if value.items is None else value
        self.state.names[name] = value

    def do_delete(self, instr: Instr) -> None:
        name = str(instr.data)
        if value := self.state.names.get(name):
            self.mention(value, instr.node, f"{name} is deleted")
            self.rebound(name, instr.node)
            del self.state.names[name]

    def do_clear(self, instr: Instr) -> None:
        self.state.slots.clear()

    def do_move(self, instr: Instr) -> Value:
        return self.slot(instr, 0)

    def do_api(self, instr: Instr) -> Value:
        if instr.data is None:
            return unknown(("import", self.at), "import")
        return imported(str(instr.data), str(instr.data))

    def do_fresh(self, instr: Instr) -> Value:
        return Value(("def", self.at))

    def do_keep(self, instr: Instr) -> None:
        self.escape(self.slot(instr, 0), instr.node, str(instr.data), "kept")

    def do_closure(self, instr: Instr) -> Value:
        """A nested function, lambda or generator: what it names can be looked at whenever it runs."""
        names = instr.data if isinstance(instr.data, frozenset) else frozenset()
        self.state.closed |= names
        reach = Value(inside=frozenset().union(*(v.reach for n, v in self.state.names.items() if n in names), NONE))
        self.escape(reach, instr.node, "captured by a nested scope", "captured")
        ident = ("lambda", self.at, instr.node) if isinstance(instr.node, ast.Lambda) else ("def", self.at)
        return unknown(ident, "nested scope")

    # displays

    def do_tuple(self, instr: Instr) -> Value:
        parts = self.slots(instr)
        starred = instr.data if isinstance(instr.data, tuple) else ()
        items: list[Value] | None = []
        for part, star in zip(parts, starred, strict=True):
            if star and not self.quiet_source(part):
                self.outside_call(instr.node, f"reachable when {part.name} is walked")
            one = part.but(items=None) if part.name == "list" else part  # whoever has the tuple may change it
            spread = list(part.items) if star and part.items is not None else None if star else [one]
            items = items + spread if items is not None and spread is not None else None
        held = untagged(frozenset().union(*map(within, parts), NONE))
        ident = ("tuple", *(part.ident for part in parts)) if not any(starred) else ("def", self.at)
        return Value(ident, inside=held, items=None if items is None else tuple(items), name="tuple")

    def do_list(self, instr: Instr) -> Value:
        made = self.do_tuple(instr)
        return made.but(ident=("def", self.at), name="list")

    def do_bag(self, instr: Instr) -> Value:
        return self.do_tuple(instr).but(ident=("def", self.at), items=None, name="container")

    def do_dict(self, instr: Instr) -> Value:
        made, node = self.do_bag(instr), instr.node
        keys = [key.value if isinstance(key, ast.Constant) else None for key in getattr(node, "keys", ())]
        texts = [key for key in keys if isinstance(key, str)]
        if tracked(made) or len(texts) < len(keys) or len(set(texts)) < len(keys):
            return made
        values = self.slots(instr)[1::2]
        ident = ("dict", self.at, *(value.ident for value in values))
        return made.but(ident=ident, entries=tuple(zip(texts, values, strict=True)))

    def do_later(self, instr: Instr) -> Value:
        """A generator: its body runs again, or for the first time, when it is walked."""
        return self.slot(instr, 0).but(ident=("def", self.at), bound=(NOTHING, "lazy"), name="a generator")

    def do_slice(self, instr: Instr) -> Value:
        parts = self.slots(instr)
        for part in parts:  # a tensor is asked for its number
            self.read(part, instr.node, "read as a bound of a slice")
        return Value(("slice", *(part.ident for part in parts)), items=tuple(parts), name="slice")

    def do_collect(self, instr: Instr) -> None:
        held = self.state.names.get(str(instr.data), NOTHING)
        inside = held.inside.union(*(untagged(within(value)) for value in self.slots(instr)))
        self.state.names[str(instr.data)] = held.but(ident=("def", self.at), inside=inside, items=None)

    def do_format(self, instr: Instr) -> Value:
        for value in self.slots(instr):
            self.read(value, instr.node, "formatted")
        return Value(("def", self.at), name="text")

    def do_unknown(self, instr: Instr) -> Value:
        for value in self.slots(instr):
            self.escape(value, instr.node, "used in a form that is not modelled", "not-understood")
        self.outside_call(instr.node, "reachable by a form that is not modelled", "not-understood")
        return unknown(("def", self.at), "?")

    # parts of values

    def do_attr(self, instr: Instr) -> Value:
        holder, attr = self.slot(instr, 0), str(instr.data)
        if holder.api:
            path = f"{holder.api}.{attr}"
            found = imported(path, path)
            return found.but(ident=("attr", holder.ident, attr, self.state.epoch)) if found.refs else found
        name = f"{holder.name}.{attr}"
        if attr == "shape" and attr not in self.names.changing:
            self.mention(holder, instr.node, "its shape is used")
            return self.shape(holder)
        if attr == "ndim":
            self.mention(holder, instr.node, "its shape is used")
            return self.dimensions(holder, name, self.laid(holder))
        if attr in META:
            self.mention(holder, instr.node, f"its {attr} is used")
            certain = attr == "dtype" and holder.tensor
            return Value(("meta", holder.ident, "dtype!" if certain else attr), name=name)
        if holder.tensor:
            return self.tensor_attr(instr, holder, attr, name)
        changing = attr in self.names.changing or self.names.dynamic
        ident = ("def", self.at) if changing else ("attr", holder.ident, attr, self.state.epoch)
        if changing and self.state.escaped:
            self.outside_call(instr.node, f"reachable when {name} runs code")
        held = OUT | untagged(holder.inside) | somewhere(holder.refs)
        return Value(ident, OUT | somewhere(holder.refs), held, name=name)

    def tensor_attr(self, instr: Instr, holder: Value, attr: str, name: str) -> Value:
        op = attribute(attr)
        if op and op.kind == "meta":
            self.mention(holder, instr.node, f"its {attr} is used")
            return Value(("meta", holder.ident, attr), name=name)
        if op and op.kind in ("view", "maybe"):
            if op.kind == "maybe":
                self.read(holder, instr.node, f".{attr}")
            self.note_view(holder)
            refs = method_view(holder.refs, attr, [], op.kind == "maybe")
            return Value(("view", attr, holder.ident, self.at), refs, tensor=True, name=name)
        held = untagged(holder.reach)
        return Value(("attr", holder.ident, attr, self.state.epoch), OUT, held | OUT, name=name, bound=(holder, attr))

    def do_index(self, instr: Instr) -> Value:
        holder, index = self.slots(instr)
        if index.reach:
            self.read(index, instr.node, "read as an index")
        place = index.size.constant if index.size is not None else None
        if holder.shape_of is not None and place is not None:
            return self.dimension(holder.shape_of.tensor, place, holder.shape_of.layout)
        if holder.items is not None and holder.name in ("tuple", "list"):
            if place is not None and holder.name == "tuple" and -len(holder.items) <= place < len(holder.items):
                return holder.items[place]
            if (cut := self.cut_shape(holder, index)) is not None:
                return cut
            return Value(("def", self.at), *self.element(holder), name=f"{holder.name}[..]")
        if (cut := self.cut_shape(holder, index)) is not None:
            return cut
        if not holder.tensor:
            self.note_view(holder)
            ident = ("item", holder.ident, index.ident, self.state.epoch)
            refs, inside = self.element(holder)
            return Value(ident, refs | somewhere(holder.refs), inside, name=f"{holder.name}[..]")
        return self.tensor_index(instr, holder, index)

    def tensor_index(self, instr: Instr, holder: Value, index: Value) -> Value:
        name = f"{holder.name}[..]"
        self.note_view(holder)
        parts = entries(index, self.number)
        if parts is None:  # a mask, a list, a tensor: a copy, but an integer in a variable makes a view
            self.read(holder, instr.node, "read by an index")
            self.read(index, instr.node, "an index")
            return Value(("def", self.at), somewhere(holder.refs) | fresh(0, "").refs, tensor=True, name=name)
        refs = frozenset(indexed(ref, parts, self.ref_shape) for ref in holder.refs)
        return Value(("view", holder.ident, index.ident, self.state.epoch), refs, tensor=True, name=name)

    def do_part(self, instr: Instr) -> Value:
        value = self.slot(instr, 0)
        held = untagged(somewhere(value.refs) | value.inside)
        return Value(("def", self.at), held, held)

    def do_looked(self, instr: Instr) -> None:
        self.read(self.slot(instr, 0), instr.node, "matched")

    def do_unpack(self, instr: Instr) -> Value:
        value = self.slot(instr, 0)
        place, count, star = instr.data if isinstance(instr.data, tuple) else (0, 0, None)
        if place == 0 and not self.quiet_source(value):
            self.outside_call(instr.node, f"reachable when {value.name} is walked")
        if value.shape_of is not None and star is None:
            if value.items is None:
                self.state.ranks[self.shaped_as(value.shape_of.tensor, value.shape_of.layout)] = count
            return self.dimension(value.shape_of.tensor, place, value.shape_of.layout)
        if value.items is not None and star is None and len(value.items) == count:
            return value.items[place]
        if value.tensor and value.refs and not value.items:
            self.note_view(value)
            held = somewhere(value.refs)
            return Value(("def", self.at), held, tensor=place != star, name=f"{value.name}[{place}]")
        held, inside = self.element(value)
        held = held | (value.refs if not value.items else NONE)
        return Value(("part", value.ident, place), untagged(held), inside, name=f"{value.name}[{place}]")

    # leaving, and code that cannot be seen

    def do_return(self, instr: Instr) -> None:
        self.escape(self.slot(instr, 0), instr.node, "returned", "returned")

    def do_raise(self, instr: Instr) -> None:
        self.escape(self.slot(instr, 0), instr.node, "handed out by raise", "returned")

    def do_yield(self, instr: Instr) -> Value:
        for value in self.slots(instr):
            self.escape(value, instr.node, "yielded", "returned")
        self.outside_call(instr.node, "reachable by whoever drives the generator")
        return unknown(("def", self.at), "sent value")

    def do_await(self, instr: Instr) -> Value:
        self.escape(self.slot(instr, 0), instr.node, "awaited", "unseen-call")
        self.outside_call(instr.node, "reachable by other tasks meanwhile")
        return unknown(("def", self.at), "awaited value")

    def do_enter(self, instr: Instr) -> Value:
        if self.slot(instr, 0).name == "stream":
            self.escape(self.everything(), instr.node, "used on another stream", "stream")
        if instr.data:
            self.escape(self.slot(instr, 0), instr.node, "entered as a context manager", "unseen-call")
            self.outside_call(instr.node, "reachable when a context manager is entered")
        return unknown(("def", self.at), "context")

    def do_foreign(self, instr: Instr) -> None:
        for value in self.slots(instr):
            self.read(value, instr.node)
        self.outside_call(instr.node, "reachable by code that may run here")

    # writes

    def do_setattr(self, instr: Instr) -> None:
        holder, value = self.slots(instr)
        self.escape(value, instr.node, f"kept in {holder.name}.{instr.data}", "kept")
        if instr.data == "data" or holder.tensor:
            self.escape(holder, instr.node, f"given another .{instr.data}", "not-understood")
            self.relaid(holder)
        if instr.data in ("data", "shape") or holder.tensor:
            self.state.layout = self.at
        self.outside_call(instr.node, f"reachable when setting {holder.name}.{instr.data} runs code")

    def do_setindex(self, instr: Instr) -> None:
        holder, index, value = self.slots(instr)
        if not (holder.tensor or tracked(holder.but(inside=NONE))):
            self.escape(value, instr.node, f"kept in {holder.name}", "kept")
            self.read(index, instr.node, "an index")
            if holder.refs and any(ref.buffer.shared or ref.buffer in self.state.escaped for ref in value.reach):
                self.outside_read(instr.node, "copied from: it may be the same memory", value.reach)
            self.outside_write(instr.node)
            self.grown(holder)
            self.state.epoch = self.at
            return
        self.read(value, instr.node, "copied from")
        if not holder.tensor:
            self.escape(value, instr.node, f"put into {holder.name}, which may be a container", "kept")
            self.grown(holder)
        self.write_index(instr, holder, index, sure=True)
        self.moved(holder)

    def write_index(self, instr: Instr, holder: Value, index: Value, sure: bool) -> None:
        parts = entries(index, self.number)
        text = ast.unparse(instr.node).split("=")[0].strip() if self.events is not None else ""
        if parts is None:
            self.read(index, instr.node, "an index")
            target = holder.but(refs=somewhere(holder.refs))
            self.write(target, instr.node, f"{text} is assigned")
            return
        refs = frozenset(indexed(ref, parts, self.ref_shape) for ref in holder.refs)
        certain = sure and holder.tensor  # where it may be a list, what is assigned may fit the list only
        self.write(holder.but(refs=refs), instr.node, f"{text} is assigned", sure=certain)

    def do_augindex(self, instr: Instr) -> None:
        holder, index, value = self.slots(instr)
        self.read(value, instr.node, "an operand here")
        if not holder.tensor:
            self.escape(value, instr.node, f"may be kept in {holder.name}", "kept")
            self.grown(holder)
        part = self.tensor_index(instr, holder, index) if holder.refs else self.do_part(instr)
        self.read(part, instr.node, "updated in place")
        self.write_index(instr, holder, index, sure=False)
        self.moved(holder)

    def do_augattr(self, instr: Instr) -> None:
        holder, value = self.slots(instr)
        self.escape(value, instr.node, f"may be kept in {holder.name}", "kept")
        if instr.data in ("data", "shape") or holder.tensor:
            self.escape(holder, instr.node, f"given another .{instr.data}", "not-understood")
            self.relaid(holder)
            self.state.layout = self.at
        self.outside_call(instr.node, f"reachable when updating an attribute of {holder.name} runs code")

    def do_augment(self, instr: Instr) -> Value:
        target, value = self.slots(instr)
        if target.size is not None and value.size is not None:
            return self.arithmetic(str(instr.data), target.size, value.size, target.name)
        self.read(value, instr.node, "an operand here")
        if not target.tensor and value.reach and not (target.size is not None):
            self.escape(value, instr.node, f"given to {target.name}, which may keep it", "kept")
            self.grown(target)
        self.read(target, instr.node, "updated in place")
        self.write(target, instr.node, "updated in place")
        self.moved(target)
        if target.tensor:
            self.updated(instr, value)
            return target if instr.data != "MatMult" else self.made(instr.node, target.name)  # it is not in place
        inside = target.inside | untagged(value.inside)
        return Value(("def", self.at), target.refs, inside, name=target.name)
