"""Calls: what is known about the callee decides what happens to the memory of its arguments."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, replace

from codemods.core.region import ALL
from codemods.core.size import ONE, ZERO, Atom, Size, variable
from codemods.ops import Op, function, method
from codemods.read.graph import Instr
from codemods.read.memory import Memory, somewhere
from codemods.read.values import (
    FRESH,
    NONE,
    NOTHING,
    OUT,
    OUTSIDE,
    Like,
    Loose,
    Ref,
    Refs,
    Shape,
    Value,
    fresh,
    number,
    unknown,
    untagged,
)
from codemods.read.views import NIL, Cut, Rest, indexed, method_view, narrowed, shape_of_view

# what an allocating call fills its memory with; "?" stands for its fill argument
BIRTHS = {
    "torch.zeros": "0", "torch.ones": "1", "torch.full": "?", "torch.empty": None,
    "torch.zeros_like": "0", "torch.ones_like": "1", "torch.full_like": "?", "torch.empty_like": None,
    "Tensor.new_zeros": "0", "Tensor.new_ones": "1", "Tensor.new_full": "?", "Tensor.new_empty": None,
}  # fmt: skip
FILLS = {"zero_": "0", "fill_": "?"}
LOOKS = frozenset("len isinstance issubclass type id callable hasattr hash".split())
READS = frozenset("int float bool str repr print format sum min max abs round any all divmod pow chr ord hex bytes".split())
HOLDS = frozenset("list tuple set frozenset dict zip enumerate reversed sorted iter filter map slice next".split())
EXPOSES = frozenset("locals globals vars eval exec getattr setattr super".split())
STREAMS = frozenset(
    "torch.cuda.stream torch.cuda.graph torch.cuda.set_stream torch.cuda.Stream torch.cuda.StreamContext torch.cuda.CUDAGraph "
    "torch.Stream torch.xpu.stream torch.npu.stream".split()
)
QUIET = frozenset(
    "torch.no_grad torch.inference_mode torch.enable_grad torch.set_grad_enabled torch.cuda.device torch.device "
    "contextlib.nullcontext torch.profiler.record_function torch.autograd.profiler.record_function".split()
)
SELF = frozenset("requires_grad_ detach_".split())


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a call. `spread`: there is a `*` or `**` among them."""

    node: ast.Call
    values: tuple[Value, ...]
    named: dict[str, Value]
    starred: bool
    spread: bool

    @property
    def every(self) -> tuple[Value, ...]:
        return (*self.values, *self.named.values())

    def at(self, place: int, name: str) -> Value | None:
        return self.values[place] if place < len(self.values) and not self.starred else self.named.get(name)


