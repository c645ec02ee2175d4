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
    """One tensor of a call. `buffer`: the memory that it certainly is a view of, where that is one. For each extent:
    an expression that has its value when the call runs, and whether that is certainly not 0."""

    name: str
    meta: Meta
    buffer: Buffer | None = None
    shape: tuple[Size, ...] | None = None
    texts: tuple[str | None, ...] = ()
    some: tuple[bool, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Padding:
    """What `pad` takes, the last dimension first. `some`: it certainly adds an element."""

    entries: tuple[str, ...]
    some: bool


def padding(api: str, given: int | None, before: Sequence[Operand], after: Sequence[Operand]) -> Padding | None:
    """What `pad` takes for tensors in front of another one and behind it. None where an extent cannot be written down,
    or is literally 0."""
    parts = (*before, *after)
    ranks = {None if part.shape is None else len(part.shape) for part in parts}
    rank = ranks.pop() if len(ranks) == 1 else None
    along = dimension(api, given, rank) if rank else None
    if rank is None or along is None:
        return None
    sums = [_sum([_length(part, along) for part in group]) for group in (before, after)]
    if None in sums:
        return None
    nothing = ["0"] * (2 * (rank - 1 - along))
    some = any(part.some[along] if part.some else False for part in parts)
    return Padding((*nothing, *(text for text in sums if text is not None)), some)


def _length(part: Operand, along: int) -> int | str | None:
    constant = part.shape[along].constant if part.shape else None
    if constant is not None:
        return constant if constant > 0 else None
    return part.texts[along] if part.texts else None


def _sum(lengths: Sequence[int | str | None]) -> str | None:
    if None in lengths:
        return None
    constant = sum(length for length in lengths if isinstance(length, int))
    texts = [length for length in lengths if isinstance(length, str)]
    return " + ".join([*([str(constant)] if constant or not texts else []), *texts])
