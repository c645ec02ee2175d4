"""Calls: what is known about the callee decides what happens to the memory of its arguments."""

from __future__ import annotations

import ast

from codemods.core.size import ONE, ZERO, Atom, variable
from codemods.ops import function, method
from codemods.read.births import BIRTHS, FILLS, Given
from codemods.read.graph import Instr
from codemods.read.launches import Launches
from codemods.read.memory import somewhere
from codemods.read.partials import PARTIAL
from codemods.read.values import (
    NONE,
    NOTHING,
    OUT,
    Value,
    fresh,
    number,
    unknown,
    untagged,
)

LOOKS = frozenset("len isinstance issubclass type id callable hasattr hash".split())
READS = frozenset(
    "int float bool str repr print format sum min max abs round any all divmod pow chr ord hex bytes".split()
)
HOLDS = frozenset("list tuple set frozenset dict zip enumerate reversed sorted iter filter map slice next".split())
WALKS = frozenset("sum min max any all bytes".split())
LAZY = frozenset("zip enumerate reversed iter filter map".split())
EXPOSES = frozenset("locals globals vars eval exec getattr setattr super".split())
STREAMS = frozenset(
    "torch.cuda.stream torch.cuda.graph torch.cuda.set_stream torch.cuda.Stream torch.cuda.StreamContext "
    "torch.cuda.CUDAGraph "
    "torch.Stream torch.xpu.stream torch.npu.stream".split()
)
PARAMETERS = frozenset({"torch.nn.Parameter", "torch.nn.parameter.Parameter", "torch.nn.Buffer"})
REGISTERS = (".register_buffer", ".register_parameter")
QUIET = frozenset(
    "torch.no_grad torch.inference_mode torch.enable_grad torch.set_grad_enabled torch.cuda.device torch.device "
    "contextlib.nullcontext torch.profiler.record_function torch.autograd.profiler.record_function".split()
)


