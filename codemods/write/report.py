"""A report as JSON, as one line a site, as text, and as counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from codemods.core.report import Report
from codemods.core.span import Step
from codemods.core.verdict import VERDICTS, Decision, Refused
from codemods.write.evidence import saved
from codemods.write.show import Line, ReadLine, blocks, line_reader, plain, ruling, trail

__all__ = [
    "Line",
    "ReadLine",
    "Statistics",
    "blocks",
    "line_reader",
    "site",
    "statistics",
    "to_concise",
    "to_json",
    "to_text",
    "trail",
]

SCHEMA = 1
_INDENT = {"head": "  ", "source": "    ", "caret": "    ", "note": "    "}


@dataclass(frozen=True, slots=True)
class Statistics:
    """Sites by codemod, one count a verdict in the order of VERDICTS, and refusals by reason, most frequent first."""

    codemods: tuple[tuple[str, tuple[int, ...]], ...]
    reasons: tuple[tuple[str, int], ...]


def to_json(report: Report, version: str, sources: Sequence[str] | None = None) -> str:
    """One document with every candidate site. Lines and columns count from 1, columns in bytes of UTF-8.

    `sources`: the first line of each site, in the order of the report.
    """
    lines = sources if sources is not None else [None] * len(report.decisions)
    document = {
        "schema": SCHEMA,
        "tool": "torch-codemods",
        "version": version,
        "sites": [site(decision, line) for decision, line in zip(report.decisions, lines, strict=True)],
        "files": {
            "scanned": report.scanned,
            "parsed": report.parsed,
            "failed": [{"path": file.path, "line": file.line, "message": file.message} for file in report.failed],
        },
        "seconds": round(report.seconds, 3),
    }
    return json.dumps(document, indent=2)


def to_concise(report: Report, verdicts: Collection[str] = VERDICTS) -> Iterator[str]:
    """`path:line:column: codemod verdict[reason] message`, a line a site."""
    for decision in report.decisions:
        if decision.verdict in verdicts:
            message = decision.reason.message if decision.reason else f"saves {saved(decision.saves)}"
            where = f"{decision.path}:{decision.span.line}:{decision.span.column + 1}"
            yield plain(f"{where}: {decision.codemod} {ruling(decision)} {message}")


def to_text(report: Report, read_line: ReadLine, verdicts: Collection[str] = VERDICTS) -> str:
    """Grouped by file, each site with the source that decided it; empty when there is no site."""
    lines: list[str] = []
    shown = [decision for decision in report.decisions if decision.verdict in verdicts]
    for path, decisions in groupby(shown, key=lambda decision: decision.path):
        lines += [*([""] if lines else []), plain(path)]
        for decision in decisions:
            lines += [_INDENT[line.kind] + line.text for line in blocks(decision, read_line)]
    return "".join(f"{line}\n" for line in lines)


def statistics(report: Report, verdicts: Collection[str] = VERDICTS) -> Statistics:
    counts = Counter((decision.codemod, decision.verdict) for decision in report.decisions)
    shown = [decision for decision in report.decisions if decision.verdict in verdicts]
    reasons = Counter(decision.reason.code for decision in shown if decision.reason)
    return Statistics(
        tuple(
            (name, tuple(counts[name, verdict] if verdict in verdicts else 0 for verdict in VERDICTS))
            for name in sorted({decision.codemod for decision in shown})
        ),
        tuple(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    )


def site(decision: Decision, source: str | None) -> dict[str, object]:
    """A row of the JSON report."""
    place, saves = decision.span, decision.saves
    return {
        "codemod": decision.codemod,
        "path": decision.path,
        "line": place.line,
        "column": place.column + 1,
        "end_line": place.end_line,
        "function": decision.function,
        "subject": decision.subject,
        "verdict": decision.verdict,
        "assumes": list(decision.assumes),
        "reason": _reason(decision.reason),
        "because": [_step(step) for step in decision.because],
        "saves": {
            "launches": saves.launches,
            "allocations": saves.allocations,
            "bytes": saves.bytes,
            "per": saves.per,
            **({"stores": saves.stores} if saves.stores else {}),
            **({"but": saves.but} if saves.but else {}),
        },
        "fix": decision.fix,
        **({} if source is None else {"source": plain(source)}),
    }


def _reason(reason: Refused | None) -> dict[str, object] | None:
    if reason is None:
        return None
    witness = [_step(step) for step in reason.witness]
    then = {} if reason.then is None else {"then": {"code": reason.then.code, "message": reason.then.message}}
    return {"code": reason.code, "message": reason.message, "witness": witness, **then}


def _step(step: Step) -> dict[str, object]:
    return {"path": step.path, "line": step.span.line, "text": step.text}
