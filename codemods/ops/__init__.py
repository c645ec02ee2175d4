"""What library calls do to memory: tables and their loader.

`torch.json` holds one row an operator: a kind and flags. tests/ops/generate.py measured each on strided CPU tensors,
because alias annotations of some operators are wrong. A name without a row is unseen: anything may happen in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

Kind = Literal["new", "view", "maybe", "update", "overwrite", "partial", "restride", "meta"]
Table = Literal["functions", "methods", "functional", "init", "attributes"]


@dataclass(frozen=True, slots=True)
class Op:
    """What one operator does to the memory of its tensor arguments; "first" is its first argument, or self.

    new        reads its arguments; nothing that it returns shares memory with one of them
    view       returns the memory of the first, or a part of it; reads no element of it
    maybe      reads its arguments; returns the memory of one of them, or a copy
    update     reads the first and writes it; returns it
    overwrite  every element of the first takes a value that does not come from its old content; returns it
    partial    like overwrite for some elements, the others keep their value; returns it
    restride   changes shape, strides or flags of the first in place, no element within its bounds; returns it
    meta       reads no element and returns no memory
    """

    name: str
    kind: Kind
    out: bool = False  # takes `out=`: a dense target, resized to fit, is written whole and its old content is not read
    resizes: bool = False  # the size of `out` depends on what the arguments hold
    inplace: bool = False  # has a parameter `inplace`, by position too: the kind is for False; else "update"
    shape_only: bool = False  # "new" or "view" that reads no element of any argument


@cache
def _tables() -> dict[str, dict[str, str]]:
    rows = json.loads(Path(__file__).with_name("torch.json").read_bytes())
    return {name: rows[name] for name in ("functions", "methods", "functional", "init", "attributes")}


@cache
def _row(table: Table, name: str, full: str) -> Op | None:
    row = _tables()[table].get(name)
    if row is None:
        return None
    kind, *flags = row.split()
    return Op(full, cast(Kind, kind), "out" in flags, "resizes" in flags, "inplace" in flags, "shape-only" in flags)


def function(dotted: str) -> Op | None:
    """The row of a function by its full name ("torch.cumsum", "torch.nn.functional.pad", "torch.Tensor.add_")."""
    prefixes: tuple[tuple[str, Table], ...] = (
        ("torch.nn.functional.", "functional"),
        ("torch.nn.init.", "init"),
        ("torch.Tensor.", "methods"),
        ("torch.", "functions"),
    )
    for prefix, table in prefixes:
        if dotted.startswith(prefix):
            return _row(table, dotted[len(prefix) :], dotted)
    return None


def method(name: str) -> Op | None:
    """The row of the method `x.name(...)` of a tensor."""
    return _row("methods", name, f"torch.Tensor.{name}")


def attribute(name: str) -> Op | None:
    """The row of reading the attribute `x.name` of a tensor."""
    return _row("attributes", name, f"torch.Tensor.{name}")
