"""Statements such as `x = x - y`: who else holds the memory of x, and whether the result is like x."""

from __future__ import annotations

import ast
from dataclasses import replace

from codemods.core.event import Buffer
from codemods.core.meta import DEFAULT
from codemods.core.region import ALL
from codemods.core.update import Right, Update
from codemods.ops.in_place import in_place
from codemods.read.facts import MAYBE
from codemods.read.graph import Graph, Instr
from codemods.read.names import Names, dotted
from codemods.read.results import Results, number_kind
from codemods.read.values import FRESH, OUTSIDE, Def, Loose, Ref, Value

NAMED = frozenset("min max alpha value mask dim diagonal".split())  # keywords that a row of the table speaks of


class Updates(Results):
    def __init__(self, graph: Graph, names: Names) -> None:
        super().__init__(graph, names)
        self.updates: dict[Def, Update] = {}
        self.chains: dict[ast.AST, tuple[ast.Call, ...]] = {}  # the first call of each -> all of them
        for block in graph.blocks:
            for one, other in zip(block.instrs, block.instrs[1:], strict=False):
                self.target(one, other)
        if self.targets:
            self.settle_facts()
        self.identified = any(
            instr.op == "load" and instr.data == "id" for block in graph.blocks for instr in block.instrs
        )
        self.waits = any(
            _may_wait(instr.node)
            for block in graph.blocks
            for instr in block.instrs
            if instr.op == "call" and isinstance(instr.node, ast.Call)
        )

    def target(self, one: Instr, other: Instr) -> None:
        """Keep the operator, or the calls, and the name of `x = x - y`."""
        if other.op != "store" or other.args != (one.dest,) or one.op not in ("bin", "call"):
            return
        match one.node:
            case ast.BinOp(left=ast.Name(id=name), op=op) if name == other.data and in_place(type(op).__name__):
                self.targets[one.node] = name
            case ast.Call() as node:
                chain = calls_on(node, str(other.data), self.names.apis)
                if chain and not any(row is None or not in_place(row) for row in map(row_of, chain)):
                    self.targets[chain[0]] = str(other.data)
                    self.chains[chain[0]] = chain

    # operators

    def do_bin(self, instr: Instr) -> Value:
        name = self.targets.get(instr.node)
        if name is not None and isinstance(instr.node, ast.BinOp):
            left, right = self.slots(instr)
            self.updates.pop(self.at, None)
            if self.ours(left):
                row = type(instr.node.op).__name__
                self.updates[self.at] = self.update(instr, instr.node, name, left, (right,), row)
        return super().do_bin(instr)

    # calls

    def do_call(self, instr: Instr) -> Value:
        name = self.targets.get(instr.node)
        if name is not None and isinstance(instr.node, ast.Call):
            self.updates.pop(self.at, None)
            slots = self.slots(instr)
            holder = slots[0]
            method = _receiver(instr.node) is not None
            if (method and not holder.api) or holder.api == "torch":
                left, rest = (holder, slots[1:]) if method and not holder.api else (slots[1], slots[2:])
                row = row_of(instr.node)
                if row and self.ours(left) and _attr(instr.node) not in self.names.methods:
                    update = self.update(instr, instr.node, name, left, tuple(rest), row)
                    self.updates[self.at] = self.chained(update, self.chains[instr.node])
        return super().do_call(instr)

    def chained(self, update: Update, chain: tuple[ast.Call, ...]) -> Update:
        """With the calls behind the first one: their arguments are literal numbers."""
        rows = list(update.rows)
        for call in chain[1:]:
            kinds = {_literal(argument) for argument in (*call.args, *(word.value for word in call.keywords))}
            right: Right = "none" if not kinds else "unknown" if None in kinds else "float"
            rows.append((row_of(call) or "", "int" if kinds == {"int"} else right))
        return replace(update, node=chain[-1], inner=chain[:-1], rows=tuple(rows))

    def ours(self, left: Value) -> bool:
        """Memory that an allocation of this function made, or an operator whose result lies there as it would."""
        buffers = {ref.buffer for ref in left.refs if _ours(ref.buffer)}
        return left.tensor and bool(buffers) and (bool(buffers & self.born_here) or self.meta_of(left).plain)

    @property
    def born_here(self) -> set[Buffer]:
        return self.allocated | {buffer.older for buffer in self.allocated if buffer.older}

    # both

    def update(
        self, instr: Instr, node: ast.BinOp | ast.Call, name: str, left: Value, rest: tuple[Value, ...], row: str
    ) -> Update:
        operand = replace(self.operand(left, ()), name=name)
        kind = self.kind(node, left, rest, row)
        tensors = [value for value in rest if value.tensor]
        fits = all(self.fits(left, value) for value in tensors)
        if not (operand.meta.plain if kind == "place" else self.lies_alike(left, rest)):
            operand = replace(operand, meta=replace(operand.meta, plain=False))
        whole = len(left.refs) == 1 and all(_as_made(ref, operand.meta.plain) for ref in left.refs)
        buffers = {ref.buffer for ref in left.refs}
        own = instr.args[1] if isinstance(node, ast.Call) and self.slot(instr, 0).api else instr.args[0]
        others = [slot for slot in instr.args if slot != own]
        holders = self.holders(own, others, name, left, buffers)
        if not whole or self.state.names.get(name) is not left:
            operand = replace(operand, buffer=None)
        if self.identified:
            holders = (*holders, "id()")
        if buffers & self.state.escaped:
            holders = (*holders, "code that cannot be seen")
        return Update(node, name, operand, ((row, kind),), fits, holders, self.waits)

    def kind(self, node: ast.BinOp | ast.Call, left: Value, rest: tuple[Value, ...], row: str) -> Right:
        values = list(rest)
        if isinstance(node, ast.Call):
            words = [word.arg for word in node.keywords]
            if any(isinstance(argument, ast.Starred) for argument in node.args):
                return "unknown"
            if not set(words) <= NAMED | {"rounding_mode"}:
                return "unknown"
            count = len(rest) - len(words)
            named = [value for word, value in zip(words, rest[count:], strict=True) if word != "rounding_mode"]
            values = [*rest[:count], *named]
            if row in ("tril", "triu"):
                return "place" if not values or number_kind(values) == "int" else "unknown"
            if not values:
                return "none"
        if row == "masked_fill":
            return "mask" if self.masks(values) else "unknown"
        if (told := number_kind(values)) is not None:
            return "int" if told == "int" else "float"
        if not self.alike(left, values[0]):
            return "unknown"
        told = number_kind(values[1:]) if len(values) > 1 else "int"
        return "unknown" if told is None else "same" if told == "int" else "same-float"

    def alike(self, left: Value, right: Value) -> bool:
        """A tensor of the same dtype."""
        one, other = self.meta_of(left).dtype, self.meta_of(right).dtype
        sure = one not in (None, DEFAULT) and not (isinstance(one, tuple) and one[0] == MAYBE)
        return right.tensor and sure and one == other

    def masks(self, values: list[Value]) -> bool:
        mask = values[0]
        return len(values) == 2 and mask.tensor and self.meta_of(mask).dtype == "torch.bool"

    def fits(self, left: Value, right: Value) -> bool:
        """Each extent of the right operand is 1, or the one of the left operand at that place."""
        one, other = self.meta_of(left).shape, self.meta_of(right).shape
        if right.tensor and self.meta_of(right).rank == 0:
            return bool(one)
        if not one or other is None or len(other) > len(one):  # with rank 0 the other one decides on the device
            return False
        tail = one[len(one) - len(other) :]
        return all(
            size.constant == 1 or self.settle(size) == self.settle(own) for size, own in zip(other, tail, strict=True)
        )

    def lies_alike(self, left: Value, rest: tuple[Value, ...]) -> bool:
        """The result lies in memory as the left operand does."""
        meta = self.meta_of(left)
        for value in rest:
            other = self.meta_of(value)
            if value.tensor and other.plain and self.common([meta, other]) is not None:
                continue
            if not (meta.firm if value.tensor and not other.plain else meta.steady):
                return False
        return meta.plain

    def holders(self, own: int, others: list[int], name: str, left: Value, buffers: set[Buffer]) -> tuple[str, ...]:
        """Names, and operands of this statement, through which the memory may be reached as well."""
        both = buffers | {buffer.older for buffer in buffers if buffer.older}
        found = [
            key
            for key, value in self.state.names.items()
            if key != name and any(ref.buffer in both for ref in value.reach)
        ]
        found += [
            value.name
            for slot, value in self.state.slots.items()
            if slot != own and value is not left and any(ref.buffer in both for ref in value.reach)
        ]
        again = [slot for slot, value in self.state.slots.items() if slot != own and value is left]
        found += [name] if set(again) & set(others) else []
        return tuple(dict.fromkeys("a loop" if key.startswith("%") else key for key in found))


