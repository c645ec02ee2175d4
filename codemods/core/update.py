"""A statement such as `x = x - y` or `x = x.clamp(0)`, with what was known about its operands when it ran."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from codemods.core.call import Operand

Right = Literal["none", "int", "float", "same", "same-float", "mask", "place", "unknown"]


@dataclass(frozen=True, eq=False, slots=True)
class Update:
    """`rows`: what is computed, in order, by its rows in ops/in_place.json, with the kinds of their other operands:
    nothing, a Python number, a tensor of the same dtype, a mask, a diagonal. `fits`: broadcasting certainly does not
    change the shape of the left operand. `holders`: what else may hold its memory, by name."""

    node: ast.BinOp | ast.Call  # of a chain of calls the last one
    name: str
    left: Operand
    rows: tuple[tuple[str, Right], ...]
    fits: bool
    holders: tuple[str, ...] = ()
    waits: bool = False  # some copy in the function may not be over when the next statement runs
    inner: tuple[ast.Call, ...] = ()  # of a chain the calls before the last one, innermost first

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        return (*self.inner, self.node)