class Calls(Launches):
    def do_call(self, instr: Instr) -> Value:
        node = instr.node
        assert isinstance(node, ast.Call)
        slots = self.slots(instr)
        count = len(node.args)
        starred = any(isinstance(arg, ast.Starred) for arg in node.args)
        names = [keyword.arg for keyword in node.keywords]
        named = {name or "**": value for name, value in zip(names, slots[1 + count :], strict=False)}
        if instr.data:
            named |= self.free_names(instr, slots[1 + count + len(names) :])
        given = Given(node, tuple(slots[1 : 1 + count]), named, starred, None in names)
        holder = slots[0]
        for arg, value in zip(node.args, given.values, strict=True):
            if isinstance(arg, ast.Starred) and not self.quiet_source(value):
                self.outside_call(node, f"reachable when {value.name} is walked")
        if isinstance(node.func, ast.Attribute):
            attr = node.func.attr
            return (
                self.function_call(given, f"{holder.api}.{attr}")
                if holder.api
                else self.method_call(given, holder, attr)
            )
        if holder.api:
            return self.function_call(given, holder.api)
        if (result := self.launched(given, holder)) is not None:
            return result
        if (result := self.applied_partial(given, holder)) is not None:
            return result
        if (result := self.seen_into(given, holder, "")) is not None:
            return result
        if holder.bound is not None and not given.spread:
            return self.method_call(given, *holder.bound)
        self.escape(holder, node, f"{holder.name} is called", "unseen-call")
        return self.unseen(given, holder.name)

    def free_names(self, instr: Instr, values: list[Value]) -> dict[str, Value]:
        """What a nested function uses of the names around it, as keywords that no call can have."""
        names = instr.data if isinstance(instr.data, tuple) else ()
        return {f"%{name}": value for name, value in zip(names, values, strict=True) if name in self.graph.locals}

    def quiet_source(self, source: Value) -> bool:
        raise NotImplementedError

    def quiet_sources(self, given: Given) -> bool:
        """Walking the arguments runs nothing more: what a generator runs that is written there was told just now."""
        written = [isinstance(arg, ast.GeneratorExp) for arg in given.node.args]
        told = [value for value, here in zip(given.values, written, strict=True) if not here]
        return all(self.quiet_source(value) for value in (*told, *given.named.values()))

    # code that cannot be seen

    def unseen(self, given: Given, name: str, missing: str = "") -> Value:
        kept = name in PARAMETERS or name.endswith(REGISTERS)
        for value in given.every:
            if kept:
                why = f"passed to {name}(): parameters and buffers of a module are seen from outside"
                self.escape(value, given.node, why, "kept")
            else:
                self.escape(value, given.node, f"passed to {name}(), which cannot be seen into{missing}", "unseen-call")
        self.outside_call(given.node, f"reachable when {name}() runs")
        return unknown(("def", self.at), f"{name}()")

    def function_call(self, given: Given, api: str) -> Value:
        if api in STREAMS:
            self.stale, self.streams = True, self.streams or given.node
            self.unseen(given, api)
            return unknown(("def", self.at), "stream")
        if api.startswith("builtins."):
            return self.builtin(given, api.removeprefix("builtins."))
        if api == PARTIAL and (part := self.partial(given)) is not None:
            return part
        if api in BIRTHS:
            made = self.birth(given, api, given.values, given.at(0, "size" if not api.endswith("_like") else "input"))
            if "out" in given.named:
                self.escape(made, given.node, "given by out=", "not-understood")
                self.resized(given)
                return self.unseen(given, api)
            return made
        if api in QUIET and all(value.reach <= OUT for value in given.every):  # nullcontext(x) hands x on
            return Value(("def", self.at), name=api)
        if "triton." in api and (result := self.computed(given)) is not None:
            return result
        op = function(api)
        if op is None and (result := self.seen_into(given, Value(api=api, name=api), "")) is not None:
            return self.typed(api, result)
        if op is None or given.spread:
            if api.startswith("torch."):
                self.resized(given)
            return self.typed(api, self.unseen(given, api))
        if given.values or op.kind in ("new", "meta"):
            return self.operate(given, op, list(given.every))
        first = next((name for name in ("input", "tensor", "self") if name in given.named), None)
        if first is None:
            return self.unseen(given, api)
        others = [value for name, value in given.named.items() if name != first]
        return self.operate(given, op, [given.named[first], *others])

    def method_call(self, given: Given, holder: Value, attr: str) -> Value:
        if isinstance(given.node.func, ast.Attribute):
            given = Given(given.node, given.values, given.named, given.starred, given.spread, True)
        api = f"Tensor.{attr}"
        node = given.node
        if attr in self.names.methods:
            return self.unseen_method(given, holder, attr)
        known = holder.tensor
        if holder.shape_of is not None and attr == "numel" and not given.every:
            return self.numel(holder.shape_of.tensor, holder.shape_of.layout)
        if api in BIRTHS:
            return self.birth(given, api, given.values, given.at(0, "size"), holder)
        op = method(attr)
        if attr in ("record_stream", "wait_stream", "wait_event"):
            self.stale, self.streams = True, self.streams or node
        if (
            op is None
            or given.spread
            or not (known or attr.endswith("_") or attr in ("size", "numel", "dim", "stride"))
        ):
            return self.unseen_method(given, holder, attr)
        if attr in FILLS:
            holder = self.filled(given, holder)
        return self.operate(given, op, [holder, *given.every])

    def unseen_method(self, given: Given, holder: Value, attr: str) -> Value:
        if (result := self.seen_into(given, holder, attr)) is not None:
            return result
        self.escape(holder, given.node, f"used by .{attr}(), which cannot be seen into", "unseen-call")
        if attr.endswith("_"):  # it may give the tensor another shape, or other memory
            self.relaid(holder)
            self.state.layout = self.at
        held = isinstance(holder.ident, tuple) and holder.ident[:1] == ("attr",)  # an object that an object has
        missing = f": which implementation of {attr}() it runs is not known" if held else ""
        return self.unseen(given, f"{holder.name}.{attr}", missing)

    def filled(self, given: Given, holder: Value) -> Value:
        """`x.zero_()` and `x.fill_(c)`: the receiver is memory to follow from here on."""
        return self.adopted(holder)

    # builtins

    def builtin(self, given: Given, name: str) -> Value:
        node, first = given.node, given.values[0] if given.values else NOTHING
        if name in LOOKS:
            if name == "type" and len(given.values) > 1:
                return self.unseen(given, name)
            for value in given.every:
                self.mention(value, node, f"{name}() looks at it")
            return self.length(first) if name == "len" else Value(("def", self.at), name=name)
        if name in ("range", "enumerate", "slice"):
            for value in given.every[name == "enumerate" :]:
                self.read(value, node, f"read by {name}()")
        if name == "range" and not given.starred:
            ends = [value if value.size is not None else number(self.number(value)) for value in given.values[:3]]
            start, stop = (number(ZERO), *ends)[:2] if len(ends) == 1 else (*ends, NOTHING, NOTHING)[:2]
            step = ends[2] if len(ends) == 3 else number(ONE)
            return Value(("def", self.at), items=(start, stop, step), bound=(NOTHING, "range"), name="range")
        if name in LAZY and not self.quiet_sources(given):
            self.outside_call(node, f"reachable when {name}() asks for an iterator")
        if name == "reversed":  # of a tensor: a copy, made here
            self.read(first.but(inside=NONE), node, "copied by reversed()")
        if name in ("enumerate", "zip", "reversed") and not given.starred and not given.named:
            held = untagged(frozenset().union(*(value.reach for value in given.every), NONE))
            items = given.values if len(given.values) == 1 or name == "zip" else None
            kind = name if items else "lazy"
            return Value(("def", self.at), inside=held, items=items, bound=(NOTHING, kind), name=name)
        if name in READS:
            for value in given.every:
                self.read(value, node, f"read by {name}()")
            if name in WALKS and not self.quiet_sources(given):
                self.outside_call(node, f"reachable when {name}() walks an iterator")
            if name in ("min", "max", "sum", "abs", "round"):  # some return one of their arguments
                held = untagged(frozenset().union(*(value.reach for value in given.every), NONE))
                return Value(("def", self.at), somewhere(held) | fresh(0, "").refs, held, name=f"{name}()")
            if any(value.refs & OUT or value.inside & OUT for value in given.every) and name not in (
                "print",
                "int",
                "float",
                "bool",
            ):
                return unknown(("def", self.at), name)
            size = first.size if name == "int" else None
            if name == "int" and size is None:
                size = variable(Atom(f"{name}(..)", ("int", first.ident, self.at)))
            return Value(("def", self.at), size=size, name=f"{name}(..)")
        if name == "super" and not given.every:
            return Value(("super", self.at), OUT, OUT, name="super()")
        if name in EXPOSES:
            self.escape(self.everything(), node, f"within reach of {name}()", "captured")
            return self.unseen(given, name)
        if name in ("map", "filter"):  # it looks at what it is given whenever somebody walks it
            for value in given.every:
                self.escape(value, node, f"passed to {name}(), which runs later", "unseen-call")
        if name in HOLDS:
            held = untagged(frozenset().union(*(value.reach for value in given.every), NONE))
            refs = held if name == "next" else NONE
            if name in LAZY:  # runs when it is walked, if at all
                return Value(("def", self.at), NONE, held, bound=(NOTHING, "lazy"), name=name)
            if not self.quiet_sources(given):
                self.outside_call(node, f"reachable when {name}() walks an iterator")
            return Value(("def", self.at), refs, held, name="container" if name != "next" else "next")
        return self.unseen(given, name)
