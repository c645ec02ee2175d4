"""Decisions -> new bytes of a file. Bytes outside the edits are never touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from codemods.core.edit import Remove, Replace
from codemods.core.verdict import Decision
from codemods.write.source import CannotEdit, Source, decode

__all__ = ["Applied", "CannotEdit", "Splice", "apply"]


@dataclass(frozen=True, order=True, slots=True)
class Splice:
    """Put `text` in the place of the file's bytes from `start` up to `end`."""

    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """`deferred` decisions overlap an earlier one: a later run may take them up."""

    text: bytes
    applied: tuple[Decision, ...]
    deferred: tuple[Decision, ...]
    splices: tuple[Splice, ...] = ()  # in file order; none overlap


def apply(source: bytes, decisions: Sequence[Decision]) -> Applied:
    """Carry out all edits of each decision, or none; of two that overlap the earlier in the file wins.

    Raises CannotEdit when the file as a whole cannot be edited safely; nothing is edited then.
    """
    text = decode(source)
    applied, deferred = _choose(text, decisions)
    splices = tuple(sorted((*_replacements(text, applied), *_removals(text, applied))))
    if any(left.end > right.start for left, right in pairwise(splices)):
        raise CannotEdit("two edits overlap")
    return Applied(_splice(source, splices), applied, deferred, splices)


def _choose(text: Source, decisions: Sequence[Decision]) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    applied: list[Decision] = []
    deferred: list[Decision] = []
    taken: list[tuple[int, int]] = []
    for decision in sorted(decisions, key=lambda decision: (decision.span, decision.codemod)):
        wanted = [text.stretch(edit.span) for edit in decision.edits]
        if any(_overlap(one, other) for one in wanted for other in taken):
            deferred.append(decision)
        elif wanted:
            applied.append(decision)
            taken += wanted
    return tuple(applied), tuple(deferred)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one == other or (one[0] < other[1] and other[0] < one[1])


def _replacements(text: Source, decisions: Sequence[Decision]) -> Iterator[Splice]:
    for decision in decisions:
        for edit in decision.edits:
            if isinstance(edit, Replace):
                yield Splice(*text.raw_stretch(edit.span), text.encode(edit.text))


def _removals(text: Source, decisions: Sequence[Decision]) -> Iterator[Splice]:
    spans = {edit.span for decision in decisions for edit in decision.edits if isinstance(edit, Remove)}
    if not spans:
        return
    from codemods.write import surgery  # it loads libcst, which most runs never need

    for start, end, rest in surgery.removals(text, spans):
        yield Splice(text.raw_offset(start), text.raw_offset(end), text.encode(rest))


def _splice(source: bytes, splices: Sequence[Splice]) -> bytes:
    pieces: list[bytes] = []
    upto = 0
    for splice in splices:
        pieces += [source[upto : splice.start], splice.text]
        upto = splice.end
    return b"".join((*pieces, source[upto:]))
