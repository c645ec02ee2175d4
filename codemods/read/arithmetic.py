"""Operators: numbers are computed, tensors are read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from codemods.core.size import Atom, Size, as_size, large, variable
from codemods.read.graph import Instr
from codemods.read.shapes import joined
from codemods.read.turns import Turns
from codemods.read.values import (
    IDENTITY,
    NONE,
    OUT,
    Fact,
    Like,
    Value,
    fresh,
    number,
    untagged,
)
from codemods.read.views import NIL

LONG = 200
SIGNS = {"Add": "+", "Sub": "-", "Mult": "*", "FloorDiv": "//", "Mod": "%", "Div": "/", "Pow": "**"}


class Arithmetic(Turns):
    def do_bin(self, instr: Instr) -> Value:
        left, right = self.slots(instr)
        op = str(instr.data)
        name = f"{_short(left.name)} {SIGNS.get(op, op)} {_short(right.name)}"
        if left.size is not None and right.size is not None:
            return self.arithmetic(op, left.size, right.size, name)
        if op == "Add" and (shape := joined(left, right)) is not None:
            return shape
        for value in (left, right):
            self.read(value, instr.node, "an operand here")
        if left.tensor or right.tensor:
            return self.made(instr.node, name)
        ident: Hashable = ("bin", op, left.ident, right.ident, self.state.epoch)
        ident = ("def", self.at) if large(ident) else ident
        whole = bool((left.refs | right.refs) & OUT) or left.bound is not None or right.bound is not None
        items = left.items + right.items if op == "Add" and left.items is not None and right.items is not None else None
        if not (left.reach or right.reach):
            return Value(ident, name=name, items=items, inside=NONE)
        held = untagged(left.inside | right.inside)
        return Value(ident, OUT if whole else NONE, held | OUT if whole else held, name=name, items=items)

    def arithmetic(self, op: str, left: Size, right: Size, name: str) -> Value:
        left, right = self.settle(left), self.settle(right)
        if large(left) or large(right):  # such as `n = n * n` again and again
            return Value(("def", self.at), name=name)
        match op:
            case "Add":
                return number(left + right, name)
            case "Sub":
                return number(left - right, name)
            case "Mult":
                return number(left * right, name)
            case "FloorDiv" | "Mod" | "LShift" | "RShift" | "BitAnd" | "BitOr" | "BitXor":
                natural = left.natural and right.natural
                return number(variable(Atom(name, (op, left, right), natural)), name)
        return Value(("bin", op, left, right), name=name)

    def do_unary(self, instr: Instr) -> Value:
        value = self.slot(instr, 0)
        if value.size is not None and instr.data == "USub":
            return number(-value.size, f"-{value.name}")
        self.read(value, instr.node, "an operand here")
        if instr.data == "UAdd":  # torch returns the operand itself
            return value
        if value.tensor:
            return self.made(instr.node, f"-{value.name}")
        ident = ("unary", instr.data, value.ident, self.state.epoch)
        return Value(ident, value.refs & OUT, value.inside & OUT, name=f"-{value.name}")

    def do_compare(self, instr: Instr) -> Value:
        left, right = self.slots(instr)
        op = str(instr.data)
        if op in ("Is", "IsNot"):
            self.mention(left, instr.node, "compared by identity")
            if right == NIL:
                return Value((IDENTITY, op, left.ident), name=f"{left.name} is {'' if op == 'Is' else 'not '}None")
            return Value(("def", self.at))
        for value in (left, right):
            if op not in ("In", "NotIn") or value is right or value.refs:
                self.read(value, instr.node, "compared")
        fact: Fact | None = None
        if op in ("Eq", "NotEq"):
            fact = self.equality(op, left, right)
        elif left.size is not None and right.size is not None:
            fact = op, ((self.settle(left.size), self.settle(right.size)),)
        tensor = left.tensor or right.tensor
        return Value(("def", self.at), NONE if not tensor else fresh(0, "").refs, tensor=tensor, fact=fact)

    def equality(self, op: str, left: Value, right: Value) -> Fact | None:
        for one, other in ((left, right), (right, left)):
            if one.shape_of is not None and other.items is not None and other.name == "tuple":
                pairs = tuple(self.same_shape(one.shape_of, other.items))
                return (op, pairs) if pairs else None
        if left.size is None and right.size is None or left.tensor or right.tensor or left.items or right.items:
            return None
        return op, ((self.number(left), self.number(right)),)

    def same_shape(self, of: Like, sizes: tuple[Value, ...]) -> Iterator[tuple[Size, Size]]:
        """The numbers that are equal where `x.shape == (m, n)`."""
        extents = [self.dimension(of.tensor, place, of.layout) for place in range(len(sizes))]
        if all(value.size is not None and not value.tensor for value in (*extents, *sizes)):
            rank = self.dimensions(of.tensor, "", of.layout)
            if rank.size is not None:
                yield rank.size, as_size(len(sizes))
            for extent, size in zip(extents, sizes, strict=True):
                if extent.size is not None and size.size is not None:
                    yield extent.size, self.settle(size.size)

    def do_truth(self, instr: Instr) -> Value:
        value = self.slot(instr, 0)
        if value.reach:
            self.read(value, instr.node, "tested")
        return value


def _short(name: str) -> str:
    """An operand by its name, where people would still read that."""
    return name if len(name) <= LONG else ".."
