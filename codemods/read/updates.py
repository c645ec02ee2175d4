"""Statements `x = x - y`: who else holds the memory of x, and whether the result is like x."""

from __future__ import annotations

import ast
from dataclasses import replace

from codemods.core.event import Buffer
from codemods.core.meta import DEFAULT
from codemods.core.region import ALL
from codemods.core.update import Right, Update
from codemods.ops.in_place import in_place
from codemods.read.facts import MAYBE, Facts
from codemods.read.graph import Graph, Instr
from codemods.read.names import Names
from codemods.read.values import FRESH, OUTSIDE, Def, Loose, Ref, Value


class Updates(Facts):
    def __init__(self, graph: Graph, names: Names) -> None:
        super().__init__(graph, names)
        self.updates: dict[Def, Update] = {}
        self.targets = dict(
            pair
            for block in graph.blocks
            for one, other in zip(block.instrs, block.instrs[1:], strict=False)
            if (pair := _target(one, other)) is not None
        )
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

    def do_bin(self, instr: Instr) -> Value:
        name = self.targets.get(instr.node)
        if name is not None and isinstance(instr.node, ast.BinOp):
            left, right = self.slots(instr)
            self.updates.pop(self.at, None)
            if left.tensor and any(_ours(buffer) for buffer in (ref.buffer for ref in left.refs)):
                self.updates[self.at] = self.update(instr, instr.node, name, left, right)
        return super().do_bin(instr)

    def update(self, instr: Instr, node: ast.BinOp, name: str, left: Value, right: Value) -> Update:
        operand = replace(self.operand(left, ()), name=name)
        kind = self.kind(left, right)
        fits = kind in ("int", "float") or self.fits(left, right)
        whole = len(left.refs) == 1 and all(_as_made(ref) for ref in left.refs)
        buffers = {ref.buffer for ref in left.refs}
        holders = self.holders(instr, name, left, buffers)
        if not whole or self.state.names.get(name) is not left:
            operand = replace(operand, buffer=None)
        if self.identified:
            holders = (*holders, "id()")
        if buffers & self.state.escaped:
            holders = (*holders, "code that cannot be seen")
        return Update(node, name, operand, kind, fits, holders, self.waits)

    def kind(self, left: Value, right: Value) -> Right:
        if right.size is not None:
            return "int"
        if isinstance(right.ident, tuple) and right.ident[:2] == ("const", "float"):
            return "float"
        one, other = self.meta_of(left).dtype, self.meta_of(right).dtype
        sure = one not in (None, DEFAULT) and not (isinstance(one, tuple) and one[0] == MAYBE)
        return "same" if right.tensor and sure and one == other else "unknown"

    def fits(self, left: Value, right: Value) -> bool:
        """Each extent of the right operand is 1, or the one of the left operand at that place."""
        one, other = self.shape_of(left), self.shape_of(right)
        if right.tensor and self.meta_of(right).rank == 0:
            return bool(one)
        if not one or other is None or len(other) > len(one):  # with rank 0 the other one decides on the device
            return False
        tail = one[len(one) - len(other) :]
        return all(
            size.constant == 1 or self.settle(size) == self.settle(own) for size, own in zip(other, tail, strict=True)
        )

    def holders(self, instr: Instr, name: str, left: Value, buffers: set[Buffer]) -> tuple[str, ...]:
        """Names, and operands of this statement, through which the memory may be reached as well."""
        both = buffers | {buffer.older for buffer in buffers if buffer.older}
        found = [
            key
            for key, value in self.state.names.items()
            if key != name and any(ref.buffer in both for ref in value.reach)
        ]
        own = instr.args[0]
        found += [
            value.name
            for slot, value in self.state.slots.items()
            if slot != own and value is not left and any(ref.buffer in both for ref in value.reach)
        ]
        again = [slot for slot, value in self.state.slots.items() if slot != own and value is left]
        found += [name] if again and instr.args[1] in again else []
        return tuple(dict.fromkeys("a loop" if key.startswith("%") else key for key in found))


def _ours(buffer: Buffer) -> bool:
    return buffer not in (OUTSIDE, FRESH) and not buffer.shared


def _as_made(ref: Ref) -> bool:
    """All of some memory that is contiguous, in the shape in which it was allocated."""
    plain = ref.dims == Loose() or (isinstance(ref.dims, tuple) and ref.dims == tuple(range(len(ref.dims))))
    return ref.region == ALL and plain and ref.dense and not ref.when


def _may_wait(call: ast.Call) -> bool:
    """It may return before it has read its arguments."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    placed = name in ("to", "copy_", "cuda", "cpu") and len(call.args) > 1
    return placed or any(keyword.arg in ("non_blocking", "async_op") for keyword in call.keywords)


def _target(one: Instr, other: Instr) -> tuple[ast.AST, str] | None:
    """The operator and the name of `x = x - y`."""
    match one, other:
        case Instr(op="bin", node=ast.BinOp(left=ast.Name(id=left), op=op) as node), Instr(op="store", data=name):
            if left == name and other.args == (one.dest,) and in_place(type(op).__name__):
                return node, left
    return None
