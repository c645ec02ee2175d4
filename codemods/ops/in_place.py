"""Which operators and methods may write into their left operand: `in_place.json`, measured by tests/ops/in_place.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

OPEN = frozenset({"same", "mask", "place"})  # with these the dtype of the result does not depend on the values


@cache
def _table() -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("in_place.json").read_bytes())
    return rows


def in_place(row: str) -> str | None:
    """The method that does in place what an operator of the syntax tree does, "Sub" for example, or another method."""
    return _table().get(row, {}).get("method")


def keeps_dtype(row: str, right: str, dtype: str | None) -> bool:
    """The result has the dtype of the left operand, and its values are those of the method. `right`: "none" are no
    other operands, "int" and "float" are Python numbers, "same" is a tensor of the same dtype, "mask" one of truth
    values, "place" a number that says where. None is a dtype that is not known."""
    told = _table().get(row, {}).get(right, "")
    return told == "any" and (right in OPEN or dtype is not None) or dtype in told.split()
