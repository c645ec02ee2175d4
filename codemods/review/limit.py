"""Which findings count: those on lines that changed, those that are not known yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codemods import Scan
from codemods.core.verdict import Decision
from codemods.read.discover import File
from codemods.review import baseline as known
from codemods.review import since
from codemods.write.rows import Row, rows
from codemods.write.show import plain

Site = tuple[Path, str, str, str, int]  # the file, the codemod, the function, the subject and the line


@dataclass(frozen=True, slots=True)
class Limits:
    """A scan without the sites that do not count, and those."""

    scan: Scan
    hidden: frozenset[Site]

    def counts(self, file: File, decision: Decision) -> bool:
        return site(file, decision) not in self.hidden


def site(file: File, decision: Decision) -> Site:
    return file.path, decision.codemod, decision.function, decision.subject, decision.span.line


def limit(scan: Scan, paths: Sequence[Path], revision: str | None, baseline: Path | None) -> Limits:
    """Raises UsageError for a revision that does not exist and a baseline that is no report, OSError."""
    lines = since.changed(paths, revision) if revision is not None else None
    left = known.load(baseline) if baseline is not None else Counter()
    hidden: set[int] = set()
    for row in rows((file.path, found.decisions) for file, found in scan.files):
        key = (*map(plain, row.key), row.decision.verdict)
        if left[key]:
            left[key] -= 1
            hidden.add(id(row.decision))
        elif lines is not None and not _on(row, lines):
            hidden.add(id(row.decision))
    gone = {site(file, one) for file, found in scan.files for one in found.decisions if id(one) in hidden}
    files = tuple(
        (file, replace(found, decisions=tuple(one for one in found.decisions if id(one) not in hidden)))
        for file, found in scan.files
    )
    kept = tuple(one for one in scan.report.decisions if id(one) not in hidden)
    return Limits(replace(scan, report=replace(scan.report, decisions=kept), files=files), frozenset(gone))


def _on(row: Row, lines: Mapping[Path, since.Lines]) -> bool:
    return row.file in lines and since.touches(row.decision, lines[row.file])
