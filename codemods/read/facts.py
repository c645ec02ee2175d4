"""Dtypes and ranks of values, and calls as a codemod may look at them: what is known without running anything.

A fact is kept only where it is certain. Where the function may give a tensor another shape or dtype in place, no fact
is kept at all.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import replace

from codemods.core.call import Call, Operand
from codemods.core.meta import DEFAULT, FLOATS, INTEGERS, NO_META, Meta, dtype_name
from codemods.ops import Op, method
from codemods.read.births import Given
from codemods.read.graph import Graph, Instr
from codemods.read.lengths import Lengths
from codemods.read.memory import RELAYS
from codemods.read.names import Names, dotted
from codemods.read.operators import SELF
from codemods.read.values import FRESH, OUTSIDE, Def, Value
from codemods.read.views import NIL

JOINS = frozenset(f"torch.{name}" for name in ("cat", "concat", "concatenate", "hstack", "vstack"))
CASTS = {
    "int": "torch.int32", "long": "torch.int64", "short": "torch.int16", "bool": "torch.bool", "half": "torch.float16",
    "float": "torch.float32", "double": "torch.float64", "bfloat16": "torch.bfloat16",
}  # fmt: skip
KEEPS = frozenset("clone contiguous detach flip roll".split())  # dtype and rank
VIEWS = frozenset(
    "reshape reshape_as view_as unsqueeze squeeze flatten ravel transpose t permute movedim moveaxis swapaxes narrow "
    "select expand expand_as".split()
)  # dtype
MAKES = frozenset("tensor as_tensor arange linspace rand randn randint eye".split())  # `dtype=` is what they give
SUMS = frozenset("cumsum cumprod sum prod".split())  # of integers and bool: int64
MAYBE = "if a tensor"  # the dtype of an object, if that is a tensor
WIDE = frozenset({"torch.int64", "torch.float32", "torch.float64"})  # what sums keep, under autocast too
SAME = frozenset("Add Sub Mult FloorDiv Mod BitAnd BitOr BitXor".split())  # of two tensors of one dtype: that dtype


class Facts(Lengths):
    def __init__(self, graph: Graph, names: Names) -> None:
        super().__init__(graph, names)
        self.calls: dict[Def, Call] = {}
        self.joins = any(
            instr.op == "call" and isinstance(instr.node, ast.Call) and dotted(instr.node.func, names.apis) in JOINS
            for block in graph.blocks
            for instr in block.instrs
        )
        self.loose = True
        if self.joins:
            self.settle_facts()

    def settle_facts(self) -> None:
        """Facts are wanted: whether any may be kept."""
        self.loose = any(_gives_another(instr) for block in self.graph.blocks for instr in block.instrs)

    def meta_of(self, value: Value) -> Meta:
        """What is certain about a tensor, if it is one."""
        if self.loose:
            return NO_META
        meta = value.meta or NO_META
        shape = self.shape_of(value) or meta.shape
        rank = meta.rank if shape is None else len(shape)
        rank = self.state.ranks.get((value.ident, self.state.layout)) if rank is None else rank
        dtype = meta.dtype if meta.dtype is not None else ("of", value.ident)
        return Meta(dtype, rank, max(meta.least, rank or 0), shape, meta.plain)

    def dtype_given(self, value: Value) -> Hashable:
        """The dtype that a value is, None where it may be something else."""
        name = dtype_name(value.api)
        is_one = isinstance(value.ident, tuple) and value.ident[:1] == ("meta",) and value.meta is not None
        return name if name is not None else value.meta.dtype if is_one and value.meta else None

    # where values are made

    def do_attr(self, instr: Instr) -> Value:
        value, holder = super().do_attr(instr), self.slot(instr, 0)
        if instr.data == "dtype" and not holder.api and not self.loose:
            sure = holder.tensor or any(ref.buffer is not OUTSIDE for ref in holder.refs)
            return value.but(meta=Meta(self.meta_of(holder).dtype if sure else (MAYBE, holder.ident)))
        if value.tensor and str(instr.data) in ("T", "mT", "data"):
            return value.but(meta=self.meta_of(holder).bare)
        return value

    def tensor_index(self, instr: Instr, holder: Value, index: Value) -> Value:
        value = super().tensor_index(instr, holder, index)
        return value.but(meta=Meta(self.meta_of(holder).dtype)) if holder.tensor else value

    def do_bin(self, instr: Instr) -> Value:
        value = super().do_bin(instr)
        if not value.tensor or self.loose:
            return value
        left, right = self.slots(instr)
        return value.but(meta=self.combined(str(instr.data), left, right))

    def combined(self, op: str, left: Value, right: Value) -> Meta:
        """The operator on two tensors, or on a tensor and a Python int."""
        if left.tensor and right.tensor:
            one, other = self.meta_of(left), self.meta_of(right)
            ranks = None if one.rank is None or other.rank is None else max(one.rank, other.rank)
            same = op in SAME and one.dtype == other.dtype != DEFAULT
            return Meta(one.dtype if same else None, ranks, max(one.least, other.least))
        tensor, number = (left, right) if left.tensor else (right, left)
        if number.size is None:
            return NO_META
        meta = self.meta_of(tensor).bare
        sure = op in ("Add", "Sub", "Mult", "FloorDiv", "Mod") and meta.dtype in INTEGERS | FLOATS
        return meta if sure else replace(meta, dtype=None)

    def birth(
        self, given: Given, api: str, values: tuple[Value, ...], first: Value | None, holder: Value | None = None
    ) -> Value:
        made = super().birth(given, api, values, first, holder)
        if self.loose:
            return made
        asked = given.named.get("dtype")
        if asked is not None and asked != NIL:
            return made.but(meta=Meta(self.dtype_given(asked)))
        like = first if api.endswith("_like") else holder
        if like is not None:
            return made.but(meta=Meta(self.meta_of(like).dtype))
        return made.but(meta=Meta(None if api == "torch.full" else DEFAULT))

    def operate(self, given: Given, op: Op, args: list[Value]) -> Value:
        value = super().operate(given, op, args)
        if op.name == "torch.arange" and not given.starred:  # it takes no tuple
            self.state.ranks |= {("a number", end.ident): 0 for end in given.values if end.ident is not None}
        if self.loose or not value.tensor or given.spread or given.starred or "out" in given.named:
            return value
        name = op.name.rpartition(".")[2]
        if op.inplace or name.endswith("_") or op.name.startswith(("torch.nn.", "torch.special.")):
            return value
        return value.but(meta=self.result(name, given, args))

    def result(self, name: str, given: Given, args: list[Value]) -> Meta:
        asked = given.named.get("dtype")
        if name in MAKES:
            return Meta(self.dtype_given(asked)) if asked is not None else NO_META
        if not args or any(args[0] is value for value in given.named.values()):
            return NO_META  # which argument is its input is not looked up
        first, rest = args[0], [value for value in args[1:] if value is not asked]
        meta = self.meta_of(first).bare
        if name in CASTS:
            return replace(meta, dtype=CASTS[name])
        if name == "to":
            return replace(meta, dtype=self.moved_to(meta, given, rest))
        if name in SUMS:
            return self.summed(name, meta, given, rest, asked)
        if name in KEEPS:
            return meta
        return self.viewed_as(name, meta) if name in VIEWS else NO_META

    def moved_to(self, meta: Meta, given: Given, rest: list[Value]) -> Hashable:
        """The dtype behind `.to(..)`: the one argument that certainly is a dtype."""
        asked = [*rest, *([given.named["dtype"]] if "dtype" in given.named else [])]
        found = [dtype for dtype in map(self.dtype_given, asked) if dtype is not None]
        if not found and given.named.keys() <= {"device", "non_blocking", "copy"}:
            return meta.dtype if all(_is_device(value) for value in given.values) else None
        return found[0] if len(found) == 1 else None

    def summed(self, name: str, meta: Meta, given: Given, rest: list[Value], asked: Value | None) -> Meta:
        if asked is not None and asked != NIL:
            dtype = self.dtype_given(asked)
        else:
            dtype = "torch.int64" if meta.dtype in INTEGERS | {"torch.bool"} else meta.dtype
            dtype = dtype if dtype in WIDE else None
        if name in ("sum", "prod"):
            return Meta(dtype, None if rest or given.named.keys() - {"dtype"} else 0)
        place = rest[0] if rest else given.named.get("dim")
        along = place.size.constant if place is not None and place.size is not None else None
        return Meta(dtype, meta.rank, max(meta.least, _reaches(along)))

    def viewed_as(self, name: str, meta: Meta) -> Meta:
        match name:
            case "unsqueeze":
                return Meta(meta.dtype, None if meta.rank is None else meta.rank + 1, meta.least + 1)
            case "transpose" | "permute" | "t" | "movedim" | "moveaxis" | "swapaxes" | "narrow":
                return meta
        return Meta(meta.dtype)

    # calls to look at

    def do_call(self, instr: Instr) -> Value:
        node = instr.node
        api = dotted(node.func, self.names.apis) if self.joins and isinstance(node, ast.Call) else None
        if api in JOINS and isinstance(node, ast.Call) and self.slot(instr, 0).api:
            listed = self.slot(instr, 1) if len(instr.args) > 1 else Value()
            items = listed.items if listed.name in ("tuple", "list") else None
            self.calls[self.at] = Call(node, api, tuple(self.operand(item, items or ()) for item in items or ()))
        return super().do_call(instr)

    def operand(self, value: Value, every: tuple[Value, ...]) -> Operand:
        """An element of the list; all of them are tensors, or the call raises."""
        (ref,) = value.refs if len(value.refs) == 1 else (None,)
        buffer = None if ref is None or ref.when or ref.buffer in (OUTSIDE, FRESH) else ref.buffer
        meta = self.meta_of(value)
        if isinstance(meta.dtype, tuple) and meta.dtype[0] == MAYBE:
            of = next((self.meta_of(other).dtype for other in every if other.ident == meta.dtype[1]), None)
            meta = replace(meta, dtype=of)
        name = value.name if value.name != "?" else "the constant"
        shape = self.shape_of(value)
        if buffer is None or not shape or not every:
            return Operand(name, meta, buffer, shape)
        texts = tuple(self.spelled(buffer, extent) for extent in shape)
        return Operand(name, meta, buffer, shape, texts, tuple(self.some(extent) for extent in shape))


def _is_device(value: Value) -> bool:
    return isinstance(value.ident, tuple) and (value.ident[:2] == ("const", "str") or value.ident[-1] == "device")


def _reaches(dimension: int | None) -> int:
    """The rank that a tensor has at least where this dimension is one of its own; 0 and -1 are allowed for rank 0."""
    if dimension is None or dimension in (0, -1):
        return 0
    return dimension + 1 if dimension > 0 else -dimension


def _gives_another(instr: Instr) -> bool:
    """It may give a tensor another shape or dtype in place."""
    if instr.op == "setattr":
        return instr.data == "data"
    node = instr.node
    if instr.op != "call" or not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    op = method(name)
    return (
        name in RELAYS
        or (op is not None and op.kind == "restride" and name not in SELF)
        or any(keyword.arg == "out" for keyword in node.keywords)
    )


__all__ = ["JOINS", "MAYBE", "Facts"]
