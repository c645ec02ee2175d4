"""Allocations: the calls that bring memory into being, and what they fill it with."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass

from codemods.core.size import Size
from codemods.read.graph import Instr
from codemods.read.shapes import Shapes, leading
from codemods.read.values import OUT, First, Like, Shape, Value

# what an allocating call fills its memory with; "?" stands for its fill argument
BIRTHS = {
    "torch.zeros": "0", "torch.ones": "1", "torch.full": "?", "torch.empty": None,
    "torch.zeros_like": "0", "torch.ones_like": "1", "torch.full_like": "?", "torch.empty_like": None,
    "Tensor.new_zeros": "0", "Tensor.new_ones": "1", "Tensor.new_full": "?", "Tensor.new_empty": None,
}  # fmt: skip
FILLS = {"zero_": "0", "fill_": "?"}


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a call. `spread`: there is a `*` or `**` among them."""

    node: ast.Call
    values: tuple[Value, ...]
    named: dict[str, Value]
    starred: bool
    spread: bool
    method: bool = False  # called as a method of the value in front of the dot

    @property
    def every(self) -> tuple[Value, ...]:
        return (*self.values, *self.named.values())

    def at(self, place: int, name: str) -> Value | None:
        return self.values[place] if place < len(self.values) and not self.starred else self.named.get(name)


class Births(Shapes):
    def birth(
        self, given: Given, api: str, values: tuple[Value, ...], first: Value | None, holder: Value | None = None
    ) -> Value:
        node = given.node
        if self.graph.around:
            self.moment(node)
        for value in given.every:  # a size or a fill value may be a tensor
            if value is first and api.endswith("_like"):
                self.mention(value, node, "its shape or dtype is used")
            else:
                self.read(value, node, "read as a size or a value")
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
        if "out" not in given.named:
            self.packed |= {ref.buffer for ref in value.refs}
        if (constant := BIRTHS[api]) is not None:
            fill = self.constant(given, 0 if constant != "?" else 1, constant)
            buffer = next(iter(value.refs))
            self.write(value.but(refs=frozenset({buffer})), node, f"{api} fills it", True, fill, api)
        if self.streams is not None:
            line = getattr(self.streams, "lineno", 0)
            self.escape(
                value, self.streams, f"used in a function that works on several streams (line {line})", "stream"
            )
        return value

    def updated(self, instr: Instr, value: Value) -> None:
        """`x += y` keeps x what it is where y is a tensor or a number; no tensor has `@=`."""
        node = instr.node
        number = (
            value.size is not None or value.ident[:2] == ("const", "float") if isinstance(value.ident, tuple) else False
        )
        if isinstance(node, ast.AugAssign):
            keeps = instr.data != "MatMult" and (value.tensor or number)
            (self.kept_names.add if keeps else self.kept_names.discard)(node.target)

    def is_dtype(self, value: Value | None) -> bool:
        """Not None, and not an object that may be None."""
        if value is None:
            return False
        named = value.api is not None and value.api.startswith("torch.")
        return named or (isinstance(value.ident, tuple) and value.ident[0] == "meta" and value.ident[-1] == "dtype!")

    def spread_shape(self, given: Given) -> bool:
        """`zeros(*shape)`: one starred argument with known elements, or the shape of a tensor."""
        return len(given.values) == 1 and given.values[0].items is not None

    def sizes(self, given: Given, api: str, first: Value | None) -> Shape:
        if first is None and given.starred:
            first = given.values[0]
        if first is None:
            return None
        if first.items is not None and first.name in ("tuple", "list"):
            parts: tuple[Value, ...] = first.items
        elif (known := leading(first)) is not None:
            return known
        elif first.shape_of is not None or "full" in api or "size" in given.named:
            return None
        else:
            parts = given.values
        counted = ("a number", parts[0].ident) in self.state.ranks if parts else False
        if len(parts) == 1 and parts[0].size is None and first.items is None and not counted:
            return First(self.number(parts[0]))
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
        node = (
            args[place]
            if place < len(args)
            else next(
                (keyword.value for keyword in given.node.keywords if keyword.arg in ("fill_value", "value")), None
            )
        )
        return canonical(node)


def canonical(node: ast.expr | None) -> str | None:
    """A literal number so that equal values are equal texts; -0.0 is not 0."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            text = canonical(inner)
            return (
                None
                if text is None
                else "-0.0"
                if text == "0" and isinstance(inner, ast.Constant) and isinstance(inner.value, float)
                else text
                if text == "0"
                else f"-{text}"
            )
        case ast.Constant(value=bool() | int() | float() as value):
            return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    return None
