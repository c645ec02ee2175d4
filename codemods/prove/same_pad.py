"""SamePad: padding gives what joining gives, in the same shape, dtype and memory format."""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import dataclass

from codemods.core.call import Operand, Padding
from codemods.core.event import Flow
from codemods.core.meta import DEFAULT, FLOATS, INTEGERS
from codemods.core.span import Step, span
from codemods.core.verdict import Proved, Refused, Verdict

LARGEST_HALF = 65504
SIGNED = INTEGERS - {"torch.uint8"}


@dataclass(frozen=True, slots=True)
class SamePad:
    """`parts`: the tensors that are one constant, `value`, throughout. `other`: the one that is padded, by `pad`."""

    node: ast.Call
    parts: tuple[Operand, ...]
    other: Operand
    pad: Padding | None
    value: str | None
    stacks: bool = False  # tensors of rank 0 and 1 are taken as if they had a higher one
    pinned: bool = False

    def check(self, flow: Flow) -> Verdict:
        here = (Step(flow.path, span(self.node), "joined here"),)
        other, dtype = self.other.name, self.other.meta.dtype
        for part in self.parts:
            if not absorbs(dtype, part.meta.dtype):
                certain = dtype in INTEGERS and part.meta.dtype in FLOATS | {DEFAULT}
                message = f"{part.name} and {other} may have different dtypes: the result may have another than {other}"
                if certain:
                    message = f"{part.name} has {part.meta.dtype}, {other} has {dtype}: the result has another dtype"
                needs = "" if certain else f"that {part.name} and {other} have one dtype"
                return Refused("promotes", message, here, certain=certain, needs=needs)
        if self.pad is None or not self.parts[0].shape:
            needs = "a length that is not 0 and a number, or a local name that is an int"
            return Refused("pad-length", "the length of the constant part is not known", here, needs=needs)
        if not self.pad.some and not self.other.meta.plain:
            message = f"the length may be 0, and then the result of pad lies in memory as {other} does"
            return Refused("pad-length", message, here, needs=f"a length that is not 0, or that {other} is contiguous")
        rank, least = len(self.parts[0].shape), max(self.other.meta.least, self.other.meta.rank or 0)
        if least < (min(rank, 2) if rank > 1 or self.stacks else 0):
            message = f"{other} may have another rank: a tensor of shape (0,) is skipped when tensors are joined"
            return Refused("rank-unknown", message, here, needs=f"the rank of {other}")
        if rank in (4, 5):
            message = "the result of pad may lie in memory in another order, as channels_last"
            return Refused("memory-format", message, here, needs=f"that {other} is contiguous")
        if not all(_exact(self.value, dtype, part.meta.dtype) for part in self.parts):
            return Refused("pad-value", "pad may not store the same value", here, needs="the dtype")
        if self.pinned:
            return Refused("pinned", "the constant part is in pinned memory", here, needs="that nobody relies on it")
        return Proved((Step(flow.path, span(self.node), f"{other} has the dtype of the result"),))


def absorbs(dtype: Hashable, other: Hashable) -> bool:
    """Joined with a tensor of the other dtype, neither of rank 0, the result has this dtype."""
    if other == "torch.bool" or (dtype == other and dtype not in (None, DEFAULT)):
        return True
    return dtype in FLOATS and other in INTEGERS


def _exact(value: str | None, dtype: Hashable, made: Hashable) -> bool:
    """Stored in a tensor of the dtype `made` the value is what it was, and so it is in the dtype of the result."""
    try:
        number = float(value or "nan")
    except (ValueError, OverflowError):
        return False
    if value == "-0.0" or not abs(number) < 2**53:
        return False
    if number in (0, 1):
        return True
    if number == int(number) and 0 <= number <= 127:
        return {dtype, made} <= INTEGERS | FLOATS
    if number == int(number) and -128 <= number < 0:
        return {dtype, made} <= SIGNED | FLOATS
    if dtype == "torch.float16" and abs(number) > LARGEST_HALF:  # inf, if a single element is filled; pad raises
        return False
    return dtype == made and dtype in FLOATS
