"""Lengths: expressions that have the value of an extent at a later place, and lengths that are certainly not 0."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator

from codemods.core.event import Buffer
from codemods.core.size import Size, as_size
from codemods.read.births import Given
from codemods.read.graph import Graph
from codemods.read.names import Names
from codemods.read.steps import Steps
from codemods.read.values import Value


class Lengths(Steps):
    def __init__(self, graph: Graph, names: Names) -> None:
        super().__init__(graph, names)
        self.epochs: dict[Buffer, Hashable] = {}  # when an allocation was last made

    def birth(
        self, given: Given, api: str, values: tuple[Value, ...], first: Value | None, holder: Value | None = None
    ) -> Value:
        made = super().birth(given, api, values, first, holder)
        self.epochs |= {ref.buffer: self.state.epoch for ref in made.refs}
        return made

    def spelled(self, buffer: Buffer, extent: Size) -> str | None:
        """An expression of the allocation that still has the value of this extent, where it is made of local names
        that are Python ints, of numbers, and of extents of tensors where no code that cannot be seen has run since."""
        node = next((node for node, other in self.sites.items() if other is buffer), None)
        same = self.epochs.get(buffer) == self.state.epoch
        for part in _parts(node) if isinstance(node, ast.Call) else ():
            if self.valued(part, same) == extent:
                return ast.unparse(part)
        return None

    def valued(self, node: ast.expr, shapes: bool) -> Size | None:
        """The number that an expression is here; evaluating it runs nothing else."""
        match node:
            case ast.Constant(value=int() as value) if not isinstance(value, bool):
                return as_size(value)
            case ast.Name(id=name) if name not in self.graph.shared and name not in self.state.closed:
                held = self.state.names.get(name)
                return self.settle(held.size) if held is not None and held.size is not None else None
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
                one, other = self.valued(left, shapes), self.valued(right, shapes)
                if one is None or other is None:
                    return None
                return (
                    one + other if isinstance(op, ast.Add) else one - other if isinstance(op, ast.Sub) else one * other
                )
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=place) if shapes:
                return self.extent_named(name, "shape", place)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="size"), args=[place], keywords=[]) if (
                shapes
            ):
                return self.extent_named(name, "size", place)
        return None

    def extent_named(self, name: str, attr: str, place: ast.expr) -> Size | None:
        held = self.state.names.get(name)
        known = held is not None and held.tensor and name not in self.graph.shared and name not in self.state.closed
        value = self.valued(place, False) if known and attr not in self.names.changing | self.names.methods else None
        constant = value.constant if value is not None else None
        return self.dimension(held, constant).size if held is not None and constant is not None else None

    def some(self, extent: Size) -> bool:
        """Certainly more than 0."""
        return (extent - 1).natural or extent in self.state.positive


def _parts(call: ast.Call) -> Iterator[ast.expr]:
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        yield from argument.elts if isinstance(argument, ast.Tuple | ast.List) else (argument,)
