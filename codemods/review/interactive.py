"""Hunk by hunk: which of the rewrites are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from codemods import Fixed, Options, decide_file
from codemods.review.hunks import Applied, Unit, applied, units
from codemods.review.limit import Site
from codemods.write.evidence import told
from codemods.write.show import Line, line_reader, plain
from codemods.write.summary import argument, count

HELP = {
    "y": "apply this hunk",
    "n": "skip this hunk",
    "a": "apply this hunk and all that follow in this file",
    "d": "skip this hunk and all that follow in this file",
    "q": "skip this hunk and all that follow",
    "e": "explain: the whole argument for this hunk",
    "?": "this list",
}
Ask = Callable[[str], str]  # "" at the end of the input
Show = Callable[[Sequence[Line], Sequence[bytes]], None]  # lines, then hunks below them


def choose(fixed: Sequence[Fixed], options: Options, ask: Ask, show: Show) -> frozenset[Site]:
    """The sites that are wanted; the hunks of a unit share one answer."""
    wanted: set[Site] = set()
    declined: set[Site] = set()
    over = ""  # an answer for all that follows: "q" for good, "a" and "d" up to the next file
    for one in fixed:
        over = over if over == "q" else ""
        found = units(one)
        for number, unit in enumerate(found, 1):
            if not over:
                show(heads(unit), [hunk.text for hunk in unit.hunks])
                answer = _answer(unit, f"{unit.change.name} ({number} of {len(found)}): apply?", options, ask, show)
                over = answer if answer in "adq" else ""
                taken = answer in "ya"
            else:
                taken = over == "a"
            (wanted if taken else declined).update(site_of(unit.change.path, one) for one in unit.applied)
    return frozenset(wanted - declined)


def site_of(path: Path, one: Applied) -> Site:
    old = one.old
    return path, old.codemod, old.function, old.subject, old.span.line


def proved_again(before: Sequence[Fixed], after: Sequence[Fixed], wanted: frozenset[Site]) -> Iterator[str]:
    """What was wanted and did not hold without what was declined, in words; and that a file is another one now."""
    made = {
        (one.change.path, old.codemod, old.function, old.subject, old.span.line)
        for one in after
        for old in applied(one)
    }
    for path, codemod, _, subject, line in sorted(wanted - made):
        yield f"not rewritten: {path}:{line}: {codemod}: {plain(subject)}: it does not hold without what was declined"
    texts = {one.change.path: one.change.before for one in before}
    for one in after:
        if texts.get(one.change.path) != one.change.before:
            yield f"error: {one.change.path}: not written, the old file is in place: changed meanwhile"


def unchanged(before: Sequence[Fixed], after: Sequence[Fixed]) -> list[Fixed]:
    """Those whose file is still the one that was shown."""
    texts = {one.change.path: one.change.before for one in before}
    return [one for one in after if texts.get(one.change.path) == one.change.before]


def _answer(unit: Unit, question: str, options: Options, ask: Ask, show: Show) -> str:
    while True:
        said = ask(f"{question} [{','.join(HELP)}] ")
        answer = said.strip().lower()
        if not said:
            return "q"
        if answer == "e":
            show(list(_argument(unit, options)), [])
        elif answer in HELP and answer != "?":
            return answer
        else:
            show([Line("note", f"{key}  {what}") for key, what in HELP.items()], [])


def heads(unit: Unit) -> list[Line]:
    """What stands above the hunks: each decision and the evidence for it."""
    kinds = [told(one.old, unit.change.name) for one in unit.applied]
    return [Line("note" if number else "head", plain(row)) for rows in kinds for number, row in enumerate(rows)]


def _argument(unit: Unit, options: Options) -> Iterator[Line]:
    """As `explain`, on the text that each decision was made on."""
    for one in unit.applied:
        made, text = one.made, one.text
        found = decide_file(text, made.path, replace(options, explain=True), unit.change.path).decisions
        same = [other for other in found if (other.codemod, other.span) == (made.codemod, made.span)]
        yield from argument(same[0] if same else made, line_reader(lambda _, text=text: text))  # type: ignore[misc]


def summary(fixed: Sequence[Fixed], wanted: frozenset[Site]) -> str:
    offered = sum(len(decisions) for one in fixed for decisions in one.rounds)
    return f"chosen: {len(wanted)} of {count(offered, 'site')}"
