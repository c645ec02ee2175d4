"""What is looked at together: hunks of one file, and the decisions behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codemods import Fixed
from codemods.core.verdict import Decision
from codemods.write import edits
from codemods.write.origin import Origin, origin
from codemods.write.patch import Change, Hunk, hunks


@dataclass(frozen=True, slots=True)
class Applied:
    """A decision as it was made on `text`, and as if on the lines of the file on disk."""

    made: Decision
    text: bytes
    old: Decision


@dataclass(frozen=True, slots=True)
class Unit:
    """Hunks that go together: no decision is behind a part of them only."""

    change: Change
    hunks: tuple[Hunk, ...]
    applied: tuple[Applied, ...]


def units(one: Fixed) -> tuple[Unit, ...]:
    """In the order of their first hunks."""
    pieces = hunks(one.change)
    group = list(range(len(pieces)))  # of each hunk, the first hunk that it goes with
    behind: list[tuple[int, Applied]] = []
    for applied, back in _replayed(one):
        touched = sorted({_nearest(line, pieces) for line in _lines(applied.made, back)})
        first = min(group[index] for index in touched)
        joined = {group[index] for index in touched}
        group = [first if number in joined else number for number in group]
        behind.append((touched[0], applied))
    return tuple(
        Unit(
            one.change,
            tuple(piece for index, piece in enumerate(pieces) if group[index] == number),
            tuple(applied for index, applied in behind if group[index] == number),
        )
        for number in dict.fromkeys(group)
    )


def applied(one: Fixed) -> tuple[Decision, ...]:
    """Every decision that was applied, on the lines of the file on disk."""
    found = [decision.old for decision, _ in _replayed(one)]
    return tuple(sorted(found, key=lambda decision: (decision.span, decision.codemod)))


def _replayed(one: Fixed) -> Iterator[tuple[Applied, Origin]]:
    text = one.change.before
    for decisions in one.rounds:
        back = origin(one.change.before, text)
        for decision in decisions:
            yield Applied(decision, text, back.moved(decision)), back
        text = edits.apply(text, decisions).text


def _lines(decision: Decision, back: Origin) -> set[int]:
    """Where the file on disk is touched."""
    return {back.line(edit.span.line) for edit in decision.edits} or {back.line(decision.span.line)}


def _nearest(line: int, pieces: tuple[Hunk, ...]) -> int:
    def distance(index: int) -> int:
        return max(pieces[index].line - line, line - pieces[index].end_line, 0)

    return min(range(len(pieces)), key=distance)
