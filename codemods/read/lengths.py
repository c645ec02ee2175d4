"""Lengths: expressions that have the value of an extent at a later place, and lengths that are certainly not 0."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.core.event import Buffer
from codemods.core.size import Size, as_size
from codemods.read.steps import Steps


class Lengths(Steps):
    def spelled(self, buffer: Buffer, extent: Size) -> str | None:
        """An expression of the allocation that still has the value of this extent, where it is made of local names
        that are Python ints, and of numbers."""
        node = next((node for node, other in self.sites.items() if other is buffer), None)
        for part in _parts(node) if isinstance(node, ast.Call) else ():
            if self.valued(part) == extent:
                return ast.unparse(part)
        return None

    def valued(self, node: ast.expr) -> Size | None:
        """The number that an expression is here; evaluating it runs nothing else."""
        match node:
            case ast.Constant(value=int() as value) if not isinstance(value, bool):
                return as_size(value)
            case ast.Name(id=name) if name not in self.graph.shared and name not in self.state.closed:
                held = self.state.names.get(name)
                return self.settle(held.size) if held is not None and held.size is not None else None
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
                one, other = self.valued(left), self.valued(right)
                if one is None or other is None:
                    return None
                return (
                    one + other if isinstance(op, ast.Add) else one - other if isinstance(op, ast.Sub) else one * other
                )
        return None

    def some(self, extent: Size) -> bool:
        """Certainly more than 0."""
        return (extent - 1).natural or extent in self.state.positive


def _parts(call: ast.Call) -> Iterator[ast.expr]:
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        yield from argument.elts if isinstance(argument, ast.Tuple | ast.List) else (argument,)
