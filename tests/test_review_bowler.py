"""`fix --bowler`: a user's own script through our discovery, patch, report and gate."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import execute, git

pytest.importorskip("bowler.tool")

CHAIN = '.select_function("old").rename("new")'
RENAME = f'from bowler import Query\n\nQuery("ignored"){CHAIN}.write()\n'
USE = "def f(a):\n    return old(a)\n"


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.py").write_text(USE)
    (tmp_path / "rename.py").write_text(RENAME)
    git("init", "-q", cwd=tmp_path)
    return tmp_path


def fix(checkout: Path, *arguments: str) -> tuple[int, str, str]:
    result = execute("fix", "--bowler", "rename.py", *arguments, cwd=checkout)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def test_the_script_rewrites_and_leaves_a_patch(checkout: Path) -> None:
    assert fix(checkout, "pkg", "--report", "report.md") == (
        0,
        "",
        "rewrote 1 site in 1 file\nthe patch is in model_patch.diff\nthe report is in report.md\n",
    )
    assert (checkout / "pkg/a.py").read_text() == USE.replace("old", "new")
    assert git("apply", "-R", "--check", "model_patch.diff", cwd=checkout).stderr == b""
    assert "**rename** assumed\\[bowler:rename.py\\]: `return old(a)` in `f`" in (checkout / "report.md").read_text()
    assert fix(checkout, "pkg") == (0, "", "nothing to rewrite: 1 file, 0 failed\n")


def test_a_dry_run_tells_who_vouches_for_it(checkout: Path) -> None:
    code, shown, said = fix(checkout, "pkg", "--diff")
    assert (code, said) == (1, "")
    assert shown.startswith("# a.py:2: rename: return old(a): assumed, saves nothing\n#   assumes bowler:rename.py\n")
    assert "-    return old(a)\n+    return new(a)\n" in shown
    assert (checkout / "pkg/a.py").read_text() == USE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"x = 1\r\ny = old(x)\r\n", b"x = 1\r\ny = new(x)\r\n"),
        (b"x = 1\ny = old(x)", b"x = 1\ny = new(x)"),
        (b"x = 1\r\ny = old(x)", b"x = 1\r\ny = new(x)"),
        (b"x = old(1)  # no end", b"x = new(1)  # no end"),
        (b"\xef\xbb\xbfx = old('\xc3\xa9')\n", b"\xef\xbb\xbfx = new('\xc3\xa9')\n"),
        (b"# coding: latin-1\nx = old('\xe9')\n", b"# coding: latin-1\nx = new('\xe9')\n"),
        (b"x = 1\r\ny = old(x)\n\n\n", b"x = 1\r\ny = new(x)\n\n\n"),
        (b"if x:\n\told(1)\n\x0c\nold(2)\n", b"if x:\n\tnew(1)\n\x0c\nnew(2)\n"),
    ],
)
def test_every_other_byte_stays(checkout: Path, before: bytes, after: bytes) -> None:
    (checkout / "pkg/a.py").write_bytes(before)
    code, _, said = fix(checkout, "pkg")
    assert (code, (checkout / "pkg/a.py").read_bytes()) == (0, after), said


@pytest.mark.parametrize(
    "source",
    [
        "def f(a, /):\n    return old(a)\n",
        "match old(x):\n    case 1:\n        pass\n",
        "with (open(a) as b, old(c) as d):\n    pass\n",
    ],
)
def test_a_file_that_its_grammar_cannot_read_is_named(checkout: Path, source: str) -> None:
    (checkout / "pkg/b.py").write_text(source)
    code, _, said = fix(checkout, "pkg")
    assert code == 1
    assert said.startswith("error: b.py:1: Bowler's grammar cannot read it: ")
    assert (checkout / "pkg/b.py").read_text() == source
    assert (checkout / "pkg/a.py").read_text() == USE.replace("old", "new")


def test_a_file_that_python_cannot_read_is_named(checkout: Path) -> None:
    (checkout / "pkg/a.py").write_text("print old(1)\n")
    code, _, said = fix(checkout, "pkg")
    assert code == 1
    assert said.startswith("error: a.py:1: cannot be parsed: ")


@pytest.mark.parametrize(
    "script",
    [
        f'from bowler import Query\n\ndef main():\n    Query("."){CHAIN}.idiff()\n',
        f'from bowler import Query\nif __name__ == "__main__":\n    Query(){CHAIN}.diff()\n',
        f'import sys\nfrom bowler import Query\nprint("hello")\nQuery(sys.argv[1:]){CHAIN}.silent()\n',
    ],
)
def test_scripts_in_the_usual_shapes(checkout: Path, script: str) -> None:
    (checkout / "rename.py").write_text(script)
    code, shown, _ = fix(checkout, "pkg")
    assert (code, shown) == (0, "")
    assert (checkout / "pkg/a.py").read_text() == USE.replace("old", "new")


MODIFY = (
    "from bowler import Query\ndef change(node, capture, filename):\n    {}\n"
    "Query().select_root().modify(change).write()\n"
)


@pytest.mark.parametrize(
    ("script", "code", "why"),
    [
        ("x = 1\n", 2, "torch-codemods: --bowler: rename.py runs no Query\n"),
        ("x = 1\n1 / 0\n", 2, "torch-codemods: --bowler: rename.py:2: ZeroDivisionError: division by zero\n"),
        ("x = (\n", 2, "torch-codemods: --bowler: rename.py:1: SyntaxError: "),
        ("import sys\nsys.exit(3)\n", 2, "torch-codemods: --bowler: rename.py:2: SystemExit: 3\n"),
        (RENAME.replace(".write", ".process(print).write"), 2, "torch-codemods: --bowler: rename.py: process() looks "),
        (MODIFY.format("raise KeyError(3)"), 1, "error: a.py:1: the script fails on it: KeyError: 3\n"),
        (
            MODIFY.format("node.children[0].prefix = '('; node.changed()"),
            1,
            "error: a.py:1: not rewritten: what the script ",
        ),
    ],
)
def test_what_goes_wrong_in_the_script_is_one_line(checkout: Path, script: str, code: int, why: str) -> None:
    (checkout / "rename.py").write_text(script)
    status, shown, said = fix(checkout, "pkg")
    assert (status, shown) == (code, "")
    assert said.startswith(why)
    assert (checkout / "pkg/a.py").read_text() == USE


def test_what_is_for_proofs_does_not_go_with_it(checkout: Path) -> None:
    code, _, said = fix(checkout, "pkg", "--select", "drop_fill")
    assert code == 2
    assert said.startswith("torch-codemods: --bowler takes only paths, ")
    result = execute("fix", "--bowler", "nowhere.py", "pkg", cwd=checkout)
    assert (result.returncode, result.stderr) == (2, b"torch-codemods: --bowler: nowhere.py is not a file\n")


def test_without_bowler_it_says_how_to_get_it(checkout: Path) -> None:
    (checkout / "bowler.py").write_text("raise ImportError('broken')\n")
    code, _, said = fix(checkout, "pkg")
    assert code == 2
    assert (
        said == "torch-codemods: --bowler: bowler cannot be imported (broken): pip install 'torch-codemods[bowler]'\n"
    )
