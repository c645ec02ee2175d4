"""`--since` and `--baseline`: findings on lines that changed, findings that are not known yet."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from commands import PROVED, REFUTED, REWRITTEN, ROOT, git, invoke

SECOND = PROVED.replace("import torch\n", "").replace("def f", "def second")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A commit with one proved site, and after it another one below in the same file."""
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/good.py").write_text(PROVED)
    git("init", "-q", cwd=tmp_path)
    commit(tmp_path)
    (tmp_path / "pkg/good.py").write_text("# above\n" + PROVED + SECOND)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    git("add", "-A", cwd=folder)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one", cwd=folder)


def shown(*arguments: object) -> list[str]:
    lines = invoke("check", "pkg", "--output-format", "concise", *arguments).stdout.splitlines()
    return [":".join(line.split(":")[:2]) for line in lines]


# --- --since


def test_since_shows_what_lies_on_changed_lines() -> None:
    assert shown() == ["good.py:6", "good.py:12"]
    assert shown("--since", "HEAD") == ["good.py:12"]
    result = invoke("check", "pkg", "--since", "HEAD")
    assert result.exit_code == 1
    assert result.stderr.startswith("hidden: 1 site\n1 site: 1 proved; 1 to rewrite; ")


def test_since_a_commit_with_everything_shows_nothing(repository: Path) -> None:
    commit(repository)
    assert shown("--since", "HEAD") == []
    assert invoke("check", "pkg", "--since", "HEAD").exit_code == 0
    assert shown("--since", "HEAD~1") == ["good.py:12"]


def test_a_changed_line_that_the_proof_stands_on_counts(repository: Path) -> None:
    (repository / "pkg/good.py").write_text(PROVED.replace("out.copy_(x)", "out.copy_(x + 1)"))
    assert shown("--since", "HEAD") == ["good.py:5"]


@pytest.mark.parametrize("name", ["new.py", "é 日.py", 'a"b.py', "-dash.py"])
def test_a_file_that_git_does_not_know_is_new_and_an_added_one_too(repository: Path, name: str) -> None:
    (repository / "pkg" / name).write_text(REFUTED)
    assert f"{name}:5" in shown("--since", "HEAD")
    git("add", "-A", cwd=repository)
    assert f"{name}:5" in shown("--since", "HEAD")
    commit(repository)
    assert shown("--since", "HEAD") == []


def test_lines_that_look_like_a_diff_or_end_oddly_do_not_mislead(repository: Path) -> None:
    odd = b"'''\n++ b/other.py\n@@ -1 +1,99 @@\n-- a\r\nx\x0c\xff\r'''\n".replace(b"\xff", b"\xc3\xa9")
    (repository / "pkg/good.py").write_bytes(odd + PROVED.encode() + odd)
    assert shown() != []
    assert shown("--since", "HEAD") == []


