"""A report in a few words, as counts, and the whole argument of one site."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from codemods.core.report import Life, Report
from codemods.core.verdict import VERDICTS, Decision
from codemods.write import report as write
from codemods.write.files import Outcome
from codemods.write.independent import independent
from codemods.write.patch import Change
from codemods.write.show import Line, ReadLine, blocks, plain, trail

if TYPE_CHECKING:
    from codemods.write.rows import Row


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def counts(report: Report) -> str:
    """One line for the end of a run."""
    found = Counter(decision.verdict for decision in report.decisions)
    sites = ", ".join(f"{found[name]} {name}" for name in VERDICTS if found[name])
    worth = len(independent(d for d in report.decisions if d.verdict == "proved" and d.saves))
    parts = [f"{count(len(report.decisions), 'site')}{': ' if sites else ''}{sites}"]
    parts += [f"{worth} to rewrite"] if worth else []
    parts += [f"{count(report.scanned, 'file')}, {report.parsed} parsed"]
    parts += [f"{len(report.failed)} failed"] if report.failed else []
    return "; ".join((*parts, f"{report.seconds:.1f} s"))


def written(outcome: Outcome, changes: Sequence[Change], sites: int) -> Iterator[str]:
    """Which files are new and which are old, where it did not go as planned."""
    for change, why in outcome.failed:
        yield f"error: {change.path}: not written, the old file is in place: {why}"
    if len(outcome.written) == len(changes):
        yield f"rewrote {count(sites, 'site')} in {count(len(changes), 'file')}"
        return
    for change in outcome.written:
        yield f"rewritten: {change.path}"
    yield f"stopped: {len(outcome.written)} of {count(len(changes), 'file')} rewritten, the others are as they were"


def findings(report: Report, shown: Collection[str], style: str, read_line: ReadLine) -> str:
    """As "concise", "markdown" or "text"."""
    if style == "concise":
        return "".join(f"{line}\n" for line in write.to_concise(report, shown))
    if style == "markdown":
        from codemods.write.markdown import sites

        return sites([decision for decision in report.decisions if decision.verdict in shown])
    return write.to_text(report, read_line, shown)


def exported(report: Report, found: Sequence[Row], style: str, rules: Mapping[str, str], version: str) -> str:
    """For other programs: as "json", "jsonl", "github", "gitlab" or "sarif". `rules`: the pages of the codemods."""
    from codemods.write import annotations

    match style:
        case "jsonl":
            return "".join(json.dumps(write.site(row.decision, row.text)) + "\n" for row in found)
        case "github":
            return "".join(annotations.github(found))
        case "gitlab":
            return annotations.gitlab(found)
        case "sarif":
            from codemods.write.sarif import to_sarif  # loads pydantic

            return to_sarif(found, report.failed, rules, version)
    kept = replace(report, decisions=tuple(row.decision for row in found))
    return write.to_json(kept, version, [row.text for row in found]) + "\n"


def statistics(report: Report, shown: Collection[str], *, as_json: bool) -> str:
    """How many sites of each codemod and verdict, and refusals by reason."""
    counts = write.statistics(report, shown)
    if as_json:
        rows = {name: dict(zip(VERDICTS, numbers, strict=True)) for name, numbers in counts.codemods}
        return json.dumps({"codemods": rows, "reasons": dict(counts.reasons)}, indent=2) + "\n"
    if not counts.codemods:
        return ""
    width = max(len(name) for name, _ in counts.codemods)
    lines = [f"{'':{width}}" + "".join(f"{name:>9}" for name in VERDICTS)]
    lines += [f"{name:{width}}" + "".join(f"{number:9}" for number in numbers) for name, numbers in counts.codemods]
    lines += ["", *(f"{number:6}  {code}" for code, number in counts.reasons)] if counts.reasons else []
    return "".join(f"{line}\n" for line in lines)


def grouped(title: str, decisions: Sequence[Decision], read_line: ReadLine, shown: Collection[str]) -> Iterator[Line]:
    """The sites of one file under its name; nothing where there is none."""
    sites = [decision for decision in decisions if decision.verdict in shown]
    if sites:
        yield Line("head", plain(title))
    for decision in sites:
        yield from blocks(decision, read_line)
        yield Line("note", "")


def argument(decision: Decision, read_line: ReadLine) -> Iterator[Line]:
    """Everything about one site: the life of its memory, then the proof or the path against it."""
    argued = (*decision.because, *(decision.reason.witness if decision.reason else ()))
    left = {(step.span, step.text): step.left for step in argued if step.left}
    life = [replace(step, left=left.get((step.span, step.text.partition(": ")[2]), "")) for step in decision.life]
    yield from facts(Life(decision.path, decision.span, decision.function, decision.subject, tuple(life)), read_line)
    yield from blocks(decision, read_line)
    yield Line("note", "")


def facts(life: Life, read_line: ReadLine) -> Iterator[Line]:
    """What happens to some memory."""
    yield Line("head", f"the life of {life.subject}, as control passes")
    yield from trail(life.steps, life.path, read_line)
    yield Line("note", "")