class Calls(Memory):
    def do_call(self, instr: Instr) -> Value:
        node = instr.node
        assert isinstance(node, ast.Call)
        slots = self.slots(instr)
        count = len(node.args)
        starred = any(isinstance(arg, ast.Starred) for arg in node.args)
        names = [keyword.arg for keyword in node.keywords]
        named = {name or "**": value for name, value in zip(names, slots[1 + count :], strict=True)}
        given = Given(node, tuple(slots[1 : 1 + count]), named, starred, None in names)
        holder = slots[0]
        if isinstance(node.func, ast.Attribute):
            attr = node.func.attr
            return self.function_call(given, f"{holder.api}.{attr}") if holder.api else self.method_call(given, holder, attr)
        if holder.api:
            return self.function_call(given, holder.api)
        if holder.bound is not None and not given.spread:
            return self.method_call(given, *holder.bound)
        self.escape(holder, node, f"{holder.name} is called", "unseen-call")
        return self.unseen(given, holder.name)

    # code that cannot be seen

    def unseen(self, given: Given, name: str) -> Value:
        for value in given.every:
            self.escape(value, given.node, f"passed to {name}(), which cannot be seen into", "unseen-call")
        self.outside_call(given.node, f"{name}() runs and can reach it")
        return unknown(("def", self.at), f"{name}()")

    def function_call(self, given: Given, api: str) -> Value:
        patched = self.names.patched
        if api in STREAMS:
            self.streams = self.streams or given.node
            self.unseen(given, api)
            return unknown(("def", self.at), "stream")
        if api in patched or f"{api.rpartition('.')[0]}.*" in patched or self.other_is_patched(api):
            if api in BIRTHS:
                made = self.birth(given, api, given.values, None)
                self.escape(made, given.node, f"{api} or its empty form is assigned to in this file", "not-understood")
            return self.unseen(given, api)
        if api.startswith("builtins."):
            return self.builtin(given, api.removeprefix("builtins."))
        if api in BIRTHS:
            made = self.birth(given, api, given.values, given.at(0, "size" if not api.endswith("_like") else "input"))
            if "out" in given.named:
                self.escape(made, given.node, "given by out=", "not-understood")
                return self.unseen(given, api)
            return made
        if api in QUIET and not any(value.inside for value in given.every):
            return Value(("def", self.at), name=api)
        op = function(api)
        if op is None or given.spread:
            return self.unseen(given, api)
        if api.startswith("torch.nn.init."):
            return self.operate(given, op, list(given.every))
        if op.kind in ("view", "maybe", "overwrite", "update", "partial", "restride") and given.values:
            first, *rest = given.values
            return self.operate(given, op, [first, *rest, *given.named.values()])
        return self.operate(given, op, list(given.every))

    def other_is_patched(self, api: str) -> bool:
        """What the rewrite would call instead is not torch's own."""
        return api in BIRTHS and f"torch.empty{'_like' if api.endswith('_like') else ''}" in self.names.patched

    def method_call(self, given: Given, holder: Value, attr: str) -> Value:
        api = f"Tensor.{attr}"
        node = given.node
        if f"torch.{api}" in self.names.patched or attr in self.names.methods:
            return self.unseen_method(given, holder, attr)
        known = holder.tensor or any(ref.buffer is not OUTSIDE for ref in holder.refs)
        if holder.shape_of is not None and attr == "numel" and not given.every:
            return self.numel(holder.shape_of)
        if api in BIRTHS:
            return self.birth(given, api, given.values, given.at(0, "size"), holder)
        op = method(attr)
        if attr in ("record_stream", "wait_stream", "wait_event"):
            self.streams = self.streams or node
        if op is None or given.spread or not (known or attr.endswith("_") or attr in ("size", "numel", "dim", "stride")):
            return self.unseen_method(given, holder, attr)
        if attr in FILLS:
            holder = self.filled(given, holder)
        return self.operate(given, op, [holder, *given.every])

    def unseen_method(self, given: Given, holder: Value, attr: str) -> Value:
        self.escape(holder, given.node, f".{attr}() cannot be seen into", "unseen-call")
        return self.unseen(given, f"{holder.name}.{attr}")

    # allocation

    def birth(
        self, given: Given, api: str, values: tuple[Value, ...], first: Value | None, holder: Value | None = None
    ) -> Value:
        node = given.node
        for value in given.every:
            self.mention(value, node, "its shape or dtype is used")
        like = api.endswith("_like")
        shape: Shape
        if like and first is not None:
            other = self.like(first)
            shape = self.shape_of(first) or other or (Like(first, self.state.layout) if first.refs == OUT else None)
        elif like:
            shape = None
        else:
            shape = None if given.starred and not self.spread_shape(given) else self.sizes(given, api, first)
        dense = not like and "memory_format" not in given.named
        value = self.born(node, "?", api, shape, dense, self.is_dtype(given.named.get("dtype")))
        if (constant := BIRTHS[api]) is not None:
            fill = self.constant(given, 0 if constant != "?" else 1, constant)
            buffer = next(iter(value.refs))
            self.write(replace(value, refs=frozenset({buffer})), node, f"{api} fills it", True, fill, api)
        if self.streams is not None:
            line = getattr(self.streams, "lineno", 0)
            self.escape(value, self.streams, f"in a function that works on several streams (line {line})", "stream")
        return value

    def is_dtype(self, value: Value | None) -> bool:
        """Not None, and not an object that may be None."""
        if value is None:
            return False
        named = value.api is not None and value.api.startswith("torch.")
        return named or (isinstance(value.ident, tuple) and value.ident[0] == "meta" and value.ident[-1] == "dtype!")

    def spread_shape(self, given: Given) -> bool:
        """`zeros(*shape)`: one starred argument with known elements, or the shape of a tensor."""
        return len(given.values) == 1 and given.values[0].items is not None

    def sizes(self, given: Given, api: str, first: Value | None) -> tuple[Size, ...] | None:
        if first is None and given.starred:
            first = given.values[0]
        if first is None:
            return None
        if first.items is not None and first.name in ("tuple", "list"):
            parts: tuple[Value, ...] = first.items
        elif first.shape_of is not None:
            return None
        elif "full" in api or "size" in given.named:
            parts = (first,)
        else:
            parts = given.values
        if any(part.items is not None or part.shape_of is not None for part in parts):
            return None
        return tuple(self.extent_of(part) for part in parts)

    def extent_of(self, part: Value) -> Size:
        """An extent is what was passed; a number that may be something else is taken once, here."""
        if part.size is not None:
            return self.settle(part.size)
        return self.number(part)

    def constant(self, given: Given, place: int, constant: str) -> str | None:
        """The fill value in a canonical form that compares equal for equal numbers, None where it is not known."""
        if constant != "?":
            return constant
        args = given.node.args
        node = args[place] if place < len(args) else next(
            (keyword.value for keyword in given.node.keywords if keyword.arg in ("fill_value", "value")), None
        )
        return canonical(node)

    def filled(self, given: Given, holder: Value) -> Value:
        """`x.zero_()` and `x.fill_(c)`: the receiver is memory to follow from here on."""
        return self.adopted(holder)

    # operators

    def operate(self, given: Given, op: Op, args: list[Value]) -> Value:
        node, name = given.node, op.name.rpartition(".")[2]
        first, rest = (args[0], args[1:]) if args else (NOTHING, [])
        if "out" in given.named and given.named["out"] != NIL:
            return self.into_out(given, op)
        if op.inplace and (len(args) > 1 or "inplace" in given.named):
            return self.maybe_inplace(given, op, args)
        match op.kind:
            case "meta":
                for value in args:
                    self.mention(value, node, "its shape is used")
                return self.meta(name, given, first)
            case "new":
                for value in args:
                    self.mention(value, node, "its shape is used") if op.shape_only else self.read(value, node, f"read by {name}")
                return self.made(node, f"{name}(..)", name not in ("tolist", "item", "numpy"))
            case "view" | "maybe":
                return self.view(given, op, name, first, rest)
            case "overwrite" | "update" | "partial":
                return self.in_place(given, op, name, first, rest)
        self.escape(first, node, f"{name} changes how it is laid out", "not-understood")
        self.state.layout = self.at
        return self.relaid(first) if name not in SELF else first

    def view(self, given: Given, op: Op, name: str, first: Value, rest: list[Value]) -> Value:
        node = given.node
        self.note_view(first)
        if op.kind == "maybe":
            for value in (first, *rest):
                self.read(value, node, f"read by {name}")
        else:
            for value in rest:
                self.mention(value, node, "its shape is used")
        ident = ("view", name, first.ident, *(value.ident for value in rest), self.at)
        cut = self.cut_by(name, given, first, rest)
        if cut is not None:
            return Value(ident, cut, tensor=True, name=f"{first.name}.{name}(..)")
        refs = method_view(first.refs, name, rest, op.kind == "maybe")
        if op.kind == "maybe":
            refs |= untagged(frozenset().union(*(value.refs for value in rest), NONE)) | frozenset({Ref(FRESH)})
            refs = refs if not self.stays(name, first) else method_view(first.refs, name, rest, copies=True)
        inside: Refs = untagged(frozenset().union(*(value.inside for value in (first, *rest)), NONE))
        if first.items is not None or (first.inside and not first.refs):
            refs |= inside
        several = name in ("split", "chunk", "unbind", "tensor_split", "split_with_sizes", "hsplit", "vsplit", "dsplit")
        return Value(ident, refs, refs if several else NONE, tensor=not several, name=f"{first.name}.{name}(..)")

    def stays(self, name: str, first: Value) -> bool:
        """A reshape of dense memory never copies."""
        tracked = all(ref.dense for ref in first.refs)
        return tracked and name in ("reshape", "reshape_as", "ravel", "flatten", "contiguous")

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
        entries = (*(Cut() for _ in range(dimension)), entry) if dimension >= 0 else (Rest(), entry, *(Cut() for _ in range(-dimension - 1)))
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
        self.write(first, node, why, sure, constant, op.name.removeprefix("torch."))
        if name in FILLS and any(ref.buffer in (OUTSIDE, FRESH) for ref in first.refs):
            self.escape(first, node, "filled under a name that may also stand for other memory", "not-understood")
        if later:
            self.escape(first, node, "written by a copy that does not wait", "stream")
        elif self.streams is not None and name in FILLS:
            self.escape(first, self.streams, "in a function that works on several streams", "stream")
        self.moved(first)
        return first

    def maybe_inplace(self, given: Given, op: Op, args: list[Value]) -> Value:
        node = given.node
        for value in args:
            self.read(value, node, f"read by {op.name}")
        if args:
            self.write(args[0], node, f"{op.name} may write it")
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
        if not op.out or op.resizes:
            self.escape(out, node, f"given to {op.name} as out=", "unseen-call")
            return unknown(("def", self.at), "out")
        targets = out.items if out.items is not None else (out,)
        for target in targets:
            whole = bool(target.refs) and all(ref.region == ALL and ref.buffer not in self.viewed for ref in target.refs)
            self.write(target, node, f"{op.name} writes all of {target.name}", sure=whole)
            for ref in target.refs:
                self.blur(ref.buffer, None)  # out= may change its shape
        return out

    def meta(self, name: str, given: Given, first: Value) -> Value:
        text = f"{first.name}.{name}()"
        place = given.every[-1].size if given.every and given.every[-1].size is not None else None
        if name == "size":
            if place is not None and place.constant is not None:
                return self.dimension(first, place.constant)
            return self.shape(first) if not given.every or given.every == (first,) else number_like(text, first, self)
        if name == "numel":
            return self.numel(first)
        if name in ("dim", "ndimension", "element_size", "get_device", "storage_offset", "stride"):
            return number(variable(Atom(text, (name, first.ident, place), natural=name != "get_device")), text) if name != "stride" or place is not None else Value(("def", self.at), name=text)
        return Value(("def", self.at), name=text)

    def numel(self, tensor: Value) -> Value:
        known = self.shape_of(tensor)
        text = f"{tensor.name}.numel()"
        if known is None:
            return number(variable(Atom(text, ("numel", tensor.ident), natural=True)), text)
        total = ONE
        for size in known:
            total = total * size
        return number(total, text)

    # builtins

    def builtin(self, given: Given, name: str) -> Value:
        node, first = given.node, given.values[0] if given.values else NOTHING
        if name in LOOKS:
            if name == "type" and len(given.values) > 1:
                return self.unseen(given, name)
            for value in given.every:
                self.mention(value, node, f"{name}() looks at it")
            return self.length(first) if name == "len" else Value(("def", self.at), name=name)
        if name == "range" and not given.starred:
            ends = [value if value.size is not None else number(self.number(value)) for value in given.values[:3]]
            start, stop = (number(ZERO), *ends)[:2] if len(ends) == 1 else (*ends, NOTHING, NOTHING)[:2]
            step = ends[2] if len(ends) == 3 else number(ONE)
            return Value(("def", self.at), items=(start, stop, step), bound=(NOTHING, "range"), name="range")
        if name in ("enumerate", "zip", "reversed") and not given.starred and not given.named:
            held = untagged(frozenset().union(*(value.reach for value in given.every), NONE))
            items = given.values if len(given.values) == 1 or name == "zip" else None
            return Value(("def", self.at), inside=held, items=items, bound=(NOTHING, name if items else ""), name=name)
        if name in READS:
            for value in given.every:
                self.read(value, node, f"read by {name}()")
            if name in ("min", "max", "sum", "abs", "round"):  # some return one of their arguments
                held = untagged(frozenset().union(*(value.reach for value in given.every), NONE))
                return Value(("def", self.at), somewhere(held) | fresh(0, "").refs, held, name=f"{name}()")
            if any(value.refs & OUT or value.inside & OUT for value in given.every) and name not in ("print", "int", "float", "bool"):
                return unknown(("def", self.at), name)
            size = first.size if name == "int" else None
            if name == "int" and size is None:
                size = variable(Atom(ast.unparse(node), ("int", first.ident, self.at)))
            return Value(("def", self.at), size=size, name=ast.unparse(node))
        if name in EXPOSES:
            self.escape(self.everything(), node, f"{name}() may reach any name", "captured")
            return self.unseen(given, name)
        if name in HOLDS:
            held = untagged(frozenset().union(*(value.reach for value in given.every), NONE))
            refs = held if name == "next" else NONE
            if any(value.refs & OUT for value in given.every):
                self.outside_call(node, f"{name}() walks something that may run code")
            return Value(("def", self.at), refs, held, name="container" if name != "next" else "next")
        return self.unseen(given, name)

    def length(self, value: Value) -> Value:
        name = f"len({value.name})"
        if value.items is not None and value.name == "tuple":
            return number(len(value.items), name)
        if value.tensor:
            return self.dimension(value, 0)
        self.sized.add(value.ident)
        return number(variable(Atom(name, ("len", value.ident, self.state.epoch), natural=True)), name)

    # shapes

    def note_view(self, value: Value) -> None:
        self.viewed |= {ref.buffer for ref in value.refs}

    def ref_shape(self, ref: Ref) -> Shape:
        shape = self.shapes.get(ref.buffer)
        return tuple(self.settle(size) for size in shape) if isinstance(shape, tuple) and not isinstance(shape, Like) else shape

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
        return None if isinstance(shape, Like) else shape_of_view(ref, shape)

    def relaid(self, value: Value) -> Value:
        """Its shape may be another one from here on, under all its names."""
        ident = ("def", self.at)
        for held in (self.state.names, self.state.slots):
            for key, other in held.items():
                if other.ident == value.ident:
                    held[key] = replace(other, ident=ident)  # type: ignore[index]
        return replace(value, ident=ident)

    def dimension(self, tensor: Value, place: int) -> Value:
        raise NotImplementedError

    def shape(self, holder: Value) -> Value:
        raise NotImplementedError


def number_like(text: str, value: Value, calls: Calls) -> Value:
    return Value(("def", calls.at), name=text)


def canonical(node: ast.expr | None) -> str | None:
    """A literal number so that equal values are equal texts; -0.0 is not 0."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            text = canonical(inner)
            return None if text is None else "-0.0" if text == "0" and isinstance(inner, ast.Constant) and isinstance(inner.value, float) else text if text == "0" else f"-{text}"
        case ast.Constant(value=bool() | int() | float() as value):
            return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    return None


