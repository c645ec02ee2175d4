"""Every decision on released packages stands in a reviewed file, and fixing them can be repeated and taken back."""

from __future__ import annotations

import ast
import difflib
import os
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import pytest
from corpora import Corpus, fetch, load, needed

import codemods
from codemods.core.report import Report
from codemods.core.span import Step
from codemods.core.verdict import VERDICTS, Decision, Saves

ROOT = Path(__file__).parents[1]
REVIEWED = [
    pytest.param(corpus, marks=pytest.mark.xdist_group(str(corpus)))  # it is read once
    for corpus in load()
    if corpus.rows != "none"
]

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module", params=REVIEWED, ids=str)
def corpus(request: pytest.FixtureRequest) -> Corpus:
    chosen = request.param
    assert isinstance(chosen, Corpus)
    return chosen


@pytest.fixture(scope="module")
def source(corpus: Corpus) -> Path:
    """The released files; read only."""
    with needed():
        return fetch(corpus)


@pytest.fixture(scope="module")
def scan(source: Path) -> codemods.Scan:
    return codemods.scan([source])


@pytest.fixture(scope="module")
def report(scan: codemods.Scan) -> Report:
    return scan.report


def test_decisions(corpus: Corpus, report: Report, accept: bool) -> None:
    """A decision that changed is a reviewed change: `pytest --accept` writes the file, people read the difference."""
    found = render(corpus, report)
    if accept:
        corpus.expected.write_text("".join(found), encoding="utf-8")
    expected = corpus.expected.read_text(encoding="utf-8").splitlines(keepends=True) if corpus.expected.exists() else []
    difference = "".join(difflib.unified_diff(expected, found, "reviewed", "decided now", n=0))
    assert not difference, f"\n{difference}"


def test_fix_and_back(corpus: Corpus, scan: codemods.Scan, source: Path, tmp_path: Path) -> None:
    proved = [decision for decision in scan.report.decisions if decision.verdict == "proved"]
    touched = {decision.path for decision in proved if decision.saves}
    tree = tmp_path / source.name  # what a package is called is what it is imported as
    if corpus.rows == "all":
        shutil.copytree(source, tree)
    else:  # and what their decisions rest on: the others of a large package take minutes and show nothing more
        looked = {Path(one.place) for file, found in scan.files if file.name in touched for one in found.looked}
        for path in (*(source / name for name in touched), *looked):
            if path.is_file() and path.is_relative_to(source):
                copy = tree / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
    before = contents(tree)

    first = fix(tree, tmp_path / "first.diff")
    after = contents(tree)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == touched
    for name in changed:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # theirs, not ours
            ast.parse(after[name], name)

    second = fix(tree, tmp_path / "second.diff")
    assert contents(tree) == after
    assert not second.exists() or not second.read_bytes()

    git(tree, "apply", "-R", str(first))
    assert contents(tree) == before
    git(tree, "apply", str(first))
    assert contents(tree) == after


def render(corpus: Corpus, report: Report) -> list[str]:
    """One line a site, after a head line that counts them.

    Of a large package only the accepted sites have a line, since those change what `fix` does. The others are counted
    by reason: their thousands of lines would be accepted unread, and whether reasons are right is read in the smaller
    packages.
    """
    counts = Counter(decision.verdict for decision in report.decisions)
    tally = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    head = f"# {corpus}: {report.scanned} files, {len(report.failed)} failed; {len(report.decisions)} sites: {tally}\n"
    if corpus.rows == "all":
        return [head, *map(render_row, report.decisions)]
    accepted = [decision for decision in report.decisions if not decision.reason]
    refused = Counter(
        f"{decision.codemod} {decision.verdict} {decision.reason.code}"
        for decision in report.decisions
        if decision.reason
    )
    return [head, *map(render_row, accepted), *(f"# {kind}: {count}\n" for kind, count in sorted(refused.items()))]


def render_row(decision: Decision) -> str:
    """`path:line codemod verdict reason  subject | lines of the proof or of the witness | what it saves`."""
    reason = decision.reason
    steps = reason.witness if reason else decision.because
    line = (
        f"{decision.path}:{decision.span.line} {decision.codemod} {decision.verdict} {reason.code if reason else '-'}"
        f"  {' '.join(decision.subject.split())} | {' '.join(dict.fromkeys(place(step, decision) for step in steps))}"
    )
    if not reason:
        line += f" | {told(decision.saves)}"
    if decision.assumes:
        line += f" | {' '.join(decision.assumes)}"
    return line.rstrip() + "\n"


def told(saves: Saves) -> str:
    if not saves:
        return "saves nothing"
    parts = [
        f"{saves.launches} launches, {saves.allocations} allocations",
        f"{saves.bytes} bytes" if saves.bytes else "",
        f"{saves.stores} stores in each program" if saves.stores else "",
    ]
    return f"saves {', '.join(filter(None, parts))} per {saves.per}"


def place(step: Step, decision: Decision) -> str:
    return f"{step.span.line}" if step.path == decision.path else f"{step.path}:{step.span.line}"


def fix(tree: Path, patch: Path) -> Path:
    """Run the command as people do; the patch it wrote."""
    command = [sys.executable, "-m", "codemods", "fix", str(tree), "--patch", str(patch)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment(tree), check=False)
    assert result.returncode == 0, result.stderr
    return patch


def git(tree: Path, *arguments: str) -> None:
    result = subprocess.run(
        ["git", *arguments], cwd=tree, capture_output=True, text=True, env=environment(tree), check=False
    )
    assert result.returncode == 0, result.stderr


def environment(tree: Path) -> dict[str, str]:
    """The tool is importable, and the copy is in no repository, wherever temporary files lie."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "GIT_CEILING_DIRECTORIES": str(tree.parent)}


def contents(tree: Path) -> dict[str, bytes]:
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
