"""Results of operators: their shape and strides, and memory of their own where a statement may write into it."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable
from dataclasses import replace

from codemods.core.event import Buffer
from codemods.core.meta import DEFAULT, FLOATS, Meta
from codemods.core.size import Size
from codemods.ops import Op
from codemods.ops.in_place import keeps_dtype
from codemods.read.births import Given
from codemods.read.facts import CASTS, SUMS, Facts
from codemods.read.graph import Graph, Instr
from codemods.read.names import Names
from codemods.read.values import Value
from codemods.read.views import NIL

MADE = frozenset("arange linspace rand randn randint".split())  # contiguous, whatever they are given
SIZED = frozenset("rand randn".split())  # their arguments are the shape
OTHERS = ("torch.nn.", "torch.special.", "torch.linalg.", "torch.fft.")
UNUSUAL = frozenset({"out", "layout", "memory_format", "names", "requires_grad"})
NUMBERS = frozenset({"min", "max", "alpha", "diagonal"})
QUIET = frozenset({"dtype", "device", "pin_memory"})
PLACES = frozenset({"device", "non_blocking", "copy", "dtype"})


class Results(Facts):
    def __init__(self, graph: Graph, names: Names) -> None:
        super().__init__(graph, names)
        self.targets: dict[ast.AST, str] = {}  # operators and calls of which a statement may be made to write in place
        self.allocated: set[Buffer] = set()

    def made(self, node: ast.AST, name: str, tensor: bool = True) -> Value:
        if self.targets and tensor:
            return self.born(node, name, name, None, False)
        return super().made(node, name, tensor)

    def birth(
        self, given: Given, api: str, values: tuple[Value, ...], first: Value | None, holder: Value | None = None
    ) -> Value:
        made = super().birth(given, api, values, first, holder)
        self.allocated |= {ref.buffer for ref in made.refs}
        if self.loose or given.spread or given.named.keys() & {"memory_format", "layout"}:
            return made
        plain = not api.endswith("_like") or (first is not None and self.meta_of(first).plain)
        return made.but(meta=replace(made.meta or Meta(), plain=plain))

    def do_bin(self, instr: Instr) -> Value:
        value = super().do_bin(instr)
        if self.loose or not value.tensor or instr.data == "MatMult":
            return value
        left, right = self.slots(instr)
        dtype, kind = self.meta_of(left).dtype, number_kind([right])
        if left.tensor and kind is not None and keeps(str(instr.data), kind, dtype):
            value = value.but(meta=replace(value.meta or Meta(), dtype=dtype))
        return self.elementwise(value, (left, right))

    def do_compare(self, instr: Instr) -> Value:
        value = super().do_compare(instr)
        if self.loose or not value.tensor or str(instr.data) in ("Is", "IsNot", "In", "NotIn"):
            return value
        if self.targets:
            value = value.but(refs=self.made(instr.node, "a comparison").refs, name="a comparison")
        return self.elementwise(value.but(meta=Meta("torch.bool")), self.slots(instr))

    def elementwise(self, value: Value, operands: Iterable[Value]) -> Value:
        """The result of an operator on tensors of one shape, or on a tensor and numbers."""
        every = list(operands)
        metas = [self.meta_of(operand) for operand in every if operand.tensor]
        numbers = [operand for operand in every if number_kind([operand])]
        shape, plain = self.common(metas), all(meta.plain for meta in metas)
        if not metas or len(metas) + len(numbers) < len(every):
            return value
        if numbers:
            plain = plain and all(meta.steady for meta in metas)
        if len(metas) > 1:
            plain = plain and (shape is not None or all(meta.rank == 1 for meta in metas))
        if shape is None and len(metas) > 1:
            return value.but(meta=replace(value.meta or Meta(), plain=plain))
        meta = value.meta or Meta()
        rank = meta.rank if meta.rank is not None else metas[0].rank
        return value.but(meta=Meta(meta.dtype, rank, max(meta.least, metas[0].least), shape, plain))

    def common(self, metas: list[Meta]) -> tuple[Size, ...] | None:
        """The one shape that they have."""
        shapes = [None if meta.shape is None else tuple(self.settle(extent) for extent in meta.shape) for meta in metas]
        return shapes[0] if shapes and all(shape == shapes[0] for shape in shapes) else None

    def operate(self, given: Given, op: Op, args: list[Value]) -> Value:
        value = super().operate(given, op, args)
        if self.loose or not value.tensor or given.spread or given.starred:
            return value
        named = {name for name, argument in given.named.items() if argument != NIL}
        if named & UNUSUAL or op.name.startswith(OTHERS):
            return value
        name = op.name.rpartition(".")[2]
        if name in MADE and not given.method:
            return self.counted(value, name, given)
        meta = self.like_first(value.meta or Meta(), name, given, args)
        return value if meta is None else value.but(meta=meta)

    def counted(self, value: Value, name: str, given: Given) -> Value:
        meta, ends = value.meta or Meta(), given.values
        sized = bool(ends) and all(end.size is not None for end in ends)
        shape = tuple(self.settle(end.size) for end in ends if end.size is not None) if sized else None
        if name not in SIZED and (name != "arange" or len(ends) != 1):
            shape = None
        dtype = meta.dtype
        if name == "arange" and sized and given.named.get("dtype", NIL) == NIL and given.named.keys() <= QUIET:
            dtype = "torch.int64"
        rank = 1 if name in ("arange", "linspace") else len(shape) if shape is not None else None
        return value.but(meta=Meta(dtype, rank, rank or 0, shape, True))

    def like_first(self, meta: Meta, name: str, given: Given, args: list[Value]) -> Meta | None:
        """The result has the shape and the strides of the first argument, which is plain."""
        if not args or not args[0].tensor or any(args[0] is value for value in given.named.values()):
            return None
        first = self.meta_of(args[0])
        rest = args[1:]
        same = Meta(meta.dtype, first.rank, max(meta.least, first.least), first.shape, first.plain)
        if name in ("clone", "contiguous") or name in CASTS:
            return None if rest else same
        if name == "to":
            return same if given.named.keys() <= PLACES else None
        if name in ("cumsum", "cumprod"):
            return same
        kind = "none" if not rest else number_kind(rest)
        if name in SUMS or kind is None or given.named.keys() - NUMBERS or not keeps(name, kind, first.dtype):
            return None
        return replace(same, dtype=first.dtype, plain=first.steady)


def keeps(row: str, kind: str, dtype: Hashable) -> bool:
    """The result of a row of the table has the dtype of its left operand."""
    if not isinstance(dtype, str):
        return False
    every = sorted(FLOATS) if dtype == DEFAULT else [dtype]
    return all(keeps_dtype(row, kind, known.removeprefix("torch.")) for known in every)


def number_kind(values: list[Value]) -> str | None:
    """ "int" for Python ints, "float" where one is a float, None where something else may be among them."""
    kinds = [_kind(value) for value in values]
    return None if not kinds or None in kinds else "float" if "float" in kinds else "int"


def _kind(value: Value) -> str | None:
    if value.size is not None:
        return "int"
    ident = value.ident
    while isinstance(ident, tuple) and ident[:2] == ("unary", "USub"):
        ident = ident[2]
    return "float" if isinstance(ident, tuple) and ident[:2] == ("const", "float") else None
