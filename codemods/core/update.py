"""A statement `x = x - y`, with what was known about both operands when it ran."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from codemods.core.call import Operand

Right = Literal["int", "float", "same", "unknown"]


@dataclass(frozen=True, eq=False, slots=True)
class Update:
    """`holders`: what else may hold the memory of the left operand, by name. `right`: a Python number, or a tensor of
    the same dtype. `fits`: broadcasting certainly does not change the shape of the left operand."""

    node: ast.BinOp
    name: str
    left: Operand
    right: Right
    fits: bool
    holders: tuple[str, ...] = ()
    waits: bool = False  # some copy in the function may not be over when the next statement runs
