"""Which binary operators may write into their left operand; `in_place.json` is measured by tests/ops/in_place.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


@cache
def _table() -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("in_place.json").read_bytes())
    return rows


def in_place(operator: str) -> str | None:
    """The method that does in place what an operator of the syntax tree does, "Sub" for example."""
    return _table().get(operator, {}).get("method")


def keeps_dtype(operator: str, right: str, dtype: str | None) -> bool:
    """The result has the dtype of the left operand, and its values are those of the method. `right`: "int" and "float"
    are Python numbers, "same" is a tensor of the same dtype. None is a dtype that is not known."""
    told = _table().get(operator, {}).get(right, "")
    return told == "any" and (right == "same" or dtype is not None) or dtype in told.split()
