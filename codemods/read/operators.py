"""Operators of torch: what the tables say about one, told as events."""

from __future__ import annotations

from codemods.core.region import ALL
from codemods.core.size import ONE, Atom, variable
from codemods.ops import Op
from codemods.read.births import FILLS, Births, Given
from codemods.read.memory import somewhere
from codemods.read.values import (
    FRESH,
    NONE,
    NOTHING,
    OUTSIDE,
    Ref,
    Refs,
    Value,
    fresh,
    number,
    tracked,
    unknown,
    untagged,
)
from codemods.read.views import NIL, Cut, Entry, Rest, indexed, method_view, narrowed

SELF = frozenset("requires_grad_ detach_".split())
LOOKS = frozenset("numel get_device result_type".split())  # other functions may take a tensor for a number
REPLACED = "torch.nn.init."  # transformers puts functions that do nothing there while it loads a model


class Operators(Births):
    def operate(self, given: Given, op: Op, args: list[Value]) -> Value:
        node, name = given.node, op.name.rpartition(".")[2]
        first, rest = (args[0], args[1:]) if args else (NOTHING, [])
        if "out" in given.named and given.named["out"] != NIL:
            return self.into_out(given, op)
        if op.inplace and (len(args) > 1 or "inplace" in given.named):
            return self.maybe_inplace(given, op, args)
        match op.kind:
            case "meta":
                looks = given.method or name.startswith("is_") or name in LOOKS
                if looks:
                    self.mention(first, node, "its shape is used")
                for value in (Value(inside=first.inside) if looks else first, *rest):
                    self.read(value, node, f"read by {name}")
                return self.meta(name, given, first)
            case "new":
                donor = op.shape_only and (given.method or name.endswith("_like"))
                for value in args:
                    if donor and value is first:
                        self.mention(value, node, "its shape is used")
                    else:  # a size may be a tensor
                        self.read(value, node, f"read by {name}")
                return self.made(node, f"{name}(..)", name not in ("tolist", "item", "numpy"))
            case "view" | "maybe":
                return self.view(given, op, name, first, rest)
            case "overwrite" | "update" | "partial":
                return self.in_place(given, op, name, first, rest)
        self.escape(first, node, f"laid out anew by {name}", "not-understood")
        self.state.layout = self.at
        return self.relaid(first) if name not in SELF else first

    def view(self, given: Given, op: Op, name: str, first: Value, rest: list[Value]) -> Value:
        node = given.node
        self.note_view(first)
        if op.kind == "maybe":
            for value in (first, *rest):
                self.read(value, node, f"read by {name}")
        else:
            for value in rest:  # where a view begins may be read from a tensor
                self.mention(value, node, "its shape is used") if name.endswith("_as") else self.read(
                    value, node, "a size or an index"
                )
        ident = ("view", name, first.ident, *(value.ident for value in rest), self.at)
        cut = self.cut_by(name, given, first, rest)
        if cut is not None:
            return Value(ident, cut, tensor=True, name=f"{first.name}.{name}(..)")
        refs = method_view(first.refs, name, rest, op.kind == "maybe")
        if op.kind == "maybe":
            refs |= untagged(frozenset().union(*(value.refs for value in rest), NONE)) | frozenset({Ref(FRESH)})
            refs = refs if not self.stays(name, first, rest) else method_view(first.refs, name, rest, copies=True)
        inside: Refs = untagged(frozenset().union(*(value.inside for value in (first, *rest)), NONE))
        if first.items is not None or (first.inside and not first.refs):
            refs |= inside
        several = name in ("split", "chunk", "unbind", "tensor_split", "split_with_sizes", "hsplit", "vsplit", "dsplit")
        return Value(ident, refs, refs if several else NONE, tensor=not several, name=f"{first.name}.{name}(..)")

    def stays(self, name: str, first: Value, rest: list[Value]) -> bool:
        """A reshape of dense memory never copies; `contiguous` may be asked for another memory format."""
        dense = all(ref.dense for ref in first.refs)
        return dense and (name in ("reshape", "reshape_as", "ravel", "flatten") or (name == "contiguous" and not rest))

    def cut_by(self, name: str, given: Given, first: Value, rest: list[Value]) -> Refs | None:
        """`select(dim, i)` and `narrow(dim, start, length)` with a leading dimension, as an index."""
        if name not in ("select", "narrow") or given.named or len(rest) != (2 if name == "select" else 3):
            return None
        dimension = rest[0].size.constant if rest[0].size is not None else None
        if dimension is None or (name == "select" and rest[1].size is None):
            return None
        if name == "select":
            index = self.number(rest[1])
            entry: Cut | None = Cut(index, index + ONE, point=True)
        else:
            entry = narrowed(rest[1], rest[2], self.number)
        if entry is None:
            return None
        entries: tuple[Entry, ...] = (
            (*(Cut() for _ in range(dimension)), entry)
            if dimension >= 0
            else (Rest(), entry, *(Cut() for _ in range(-dimension - 1)))
        )
        return frozenset(indexed(ref, entries, self.ref_shape) for ref in first.refs)

    def in_place(self, given: Given, op: Op, name: str, first: Value, rest: list[Value]) -> Value:
        node = given.node
        for value in rest:
            self.read(value, node, f"read by {name}")
        if op.kind == "update":
            self.read(first, node, f"{name} reads it")
        waits = given.named.get("non_blocking")
        later = (waits is not None and waits.name != "False") or (name == "copy_" and len(given.values) > 1)
        sure = op.kind == "overwrite" and not later
        constant = None
        if name in FILLS:
            constant = self.constant(given, 0, FILLS[name])
        why = f"{name} writes {'all of ' if sure else ''}{first.name}"
        was = self.assuming
        if op.name.startswith(REPLACED):
            self.assuming = (*was, "torch-init")
        self.write(first, node, why, sure, constant, op.name.removeprefix("torch.") if given.method else op.name)
        self.assuming = was
        if name in FILLS and any(ref.buffer in (OUTSIDE, FRESH, *self.passing) for ref in first.refs):
            self.escape(first, node, "filled under a name that may also stand for other memory", "not-understood")
        if later:
            self.escape(first, node, "written by a copy that does not wait", "stream")
        elif self.streams is not None and name in FILLS:
            self.escape(first, self.streams, "used in a function that works on several streams", "stream")
        self.moved(first)
        return first

    def maybe_inplace(self, given: Given, op: Op, args: list[Value]) -> Value:
        node = given.node
        for value in args:
            self.read(value, node, f"read by {op.name}")
        if args:
            self.write(args[0], node, f"{op.name} may write it")
            self.moved(args[0])
            self.note_view(args[0])
        refs = somewhere(frozenset().union(*(value.refs for value in args), NONE)) | fresh(0, "").refs
        return Value(("def", self.at), refs, tensor=True, name=f"{op.name}(..)")

    def into_out(self, given: Given, op: Op) -> Value:
        node, out = given.node, given.named["out"]
        for name, value in given.named.items():
            if name != "out":
                self.read(value, node, f"read by {op.name}")
        for value in given.values:
            self.read(value, node, f"read by {op.name}")
        held = {ref.buffer for ref in out.refs}
        inner: Refs = frozenset(ref for ref in out.inside if ref.buffer not in held)
        boxed = out.items is None and not out.tensor and tracked(Value(inside=inner))  # a list of several
        if not op.out or op.resizes or boxed:
            self.escape(out, node, f"given to {op.name} as out=", "unseen-call")
            self.resized(given)
            return unknown(("def", self.at), "out")
        targets = out.items if out.items is not None else (out,)
        self.state.layout = self.at  # it is given the shape of the result
        for target in targets:
            whole = bool(target.refs) and not self.relays and target.tensor
            whole = whole and all(self.whole(ref) for ref in target.refs)
            self.write(target, node, f"{op.name} writes all of {target.name}", sure=whole, api="out=")
            for ref in target.refs:
                self.blur(ref.buffer, None)
            self.moved(target)
        self.reshaped({ref.buffer for target in targets for ref in target.refs} - {OUTSIDE, FRESH})
        return out

    def resized(self, given: Given) -> None:
        """What is given to torch as `out=` may have another shape from here on."""
        out = given.named.get("out", NIL)
        spread = given.named.get("**", NIL)
        for value in (out, spread if tracked(spread) else NIL):
            if value != NIL:
                self.state.layout = self.at
                self.relaid(value.but(refs=value.reach))

    def whole(self, ref: Ref) -> bool:
        """Memory of this function that is seen through this name only: all that others see later is the result."""
        return ref.region == ALL and ref.buffer not in self.viewed and not ref.buffer.shared

    def meta(self, name: str, given: Given, first: Value) -> Value:
        text = f"{first.name}.{name}()"
        place = given.every[-1].size if given.every and given.every[-1].size is not None else None
        if name == "size":
            if place is not None and place.constant is not None:
                return self.dimension(first, place.constant)
            return (
                self.shape(first) if not given.every or given.every == (first,) else Value(("def", self.at), name=text)
            )
        if name == "numel":
            return self.numel(first)
        if name in ("dim", "ndimension"):
            return self.dimensions(first, text)
        if name in ("element_size", "get_device", "storage_offset", "stride"):
            return (
                number(
                    variable(Atom(text, (name, first.ident, place, self.state.layout), natural=name != "get_device")),
                    text,
                )
                if name != "stride" or place is not None
                else Value(("def", self.at), name=text)
            )
        return Value(("def", self.at), name=text)