def test_fix_rewrites_only_what_changed(repository: Path) -> None:
    assert invoke("fix", "pkg", "--since", "HEAD").exit_code == 0
    assert (repository / "pkg/good.py").read_text() == "# above\n" + PROVED + SECOND.replace("zeros", "empty")
    assert invoke("fix", "pkg", "--since", "HEAD").stderr.startswith("hidden: 1 site\nnothing to rewrite: ")


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "HEAD:pkg/good.py", ""])
@pytest.mark.parametrize("command", ["check", "fix"])
def test_what_is_no_revision_is_one_line(repository: Path, revision: str, command: str) -> None:
    result = invoke(command, "pkg", f"--since={revision}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"torch-codemods: --since: {revision} is not a revision of {repository.resolve()}\n"
    assert (repository / "pkg/good.py").read_text() == "# above\n" + PROVED + SECOND


def test_since_outside_of_git(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("plain")
    result = invoke("check", folder, "--since", "HEAD")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"torch-codemods: --since: {folder} is not in a git repository\n"


# --- --baseline


def write_baseline(repository: Path, *arguments: object) -> Path:
    file = repository / "known.json"
    file.write_text(invoke("check", "pkg", "--output-format", "json", *arguments).stdout)
    return file


def test_a_baseline_hides_what_it_knows_wherever_it_moves(repository: Path) -> None:
    file = write_baseline(repository)
    assert shown("--baseline", file) == []
    assert invoke("check", "pkg", "--baseline", file).exit_code == 0
    source = (repository / "pkg/good.py").read_text()
    (repository / "pkg/good.py").write_text("# more\n# lines\n" + source)
    assert shown("--baseline", file) == []
    (repository / "pkg/good.py").write_text(source + SECOND.replace("second", "third"))
    assert shown("--baseline", file) == ["good.py:18"]
    (repository / "pkg/more.py").write_text(PROVED)
    assert shown("--baseline", file) == ["good.py:18", "more.py:5"]


def test_one_known_site_hides_one(repository: Path) -> None:
    file = write_baseline(repository)
    (repository / "pkg/good.py").write_text(PROVED + SECOND + SECOND)
    assert shown("--baseline", file) == ["good.py:17"]


def test_a_known_refusal_that_became_a_proof_is_news(repository: Path) -> None:
    (repository / "pkg/good.py").write_text(REFUTED.replace("g(n)", "f(n, x)"))
    file = write_baseline(repository)
    assert shown("--baseline", file) == []
    (repository / "pkg/good.py").write_text(PROVED)
    assert shown("--baseline", file) == ["good.py:5"]


def test_fix_leaves_what_is_known(repository: Path) -> None:
    (repository / "pkg/good.py").write_text(PROVED)
    file = write_baseline(repository)
    (repository / "pkg/good.py").write_text(PROVED + SECOND)
    assert invoke("fix", "pkg", "--baseline", file).exit_code == 0
    assert (repository / "pkg/good.py").read_text() == PROVED + SECOND.replace("zeros", "empty")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON: "),
        ("[]", "not a report of `check --output-format json`"),
        ('{"schema": 1, "sites": 3}', "not a report of `check --output-format json`"),
        ('{"schema": 2, "sites": []}', "not a report of `check --output-format json`"),
        ('{"schema": 1, "sites": [{"codemod": "a"}]}', "a site lacks one of "),
        ('{"schema": 1, "sites": [1]}', "a site lacks one of "),
    ],
)
def test_what_is_no_baseline_is_one_line(repository: Path, text: str, why: str) -> None:
    file = repository / "known.json"
    file.write_text(text)
    for command in ("check", "fix"):
        result = invoke(command, "pkg", "--baseline", file)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"torch-codemods: --baseline: {file}: {why}")
        assert result.stderr.count("\n") == 1


def test_a_baseline_that_is_not_there(repository: Path) -> None:
    result = invoke("check", "pkg", "--baseline", "nowhere.json")
    assert (result.exit_code, result.stderr) == (2, "torch-codemods: nowhere.json: no such file or directory\n")


def test_both_limits_hold_together(repository: Path) -> None:
    file = write_baseline(repository)
    (repository / "pkg/good.py").write_text("# above\n" + PROVED + SECOND + REFUTED)
    assert shown("--baseline", file, "--since", "HEAD") == ["good.py:19"]
    assert [site["line"] for site in json.loads(file.read_text())["sites"]] == [6, 12]


def test_rewrites_of_a_later_round_are_limited_by_their_old_lines(repository: Path) -> None:
    """The fill goes first; only then the zeros are needless: on a line that is no longer where it was."""
    body = "    out = torch.zeros(n)\n    out.zero_()\n    out.fill_(1)\n    out.copy_(x)\n    return out\n"
    old = f"import torch\n\n\ndef f(n, x):\n{body}"
    (repository / "pkg/good.py").write_text(old)
    commit(repository)
    (repository / "pkg/good.py").write_text(old + f"\n\ndef g(n, x):\n{body}")
    assert invoke("fix", "pkg", "--since", "HEAD").exit_code == 0
    assert (repository / "pkg/good.py").read_text() == old + "\n\n" + REWRITTEN.partition("\n\n\n")[2].replace(
        "f(", "g("
    )


# --- hooks


def test_the_hooks_for_pre_commit_find_what_is_there(repository: Path) -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    found = re.findall(r"^- id: ([^\n]+)$.*?^  entry: torch-codemods ([^\n]+)$", text, re.MULTILINE | re.DOTALL)
    lines = {}
    for name, entry in found:
        result = invoke(*entry.split())
        assert result.exit_code == 1, result.stderr
        lines[name] = [line.split(": ")[0] for line in result.stdout.splitlines()]
    assert lines == {
        "torch-codemods": ["pkg/good.py:6:11", "pkg/good.py:12:11"],
        "torch-codemods-changed": ["pkg/good.py:12:11"],
    }
