"""Which binary operators may write into their left operand: codemods/ops/in_place.json, measured.

    python tests/ops/in_place.py > codemods/ops/in_place.json

The methods are measured in in_place_calls.py. A row of an operator: the method, and for each kind of right operand
the dtypes of the left one for which both forms give the same dtype and values. Right operands: a Python int, a Python
float, a tensor of the same dtype. "any" stands for all dtypes where the others raise in both forms.
"""

from __future__ import annotations

import json
import operator
import warnings
from collections.abc import Callable
from typing import Any

import torch
from in_place_calls import table as calls

OPERATORS: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "Add": (operator.add, "add_"),
    "Sub": (operator.sub, "sub_"),
    "Mult": (operator.mul, "mul_"),
    "Div": (operator.truediv, "div_"),
    "FloorDiv": (operator.floordiv, "floor_divide_"),
    "Mod": (operator.mod, "remainder_"),
    "Pow": (operator.pow, "pow_"),
    "BitAnd": (operator.and_, "bitwise_and_"),
    "BitOr": (operator.or_, "bitwise_or_"),
    "BitXor": (operator.xor, "bitwise_xor_"),
    "LShift": (operator.lshift, "bitwise_left_shift_"),
    "RShift": (operator.rshift, "bitwise_right_shift_"),
}
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
UNCAST = {"Pow": {"float16", "bfloat16"}}  # autocast computes these in float32, and not in place
KINDS = ("int", "float", "same")


def outcome(op: Callable[[Any, Any], Any], method: str, dtype: torch.dtype, kind: str) -> str:
    """ "same", "raises" (both forms do) or "differs"."""
    results = set()
    for shape in ((7,), ()):
        for value in (0, 1, 2, 3, 100, 300, 70_000, 1 << 40, -1, -3) if kind == "int" else (0.5, 2.0, -3.25, 1e9, 0.0):
            left = torch.arange(7).to(dtype) if shape else torch.tensor(3).to(dtype)
            right = left.clone().flip(0) if kind == "same" and shape else left.clone() if kind == "same" else value
            results.add(_one(op, method, left, right))
    return "differs" if "differs" in results else "same" if "same" in results else "raises"


def _one(op: Callable[[Any, Any], Any], method: str, left: torch.Tensor, right: Any) -> str:
    try:
        before = op(left, right)
    except (RuntimeError, TypeError):
        return "raises"
    try:
        after = getattr(left, method)(right)
    except (RuntimeError, TypeError):
        return "differs"
    equal = before.dtype == after.dtype and torch.equal(before.nan_to_num(1234), after.nan_to_num(1234))
    return "same" if equal else "differs"


def table() -> dict[str, dict[str, str]]:
    """The rows, by the name of the operator in the syntax tree."""
    rows: dict[str, dict[str, str]] = {}
    for name, (op, method) in OPERATORS.items():
        rows[name] = {"method": method}
        for kind in KINDS:
            told = {dtype: outcome(op, method, getattr(torch, dtype), kind) for dtype in DTYPES}
            good = [dtype for dtype in DTYPES if told[dtype] == "same" and dtype not in UNCAST.get(name, ())]
            every = "differs" not in told.values() and name not in UNCAST
            rows[name][kind] = "any" if every and good else " ".join(good)
    return rows | calls(DTYPES)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(json.dumps(table(), indent=1))
