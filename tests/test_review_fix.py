"""The review of a fix: hunks in a terminal, hunk by hunk, the report and the commit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import PROVED, REFUTED, REWRITTEN, ROOT, execute, git, invoke

pty = pytest.importorskip("pty")

FAR = "".join(f"# {number}\n" for number in range(12))
SECOND = FAR + PROVED.replace("import torch\n", "").replace("def f", "def second")
THIRD = FAR + PROVED.replace("import torch\n", "").replace("def f", "def third")
DONE = {source: source.replace("zeros", "empty") for source in (PROVED, SECOND, THIRD)}
LATER = "import torch\n\n\ndef f(n, x):\n    out = torch.zeros(n)\n    out.zero_()\n    out.copy_(x)\n    return out\n"
COLOUR = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A Person")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.py").write_text(PROVED + SECOND + THIRD)
    (tmp_path / "pkg/b.py").write_text(PROVED)
    (tmp_path / "pkg/other.py").write_text(REFUTED)
    git("init", "-q", cwd=tmp_path)
    git("add", "-A", cwd=tmp_path)
    git("commit", "-qm", "one", cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def type_in(answers: str, *arguments: str) -> tuple[int, str]:
    """The exit status and what a terminal shows while these lines are typed; "^D" at their end ends the input."""
    master, slave = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200"}
    command = [sys.executable, "-m", "codemods", "fix", *arguments]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        os.write(master, answers.replace("^D", "\x04").encode())
        shown = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        return process.wait(60), COLOUR.sub("", shown.decode()).replace("\r\n", "\n")


def log(repository: Path) -> str:
    return git("log", "-1", "--format=%B", cwd=repository).stdout.decode()


def status(repository: Path) -> str:
    return git("status", "--short", cwd=repository).stdout.decode()


# --- --diff


def test_a_terminal_shows_hunks_under_their_evidence(repository: Path) -> None:
    code, shown = type_in("", "pkg/b.py", "--diff")
    assert code == 1
    lines = shown.splitlines()
    start = lines.index("pkg/b.py")
    assert lines[start + 1] == "pkg/b.py:5: zeros_to_empty: out: proved, saves 1 launch per call"
    assert lines[start + 2].strip().startswith("pkg/b.py:6: ")
    assert lines[start + 3].startswith("@@ -2,6 +2,6 @@")
    assert "-    out = torch.zeros(n)" in lines
    assert "+    out = torch.empty(n)" in lines
    assert (repository / "pkg/b.py").read_text() == PROVED


def test_a_pipe_gets_the_patch_even_where_colours_are_forced(repository: Path) -> None:
    plain = execute("fix", "--diff", "pkg", cwd=repository)
    forced = execute("fix", "--diff", "pkg", cwd=repository, FORCE_COLOR="1")
    assert plain.returncode == 1
    assert forced.stdout == plain.stdout
    assert git("apply", "--check", "-", cwd=repository, input=plain.stdout).stderr == b""


# --- --interactive


@pytest.mark.parametrize(
    ("answers", "first", "second"),
    [
        ("y\nn\ny\nn\n", DONE[PROVED] + SECOND + DONE[THIRD], PROVED),
        ("n\nY\nn\ny\n", PROVED + DONE[SECOND] + THIRD, REWRITTEN),
        ("n\na\nn\n", PROVED + DONE[SECOND] + DONE[THIRD], PROVED),
        ("y\nd\ny\n", DONE[PROVED] + SECOND + THIRD, REWRITTEN),
        ("y\nq\n", DONE[PROVED] + SECOND + THIRD, PROVED),
        ("y\n^D", DONE[PROVED] + SECOND + THIRD, PROVED),
        ("?\nwhat\n\ne\ny\nq\n", DONE[PROVED] + SECOND + THIRD, PROVED),
    ],
)
def test_what_is_chosen_is_written(repository: Path, answers: str, first: str, second: str) -> None:
    code, shown = type_in(answers, "-i", "pkg")
    assert code == 0, shown
    assert (repository / "pkg/a.py").read_text() == first
    assert (repository / "pkg/b.py").read_text() == second
    assert git("apply", "-R", "--check", "model_patch.diff", cwd=repository).stderr == b""


def test_nothing_chosen_writes_nothing(repository: Path) -> None:
    code, shown = type_in("q\n", "-i", "pkg")
    assert code == 0
    assert "nothing was chosen, nothing is written" in shown
    assert status(repository) == ""


def test_explain_and_help(repository: Path) -> None:
    _, shown = type_in("e\n?\nq\n", "-i", "pkg/b.py")
    assert "the life of out, as control passes" in shown
    assert "a  apply this hunk and all that follow in this file" in shown
    assert shown.count("pkg/b.py (1 of 1): apply? [y,n,a,d,q,e,?] ") == 3


def test_without_a_terminal_it_does_not_wait(repository: Path) -> None:
    result = execute("fix", "-i", "pkg", cwd=repository)
    assert (result.returncode, result.stdout) == (2, b"")
    why = b"torch-codemods: --interactive needs a terminal: --diff shows the same without one\n"
    assert result.stderr == why
    assert status(repository) == ""


def test_rewrites_that_need_each_other_share_an_answer(repository: Path) -> None:
    """The fill goes, then the zeros: both in one hunk."""
    (repository / "pkg/b.py").write_text(LATER)
    code, shown = type_in("y\n", "-i", "pkg/b.py")
    assert code == 0
    assert "(1 of 1)" in shown
    assert (repository / "pkg/b.py").read_text() == REWRITTEN


def test_a_rewrite_in_two_places_is_asked_for_once(repository: Path) -> None:
    comments = "".join(f"        # {number}\n" for number in range(12))
    body = "        row = torch.empty(d, dtype=xs.dtype)\n        row.copy_(xs[i])\n        out[i] = row.sum()\n"
    head = (
        "@torch.no_grad()\ndef f(xs: torch.Tensor, out: torch.Tensor):\n    n, d = xs.shape\n    for i in range(n):\n"
    )
    source = f"import torch\n\n\n{head}{comments}{body}    return out\n"
    (repository / "pkg/b.py").write_text(source)
    code, shown = type_in("y\n", "-i", "pkg/b.py")
    assert code == 0
    assert shown.count("@@ -") == 2
    assert shown.count("apply?") == 1
    text = (repository / "pkg/b.py").read_text()
    assert text.index("row = torch.empty") < text.index("for i in")


def test_what_does_not_hold_alone_is_not_written() -> None:
    """A rewrite of a second round is wanted, the one that made it possible is not."""
    from codemods import Fixed, rewrite
    from codemods.review.interactive import proved_again
    from codemods.write.patch import Change

    text, rounds = rewrite(LATER.encode(), "b.py")
    fixed = Fixed(Change(Path("b.py"), "b.py", LATER.encode(), text), rounds)
    assert len(rounds) == 2
    (later,) = rounds[1]
    site = (Path("b.py"), later.codemod, later.function, later.subject, 5)
    kept, none = rewrite(LATER.encode(), "b.py", keep=lambda decision: decision.codemod == "no such")
    assert (kept, none) == (LATER.encode(), ())
    (said,) = proved_again([fixed], [], frozenset({site}))
    assert said == f"not rewritten: b.py:5: {later.codemod}: out: it does not hold without what was declined"


# --- --report


def test_the_report_tells_what_and_why(repository: Path) -> None:
    result = invoke("fix", "pkg", "--report", "report.md")
    assert result.exit_code == 0
    assert result.stderr.endswith("the report is in report.md\n")
    text = (repository / "report.md").read_text()
    assert text.startswith(
        "# Rewrites by torch-codemods\n\n4 sites in 2 files. Together they save 4 launches per call.\n"
    )
    assert "- `a.py:5` **zeros_to_empty** proved: `out` in `f`\n  - `a.py:6`: " in text
    assert "| returned | 1 |" in text
    assert "- `other.py:5` **zeros_to_empty** refuted\\[returned\\]: `out` in `g`: " in text


def test_the_report_of_a_dry_run(repository: Path) -> None:
    result = invoke("fix", "pkg/b.py", "--diff", "--report", "report.md")
    assert result.exit_code == 1
    assert result.stdout.count("diff --git") == 1
    assert "1 site in 1 file" in (repository / "report.md").read_text()
    assert status(repository) == "?? report.md\n"


def test_the_report_where_nothing_can_be_rewritten(repository: Path) -> None:
    result = invoke("fix", "pkg/other.py", "--report", "report.md")
    assert result.exit_code == 0
    text = (repository / "report.md").read_text()
    assert "Nothing was found that can be rewritten." in text
    assert "| returned | 1 |" in text
    assert status(repository) == "?? report.md\n"


@pytest.mark.parametrize("place", ["nowhere/report.md", "pkg"])
def test_a_report_that_cannot_be_written_stops_before_anything(repository: Path, place: str) -> None:
    result = invoke("fix", "pkg", "--report", place)
    assert (result.exit_code, result.stderr) == (2, f"torch-codemods: --report: {place} cannot be written\n")
    assert status(repository) == ""


# --- --commit


def test_a_commit_holds_exactly_the_rewrites(repository: Path) -> None:
    (repository / "pkg/other.py").write_text(REFUTED + "# mine\n")
    result = invoke("fix", "pkg", "--commit", "-s")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.endswith("the rewrites are committed\n")
    told = log(repository)
    assert told.startswith(
        "Drop needless tensor work: 4 sites in 2 files\n\npkg/a.py:5: zeros_to_empty: out: proved, saves "
    )
    assert "\n  pkg/a.py:6: " in told
    assert told.rstrip().endswith("Signed-off-by: A Person <a@example.org>")
    changed = git("show", "--format=", "--name-only", cwd=repository).stdout.decode().split()
    assert changed == ["pkg/a.py", "pkg/b.py"]
    assert status(repository) == " M pkg/other.py\n?? model_patch.diff\n"
    assert git("show", "HEAD:pkg/b.py", cwd=repository).stdout.decode() == REWRITTEN


def refuses(repository: Path, why: str, *arguments: str) -> None:
    before = log(repository)
    result = invoke("fix", "pkg", "--commit", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"torch-codemods: --commit: {why}\n"
    assert (repository / "pkg/b.py").read_text().startswith(PROVED)
    assert log(repository) == before


def test_a_commit_is_refused_while_the_index_holds_other_changes(repository: Path) -> None:
    (repository / "pkg/other.py").write_text("# mine\n")
    git("add", "-A", cwd=repository)
    refuses(repository, "the index holds other changes")


def test_a_commit_is_refused_where_edits_would_go_in(repository: Path) -> None:
    (repository / "pkg/b.py").write_text(PROVED + "# mine\n")
    refuses(repository, f"{repository.resolve()}/pkg/b.py has edits that are not committed")


def test_a_commit_is_refused_for_a_file_that_git_does_not_know(repository: Path) -> None:
    (repository / "pkg/new.py").write_text(PROVED)
    refuses(repository, f"{repository.resolve()}/pkg/new.py is not known to git")


def test_a_commit_is_refused_in_the_middle_of_a_merge(repository: Path) -> None:
    head = git("rev-parse", "HEAD", cwd=repository).stdout
    (repository / ".git/MERGE_HEAD").write_bytes(head)
    refuses(repository, "MERGE_HEAD is there: a merge or the like is not finished")


def test_a_commit_outside_of_git(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("plain")
    (folder / "a.py").write_text(PROVED)
    result = invoke("fix", folder, "--commit")
    assert result.exit_code == 2
    assert result.stderr == f"torch-codemods: --commit: {folder / 'a.py'} is not in a git repository\n"
    assert (folder / "a.py").read_text() == PROVED


def test_a_hook_that_says_no_is_told(repository: Path) -> None:
    hook = repository / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no, never >&2\nexit 1\n")
    hook.chmod(0o755)
    result = invoke("fix", "pkg", "--commit")
    assert result.exit_code == 2
    assert result.stderr.endswith("error: not committed: git says: no, never\n")
    assert (repository / "pkg/b.py").read_text() == REWRITTEN
    assert (repository / "model_patch.diff").exists()


def test_a_choice_can_be_committed(repository: Path) -> None:
    code, _ = type_in("n\ny\nq\n", "-i", "pkg", "--commit", "--report", "report.md")
    assert code == 0
    assert log(repository).startswith("Drop needless tensor work: 1 site in 1 file\n")
    assert "1 site in 1 file" in (repository / "report.md").read_text()
    assert git("show", "HEAD:pkg/a.py", cwd=repository).stdout.decode() == PROVED + DONE[SECOND] + THIRD


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--diff", "--commit"), "--diff writes nothing: it does not go with --commit"),
        (("--diff", "-i"), "--diff writes nothing: it does not go with --interactive"),
        (("-s",), "--signoff is for --commit"),
    ],
)
def test_what_does_not_go_together_is_one_line(repository: Path, options: tuple[str, ...], why: str) -> None:
    result = invoke("fix", "pkg", *options)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"torch-codemods: {why}\n")
    assert status(repository) == ""
