"""Sites for the pages of GitHub and GitLab: workflow commands, and a code quality report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from codemods.core.span import Step
from codemods.core.verdict import Decision
from codemods.write.evidence import saved
from codemods.write.rows import Row
from codemods.write.show import ruling

_DATA = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (":", "%3A"), (",", "%2C"))


def github(rows: Iterable[Row]) -> Iterator[str]:
    """A workflow command a site: a warning where something is to be done, else a notice."""
    for row in rows:
        decision, place = row.decision, row.place
        level = "warning" if row.todo else "notice"
        properties: dict[str, object] = {"file": place.name, "line": place.line, "endLine": place.end_line}
        if place.line == place.end_line:  # GitHub takes columns on one line only
            properties |= {"col": place.column, "endColumn": place.end_column}
        properties["title"] = f"{decision.codemod} {ruling(decision)}"
        told = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties.items())
        yield f"::{level} {told}::{_escaped(_in_full(decision), _DATA)}\n"


def gitlab(rows: Sequence[Row]) -> str:
    """A code quality report; its fingerprints stay where only the line of a site changes."""
    issues = [
        {
            "description": f"{row.decision.codemod} {ruling(row.decision)}: {message(row.decision)}",
            "check_name": row.decision.codemod,
            "fingerprint": row.fingerprint,
            "severity": "minor" if row.todo else "info",
            "location": {"path": row.place.name, "lines": {"begin": row.place.line, "end": row.place.end_line}},
        }
        for row in rows
    ]
    return json.dumps(issues, indent=2) + "\n"


def message(decision: Decision) -> str:
    """In one sentence: what it would become and save, or why not."""
    if decision.reason:
        return f"{decision.subject}: {decision.reason.message}"
    first = (decision.fix or "").splitlines()
    becomes = (
        f"becomes {first[0]}{' ...' * (len(first) > 1)}"
        if first
        else "goes away"
        if decision.fix == ""
        else "can be rewritten"
    )
    return f"{decision.subject}: {becomes}; saves {saved(decision.saves)}"


def _in_full(decision: Decision) -> str:
    steps = decision.reason.witness if decision.reason else decision.because
    assumed = [f"assumes {name}" for name in decision.assumes]
    return "\n".join([message(decision), *assumed, *(f"{_where(step, decision)}: {step.text}" for step in steps)])


def _where(step: Step, decision: Decision) -> str:
    return f"line {step.span.line}" if step.path == decision.path else f"{step.path}:{step.span.line}"


def _escaped(text: str, table: Sequence[tuple[str, str]]) -> str:
    for character, code in table:
        text = text.replace(character, code)
    return text
