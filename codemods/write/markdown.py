"""A run as Markdown, fit for the description of a pull request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from codemods.core.verdict import VERDICTS, Decision
from codemods.write.evidence import saved
from codemods.write.show import plain, ruling

_TITLES = {
    "proved": "Proved",
    "assumed": "Holds under assumptions",
    "unknown": "Could not be seen",
    "refuted": "Refused: there is a path that breaks it",
}
_MOST_REFUSED = 100  # a page of refusals that nobody reads to its end


def sites(decisions: Sequence[Decision]) -> str:
    """Every site under its verdict."""
    lines = ["# torch-codemods", "", _count(decisions)]
    for verdict in VERDICTS:
        found = [decision for decision in decisions if decision.verdict == verdict]
        if found:
            lines += ["", f"## {_TITLES[verdict]}", "", *(line for one in found for line in _site(one))]
    return "\n".join(lines) + "\n"


def report(applied: Sequence[Decision], refused: Sequence[Decision]) -> str:
    """What was rewritten and why it is safe, what it saves, and what was left alone and why.

    `applied` may hold sites that a change before them made possible: their lines are those of the text at that time.
    """
    lines = ["# Rewrites by torch-codemods", "", *_told(applied)]
    lines += [line for one in applied for line in _site(one)]
    if refused:
        lines += ["", "## Left alone", "", *_reasons(refused), "", "<details><summary>Each site</summary>", ""]
        lines += [_line(one) for one in refused[:_MOST_REFUSED]]
        more = len(refused) - _MOST_REFUSED
        lines += [f"- and {more} more"] if more > 0 else []
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _told(applied: Sequence[Decision]) -> Iterator[str]:
    if not applied:
        yield "Nothing was found that can be rewritten."
        return
    files = len({decision.path for decision in applied})
    yield f"{_plural(len(applied), 'site')} in {_plural(files, 'file')}. {_saved(applied)}".rstrip()
    yield ""
    proved = sum(decision.verdict == "proved" for decision in applied)
    if proved == len(applied):
        yield "Each is proved: values, dtypes, shapes, strides, devices and aliasing stay as they were."
    else:
        yield f"{proved} are proved; the others hold under the assumptions that are listed with them."
    yield from ("", "## Rewritten", "")


def _saved(applied: Sequence[Decision]) -> str:
    totals: Counter[tuple[str, str]] = Counter()
    for decision in applied:
        for what, number in (
            ("launch", decision.saves.launches),
            ("allocation", decision.saves.allocations),
            ("store", decision.saves.stores),
        ):
            totals[what, decision.saves.per] += number
    parts = [f"{_plural(number, what)} per {per}" for (what, per), number in totals.items() if number]
    return f"Together they save {', '.join(parts)}." if parts else ""


def _site(decision: Decision) -> Iterator[str]:
    reason = decision.reason
    yield _line(decision)
    for name in decision.assumes:
        yield f"  - assumes {_code(name)}"
    for step in reason.witness if reason else decision.because:
        yield f"  - {_where(step.path, step.span.line)}: {_text(step.text)}"
    if reason is None:
        first = (decision.fix or "").splitlines()
        yield from (f"  - becomes {_code(first[0])}{' ...' * (len(first) > 1)}",) if first else ()
        yield f"  - saves {_text(saved(decision.saves))}"


def _line(decision: Decision) -> str:
    head = f"- {_where(decision.path, decision.span.line)} **{decision.codemod}** {_text(ruling(decision))}"
    about = f": {_code(decision.subject)} in {_code(decision.function)}"
    return head + about + (f": {_text(decision.reason.message)}" if decision.reason else "")


def _reasons(refused: Sequence[Decision]) -> Iterator[str]:
    counted = Counter(decision.reason.code for decision in refused if decision.reason)
    yield from ("| reason | sites |", "|---|---|")
    for code, number in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        yield f"| {code} | {number} |"


def _count(decisions: Sequence[Decision]) -> str:
    found = Counter(decision.verdict for decision in decisions)
    told = ", ".join(f"{found[name]} {name}" for name in VERDICTS if found[name])
    return f"{_plural(len(decisions), 'site')}{': ' if told else ''}{told}."


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{('es' if noun.endswith('ch') else 's') * (number != 1)}"


def _where(path: str, line: int) -> str:
    return _code(f"{path}:{line}")


def _code(text: str) -> str:
    """As a code span, whatever backticks are in it."""
    text = plain(" ".join(text.split()))
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " * (text.startswith("`") or text.endswith("`"))
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _text(text: str) -> str:
    """As text, with nothing that Markdown or HTML would read."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", plain(" ".join(text.split())))
