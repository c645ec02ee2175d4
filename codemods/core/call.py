"""A call that joins tensors, with what was known about each of them when it ran."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from codemods.core.event import Buffer
from codemods.core.meta import Meta
from codemods.core.size import Size


@dataclass(frozen=True, eq=False, slots=True)
class Operand:
    """One tensor of a call. `buffer`: the memory that it certainly is a view of, where that is one."""

    name: str
    meta: Meta
    buffer: Buffer | None = None
    shape: tuple[Size, ...] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """`operands`: the elements of the list, or tuple, that is its first argument."""

    node: ast.Call
    api: str
    operands: tuple[Operand, ...]


def dimension(api: str, given: int | None, rank: int) -> int | None:
    """The dimension, from 0, along which tensors of this rank are joined; None where it is not known."""
    match api.rpartition(".")[2]:
        case "hstack":
            return min(rank - 1, 1)
        case "vstack":
            return 0 if rank > 1 else None
    return given % rank if given is not None and rank and -rank <= given < rank else None


def padding(api: str, given: int | None, before: Sequence[Operand], after: Sequence[Operand]) -> tuple[int, ...] | None:
    """What `pad` takes for tensors in front of another one and behind it: the last dimension first. None where an
    extent is not a number that is known, or 0."""
    parts = (*before, *after)
    ranks = {None if part.shape is None else len(part.shape) for part in parts}
    rank = ranks.pop() if len(ranks) == 1 else None
    along = dimension(api, given, rank) if rank else None
    if rank is None or along is None:
        return None
    lengths = [part.shape[along].constant if part.shape else None for part in parts]
    known = [length for length in lengths if length is not None and length > 0]
    if len(known) < len(lengths):
        return None
    return (*(0 for _ in range(2 * (rank - 1 - along))), sum(known[: len(before)]), sum(known[len(before) :]))
