"""The tool on every case: the text it makes, the sites it leaves and why, and that a second run changes nothing."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from pathlib import Path

import pytest
from cases import PAGES, SAVES_NOTHING, Case, cases, parse

from codemods import Options, decide_file, rewrite
from codemods.core.verdict import Decision

CASES = cases()
REASONS = Path(__file__).parents[1] / "docs" / "reasons.md"
LEFT_ALONE = ("unknown", "refuted")


def decide(case: Case, source: str) -> tuple[Decision, ...]:
    """What the tool says about `source` when it is asked for the codemod of the case only."""
    found = decide_file(source.encode(), f"{case.page}.py", Options(select=(case.page,)))
    assert not found.failed, found.failed
    return found.decisions


def rewritten(case: Case, source: str) -> str:
    """`source` after everything is applied that a plain `fix` applies."""
    return rewrite(source.encode(), f"{case.page}.py", Options(select=(case.page,)))[0].decode()


def refused(decisions: tuple[Decision, ...]) -> tuple[tuple[int, str], ...]:
    return tuple((d.span.line, d.reason.code) for d in decisions if d.verdict in LEFT_ALONE and d.reason)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    decisions = decide(case, case.before)
    assert refused(decisions) == case.refused
    assert tuple(d.span.line for d in decisions if d.verdict == "proved" and not d.saves) == case.idle
    assert tuple((d.span.line, name) for d in decisions if not d.reason for name in d.assumes) == case.assumed
    assert rewritten(case, case.before) == case.after
    if case.once:
        assert {d.saves.per for d in decisions if d.verdict == "proved"} == {case.once}
    if case.kind == "nothing" and not case.idle:
        assert not decisions


@pytest.mark.parametrize("case", [case for case in CASES if case.kind == "rewrite"], ids=str)
def test_a_second_run_changes_nothing(case: Case) -> None:
    assert rewritten(case, case.after) == case.after


@pytest.mark.parametrize("case", [case for case in CASES if case.kind == "rewrite"], ids=str)
def test_every_rewrite_tells_why(case: Case) -> None:
    proved = [decision for decision in decide(case, case.before) if decision.verdict == "proved" and decision.saves]
    assert proved
    assert all(decision.because for decision in proved)


def test_there_are_enough_cases_and_more_refusals_than_rewrites() -> None:
    kinds = Counter(case.kind for case in CASES)
    assert kinds["rewrite"] >= 40
    assert kinds["refusal"] >= 60
    for page in PAGES.glob("*.md"):
        mine = Counter(case.kind for case in CASES if case.page == page.stem)
        assert mine["refusal"] >= mine["rewrite"] > 0, page.stem


def test_titles_are_distinct_and_blocks_are_python() -> None:
    names = Counter(map(str, CASES))
    assert not [name for name, count in names.items() if count > 1]
    for case in CASES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer Pythons warn of `return` in `finally`, which is a case
            ast.parse(case.before)
            ast.parse(case.after)


def test_every_rewrite_can_be_run() -> None:
    assert not [str(case) for case in CASES if case.kind == "rewrite" and not case.runs]


def test_every_documented_reason_has_a_case() -> None:
    if not REASONS.exists():
        pytest.skip("docs/reasons.md is not written yet")
    documented = set(re.findall(r"^## `?([a-z-]+)`?$", REASONS.read_text("utf-8"), re.MULTILINE))
    shown = {code for case in CASES for _, code in case.refused}
    assert documented == shown


def test_a_page_is_read_as_it_stands() -> None:
    page = (
        "# p\n\n## one\n\n```diff\n def f(x):\n-    a(x)\n+    b(x)\n     c(x)  # refused: gap, kept\n"
        " # run: f(1), f((2, 3))\n # once: import\n```\n\n"
        "## two\n\nWhy.\n\n```python\nimport t\nd()  # proved: saves nothing\n# differs\n```\n"
    )
    one, two = parse("p", page)
    assert one.before == "import torch\ndef f(x):\n    a(x)\n    c(x)  # refused: gap, kept\n"
    assert one.after == one.before.replace("a(x)", "b(x)")
    assert (one.kind, one.refused, one.once) == ("rewrite", ((4, "gap"), (4, "kept")), "import")
    assert one.runs == ("f(1)", "f((2, 3))")
    assert (two.kind, two.before) == ("nothing", f"import t\nd()  # proved: {SAVES_NOTHING}\n")
    assert (two.idle, two.differs, two.runs) == ((2,), True, ())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("## t\n\nno block\n", "0 blocks"),
        ("## t\n\n```diff\n a\n```\n", "say otherwise"),
        ("## t\n\n```diff\na\n```\n", "no diff"),
        ("## t\n\n```python\na()\n# run: 3\n```\n", "not a call"),
    ],
)
def test_a_broken_page_is_named(body: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(parse("p", body))