def calls_on(node: ast.Call, name: str, apis: dict[str, str]) -> tuple[ast.Call, ...]:
    """The calls of `x.a(..).b(..)` or `torch.a(x, ..)`, the first one in front; () where it is something else."""
    inner = _receiver(node)
    match inner:
        case ast.Name(id=other) if other == name:
            return (node,)
        case ast.Call():
            chain = calls_on(inner, name, apis)
            first = _receiver(chain[0]) if chain else None
            return (*chain, node) if isinstance(first, ast.Name) and first.id == name else ()
        case ast.Name() if (dotted(node.func, apis) or "").count(".") == 1 and node.args:
            first = node.args[0]
            return (node,) if apis.get(inner.id) == "torch" and isinstance(first, ast.Name) and first.id == name else ()
    return ()


def row_of(call: ast.Call) -> str | None:
    """The row of the table that speaks of this call."""
    modes = [word.value for word in call.keywords if word.arg == "rounding_mode"]
    match modes:
        case []:
            return _attr(call)
        case [ast.Constant(value=str() as mode)]:
            return f"{_attr(call)}:{mode}"
        case [ast.Constant(value=None)]:
            return _attr(call)
    return None


def _attr(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _receiver(call: ast.Call) -> ast.expr | None:
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def _literal(node: ast.expr) -> str | None:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) | ast.Constant(value=value):
            return type(value).__name__ if type(value) in (int, float) else None
    return None


def _ours(buffer: Buffer) -> bool:
    return buffer not in (OUTSIDE, FRESH) and not buffer.shared


def _as_made(ref: Ref, plain: bool) -> bool:
    """All of some memory, in the shape in which it was allocated."""
    same = ref.dims == Loose() or (isinstance(ref.dims, tuple) and ref.dims == tuple(range(len(ref.dims))))
    return ref.region == ALL and same and (ref.dense or plain) and not ref.when


def _may_wait(call: ast.Call) -> bool:
    """It may return before it has read its arguments."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    placed = name in ("to", "copy_", "cuda", "cpu") and len(call.args) > 1
    return placed or any(keyword.arg in ("non_blocking", "async_op") for keyword in call.keywords)
