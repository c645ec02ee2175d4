"""The sites of all entries as rows without nested values, and the entries as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from codemods.batch.result import ROWS, Result
from codemods.core.verdict import VERDICTS, Decision
from codemods.write.files import write_atomically
from codemods.write.show import plain
from codemods.write.summary import count

SUMMARY = ("summary.jsonl", "summary.csv")
NAMES = 2  # columns of the table in front of the numbers


def line(entry: str, decision: Decision, *, rewritten: bool) -> str:
    """One site as a JSON object with its line end. Lines and columns count from 1, columns in bytes of UTF-8."""
    place, saves, reason = decision.span, decision.saves, decision.reason
    row = {
        "entry": entry,
        "path": decision.path,
        "line": place.line,
        "column": place.column + 1,
        "end_line": place.end_line,
        "codemod": decision.codemod,
        "verdict": decision.verdict,
        "reason": reason.code if reason else None,
        "message": plain(reason.message) if reason else None,
        "function": decision.function,
        "subject": plain(decision.subject),
        "assumes": ";".join(decision.assumes),
        "saves_launches": saves.launches,
        "saves_allocations": saves.allocations,
        "saves_stores": saves.stores,
        "saves_bytes": saves.bytes,
        "saves_per": saves.per,
        "rewritten": rewritten,
    }
    return json.dumps(row) + "\n"


def write_summary(output: Path, results: Iterable[Result]) -> None:
    """`summary.jsonl` and `summary.csv`: one row a site, in the order of the results. Raises OSError."""
    lines = [row for one in results for row in _rows(output / one.name, one)]
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in lines:
        values = {name: _cell(value) for name, value in json.loads(row).items()}
        if writer is None:
            writer = csv.DictWriter(text, values, lineterminator="\n")
            writer.writeheader()
        writer.writerow(values)
    write_atomically(output / "summary.jsonl", "".join(lines).encode())
    write_atomically(output / "summary.csv", text.getvalue().encode("utf-8", "backslashreplace"))


def table(results: Sequence[Result], *, write: bool) -> list[tuple[str, ...]]:
    """A heading, a line an entry, and their sums."""
    head = ("entry", "state", "files", "unread", "sites", *VERDICTS, "rewritten" if write else "to rewrite")
    lines = [(one.name, one.state, *map(str, _numbers(one))) for one in results]
    sums = [str(sum(numbers)) for numbers in zip(*map(_numbers, results), strict=True)]
    failed = sum(one.state == "failed" for one in results)
    return [head, *lines, ("all", f"{failed} failed" if failed else "done", *sums)]


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """As text: names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join("  ".join(_padded(row, widths)).rstrip() + "\n" for row in lines)


def told(one: Result) -> str:
    """What became of an entry, for people who wait for it."""
    if one.state == "failed":
        return f"error: {one.name}: {plain(one.message)}"
    sites = f"{count(sum(one.counts), 'site')}, {one.rewritten} {'rewritten' if one.write else 'to rewrite'}"
    unread = f", {one.unread} of them not read" if one.unread else ""
    return f"{one.name}: {sites}; {count(one.scanned, 'file')}{unread}; {one.seconds:.1f} s"


def _rows(folder: Path, one: Result) -> list[str]:
    if one.key == "":
        return []
    return (folder / ROWS).read_text("utf-8").splitlines(keepends=True)


def _numbers(one: Result) -> tuple[int, ...]:
    return one.scanned, one.unread, sum(one.counts), *one.counts, one.rewritten


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for index, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield text.ljust(width) if index < NAMES else text.rjust(width)


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
