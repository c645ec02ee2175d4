"""A patch to read: every hunk behind the evidence for it, and still a patch that `git apply` takes.

Text is allowed before a `diff --git` line only, so every hunk becomes a section of its own. Sections
of one file are applied one after the other: each counts its lines after the ones before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from codemods.core.verdict import Decision, Saves
from codemods.write.patch import Change, Hunk, header, hunks

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def annotate(change: Change, rounds: Sequence[Sequence[Decision]]) -> bytes:
    """The patch of one file with the decisions behind it, each told once.

    `rounds`: the decisions in the order in which they were applied; a later round counts its
    lines in the text that the one before it left.
    """
    pieces = hunks(change)
    behind: list[list[bytes]] = [[] for _ in pieces]
    for turn, decisions in enumerate(rounds):
        for decision in decisions if pieces else ():
            behind[_nearest(decision.span.line, pieces, old=turn == 0)] += _evidence(decision)
    return b"".join(
        b"".join((*lines, header(change), _renumbered(piece.text) if index else piece.text))
        for index, (piece, lines) in enumerate(zip(pieces, behind, strict=True))
    )


def saved(saves: Saves) -> str:
    """In words, "nothing" where it is nothing."""
    launches = f"{saves.launches} launch{'es' * (saves.launches != 1)}" if saves.launches else ""
    allocations = f"{saves.allocations} allocation{'s' * (saves.allocations != 1)}" if saves.allocations else ""
    stores = f"{saves.stores} store{'s' * (saves.stores != 1)} in each program" if saves.stores else ""
    traffic = f"{saves.bytes} bytes" if saves.bytes and saves else ""
    parts = [part for part in (launches, allocations, stores, traffic) if part]
    parts[-1:] = [f"{part} per {saves.per}" for part in parts[-1:]] or ["nothing"]
    return ", ".join(parts) + (f", but {saves.but}" if saves.but else "")


def _nearest(line: int, pieces: Sequence[Hunk], *, old: bool) -> int:
    def distance(index: int) -> int:
        start, count = _extent(pieces[index].text, old=old)
        return max(start - line, line - (start + count - 1), 0)

    return min(range(len(pieces)), key=distance)


def _extent(text: bytes, *, old: bool) -> tuple[int, int]:
    match = _HUNK.match(text)
    assert match is not None
    start, count = (match[1], match[2]) if old else (match[3], match[4])
    return int(start), int(count or 1)


def _renumbered(text: bytes) -> bytes:
    """The hunk where the ones before it are done: what was old is where the new will be."""
    match = _HUNK.match(text)
    assert match is not None
    return text[: match.start(1)] + match[3] + text[match.end(1) :]


def told(decision: Decision, name: str | None = None) -> list[str]:
    """A line that names the site, its verdict and what it saves; below it, indented, what that stands on.

    `name`: the path of the file, where it is not to be that of the report.
    """
    path = name or decision.path
    head = f"{path}:{decision.span.line}: {decision.codemod}: {decision.subject}: {decision.verdict}"
    rows = [f"{head}, saves {saved(decision.saves)}"]
    rows += [f"  assumes {assumption}" for assumption in decision.assumes]
    for step in decision.because:
        where = path if step.path == decision.path else step.path
        rows.append(f"  {where}:{step.span.line}: {step.text}")
    return [" ".join(row.splitlines()) for row in rows]


def _evidence(decision: Decision) -> list[bytes]:
    return [f"# {row}\n".encode(errors="backslashreplace") for row in told(decision)]
