"""Decisions -> new bytes of a file. Bytes outside the edits are never touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from codemods.core.edit import Edit, Import, Insert, Remove, Replace
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
    edits = [edit for decision in applied for edit in decision.edits]
    splices = tuple(sorted((*_replacements(text, applied), *_removals(text, applied), *insertions(text, edits))))
    if any(left.end > right.start for left, right in pairwise(splices)):
        raise CannotEdit("two edits overlap")
    return Applied(_splice(source, splices), applied, deferred, splices)


def _choose(text: Source, decisions: Sequence[Decision]) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    applied: list[Decision] = []
    deferred: list[Decision] = []
    taken: list[tuple[int, int]] = []
    marks: list[int] = []  # where lines are put in: any number of them in one place
    for decision in sorted(decisions, key=lambda decision: (decision.span, decision.codemod)):
        wanted = [text.stretch(edit.span) for edit in decision.edits if isinstance(edit, Replace | Remove)]
        put = [_mark(text, edit) for edit in decision.edits if isinstance(edit, Insert | Import)]
        over = any(_overlap(one, other) for one in wanted for other in taken)
        if over or any(low < mark < high for low, high in (*wanted, *taken) for mark in (*put, *marks)):
            deferred.append(decision)
        elif wanted or put:
            applied.append(decision)
            taken += wanted
            marks += put
    return tuple(applied), tuple(deferred)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one == other or (one[0] < other[1] and other[0] < one[1])


def insertions(text: Source, edits: Sequence[Edit]) -> tuple[Splice, ...]:
    """What puts the new lines in, in their order; those of one place together."""
    found: dict[int, bytes] = {}
    for edit in edits:
        if isinstance(edit, Insert):
            place, line = _insertion(text, edit)
            found[place] = found.get(place, b"") + line
    for edit in dict.fromkeys(edit for edit in edits if isinstance(edit, Import)):
        place, line = _import(text, edit)
        found[place] = found.get(place, b"") + line
    return tuple(Splice(place, place, lines) for place, lines in found.items())


def _insertion(text: Source, edit: Insert) -> tuple[int, bytes]:
    """The new line in front of a statement, indented like it and ended like the line that the statement begins.

    Raises CannotEdit where something else than blanks stands in front of the statement.
    """
    start, _ = text.stretch(edit.span)
    indent = text.utf8[text.starts[edit.span.line - 1] : start]
    ended = re.search(rb"\r\n|\r|\n", text.utf8[start:])
    joined = text.utf8[: text.starts[edit.span.line - 1]].rstrip(b"\r\n").endswith(b"\\")
    if indent.strip(b" \t") or ended is None or joined:
        raise CannotEdit(f"line {edit.span.line}: no line can be put in front of it")
    return text.raw_offset(start), text.encode(edit.text + ended[0].decode() + indent.decode())


def _mark(text: Source, edit: Insert | Import) -> int:
    start, end = text.stretch(edit.span)
    return start if isinstance(edit, Insert) else end


def _import(text: Source, edit: Import) -> tuple[int, bytes]:
    """The new line behind an import, ended like the line of that.

    Raises CannotEdit where something else than a comment stands behind it.
    """
    _, end = text.stretch(edit.span)
    rest = re.compile(rb"[ \t]*(?:#[^\r\n]*)?(\r\n|\r|\n)").match(text.utf8, end)
    if rest is None or edit.span.column:
        raise CannotEdit(f"line {edit.span.end_line}: no line can be put behind it")
    return text.raw_offset(rest.end()), text.encode(edit.text + rest[1].decode())


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
