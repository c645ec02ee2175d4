"""Input that is wrong, odd or hostile: named, without a traceback, and the rest goes on."""

from __future__ import annotations

import ast
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import PROVED, REWRITTEN, execute, git, invoke

import codemods
from codemods import decide_file
from codemods.read import discover
from codemods.write import files


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with one good file."""
    (tmp_path / "good.py").write_text(PROVED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nope"], "nope: no such file or directory"),
        (["fix", "nope.py"], "nope.py: no such file or directory"),
        (["explain", "nope.py:3"], "nope.py: no such file or directory"),
        (["explain", "good.py"], "good.py: must be FILE:LINE"),
        (["check", "--select", "nope"], "--select: unknown codemod 'nope'"),
        (["check", "--select", ""], "--select: unknown codemod ''"),
        (["fix", "--ignore", "zeros_to_empty,nope"], "--ignore: unknown codemod 'nope'"),
        (["check", "--output-format", "xml"], "--output-format: unknown format 'xml'"),
        (["check", "--verdict", "likely"], "--verdict: unknown verdict 'likely'"),
    ],
)
def test_wrong_usage_is_one_line_and_2(checkout: Path, arguments: list[str], message: str) -> None:
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"torch-codemods: {message}")
    assert result.stderr.count("\n") == 1
    assert (checkout / "good.py").read_text() == PROVED


@pytest.mark.parametrize("arguments", [["check", "--nope"], ["nope"], ["explain"]])
def test_what_the_command_line_does_not_have(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


# --- files that cannot be read

BROKEN = {
    "syntax": (b"import torch\ntorch.zeros(1)\ndef f(:\n", 3, "invalid syntax"),
    "utf-8": (b"import torch\ntorch.zeros('\xff')\n", 0, ""),
    "null": (b"import torch\ntorch.zeros(1)\n\0\n", 0, "null bytes"),
    "cookie": (b"# coding: nonsense\nimport torch\ntorch.zeros(1)\n", 0, "unknown encoding"),
    "utf-16": ("import torch\ntorch.zeros(1)\n".encode("utf-16") + b"torch.zeros(1)", 0, ""),
    "parentheses": (b"import torch\ntorch.zeros" + b"(" * 5000 + b"1" + b")" * 5000 + b"\n", 0, "too "),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_cannot_be_parsed_is_named_and_the_rest_goes_on(checkout: Path, kind: str) -> None:
    source, line, message = BROKEN[kind]
    source = source.replace(b"torch.zeros", b"torch.zeros", 1)
    (checkout / "bad.py").write_bytes(source if b"torch" in source else b"torch zeros( " + source)
    result = invoke("check", ".", "--output-format", "concise")
    assert result.exit_code == 1
    assert result.stdout.startswith("good.py:5:11: zeros_to_empty proved ")
    assert result.stdout.count("\n") == 1
    first = result.stderr.splitlines()[0]
    assert first.startswith(f"error: bad.py:{line}" if line else "error: bad.py:")
    assert "cannot be parsed: " in first
    assert message in first
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 2


def test_a_file_that_cannot_be_parsed_is_in_the_json(checkout: Path) -> None:
    (checkout / "good.py").write_text("import torch\ntorch.zeros(1)\ndef f(:\n")
    report = codemods.run([checkout])
    assert (report.scanned, report.parsed, report.decisions) == (1, 0, ())
    assert [(notice.path, notice.line, notice.internal) for notice in report.failed] == [("good.py", 3, False)]
    assert invoke("check", ".").exit_code == 1
    assert invoke("fix", ".").exit_code == 1
    assert invoke("check", ".", "--exit-zero").exit_code == 0


def test_fix_rewrites_the_rest(checkout: Path) -> None:
    (checkout / "bad.py").write_text("import torch\ntorch.zeros(1)\ndef f(:\n")
    assert invoke("fix", ".").exit_code == 1
    assert (checkout / "good.py").read_text() == REWRITTEN


def test_a_hundred_levels_of_nesting(checkout: Path) -> None:
    nested = "".join("    " * level + "if x:\n" for level in range(1, 19)) + "    " * 19 + "x = torch.zeros(1)\n"
    (checkout / "blocks.py").write_text("import torch\ndef f(x):\n" + nested)
    (checkout / "lists.py").write_text("import torch\nx = " + "[" * 100 + "torch.zeros(1)" + "]" * 100 + "\n")
    (checkout / "blocks100.py").write_text(
        "import torch\ndef f(x):\n"
        + "".join(" " * n + "if x:\n" for n in range(1, 101))
        + " " * 101
        + "torch.zeros(1)\n"
    )
    result = invoke("check", ".", "--output-format", "concise")
    assert result.exit_code == 1
    assert "good.py:5:11: zeros_to_empty proved " in result.stdout
    assert "internal" not in result.stderr
    assert "Traceback" not in result.stderr


def test_a_sum_of_thousands_of_terms(checkout: Path) -> None:
    (checkout / "long.py").write_text("import torch\ndef f():\n    return torch.zeros(1)" + " + 1" * 5000 + "\n")
    result = invoke("check", ".", "--output-format", "concise")
    assert result.exit_code == 1
    assert "good.py:5:11: zeros_to_empty proved " in result.stdout
    assert "internal" not in result.stderr


def test_warnings_of_the_scanned_code_are_not_ours(checkout: Path) -> None:
    (checkout / "good.py").write_text(PROVED + 'if "\\d" is 3: pass\n')
    result = execute("check", ".", cwd=checkout, PYTHONWARNINGS="always")
    assert result.returncode == 1
    assert b"Warning" not in result.stderr


# --- bytes that stay as they are

ODD: dict[str, Callable[[str], bytes]] = {
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "no final newline": lambda text: text.rstrip("\n").encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "latin-1": lambda text: ("# -*- coding: latin-1 -*-\nname = 'é'; " + text.replace("# é", "# é")).encode("latin-1"),
    "tabs": lambda text: text.replace("    ", "\t").encode(),
    "form feed": lambda text: text.replace("\n\n\n", "\n\f\n\x0c\n").encode(),
    "wide characters": lambda text: text.replace("    out = ", "    '数é🎉'; out = ").encode(),
    "line separator": lambda text: text.replace("import torch", "name = '\u2028\x85\x1c'; import torch").encode(),
    "trailing blanks": lambda text: text.replace("(n)\n", "(n)   \n   \n").encode(),
}


@pytest.mark.parametrize("kind", ODD)
def test_every_byte_outside_the_edit_is_kept(checkout: Path, kind: str) -> None:
    before = ODD[kind](PROVED)
    (checkout / "good.py").write_bytes(before)
    git("init", "-q", cwd=checkout)
    assert invoke("fix", ".").exit_code == 0
    after = (checkout / "good.py").read_bytes()
    assert after == before.replace(b"torch.zeros", b"torch.empty")
    assert after != before
    assert git("apply", "-R", "model_patch.diff", cwd=checkout).returncode == 0
    assert (checkout / "good.py").read_bytes() == before
    assert invoke("fix", ".", "--diff").stdout.encode(errors="replace")
    assert invoke("explain", f"good.py:{before[: before.index(b'torch.zeros')].count(10) + 1}").exit_code == 0


# --- the file system


def test_links_that_loop_and_folders_called_like_files(checkout: Path) -> None:
    (checkout / "loop").symlink_to(checkout, target_is_directory=True)
    (checkout / "self.py").symlink_to(checkout / "self.py")
    (checkout / "x.py").mkdir()
    (checkout / "x.py/in.py").write_text(PROVED)
    result = invoke("check", ".", "--output-format", "concise")
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["good.py", "x.py/in.py"]
    assert invoke("check", "self.py").exit_code == 2


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file")])
def test_a_file_that_cannot_be_read_or_has_gone(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    (checkout / "gone.py").write_text(PROVED)
    real = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "gone.py":
            raise error
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = invoke("check", ".", "--output-format", "concise")
    assert result.exit_code == 1
    assert result.stdout.count("\n") == 1
    assert result.stderr.splitlines()[0] == f"error: gone.py:1: cannot be read: {error.strerror.lower()}"


def test_a_file_that_goes_between_looking_and_fixing(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "more.py").write_text(PROVED)
    real, seen = discover.read, list[str]()

    def vanish(file: discover.File) -> object:
        seen.append(file.name)
        if file.name == "good.py" and seen.count("good.py") == 2:
            file.path.unlink(missing_ok=True)
        return real(file)

    monkeypatch.setattr(discover, "read", vanish)
    result = invoke("fix", ".")
    assert result.exit_code == 1
    assert "error: good.py:1: cannot be read: no such file or directory" in result.stderr
    assert (checkout / "more.py").read_text() == REWRITTEN


def test_a_name_that_is_not_text(checkout: Path) -> None:
    Path(os.fsdecode(os.fsencode(checkout) + b"/\xff.py")).write_text(PROVED)
    result = execute("check", ".", "--output-format", "concise", cwd=checkout)
    assert result.returncode == 1
    assert result.stdout.count(b"\n") == 2
    assert b"Traceback" not in result.stderr


def test_a_terminal_that_knows_no_unicode(checkout: Path) -> None:
    (checkout / "good.py").write_text(PROVED.replace("copy_(x)", "copy_(x)  # 数"))
    result = execute("check", ".", cwd=checkout, PYTHONIOENCODING="ascii")
    assert result.returncode == 1
    assert b"\\u6570" in result.stdout


# --- writing


def two(checkout: Path) -> None:
    (checkout / "also.py").write_text(PROVED)
    git("init", "-q", cwd=checkout)


def check_patch(checkout: Path, rewritten: str, kept: str) -> None:
    """One file is new, the other old, and the patch is of the first alone."""
    assert (checkout / rewritten).read_text() == REWRITTEN
    assert (checkout / kept).read_text() == PROVED
    assert kept not in (checkout / "model_patch.diff").read_text()
    assert git("apply", "-R", "model_patch.diff", cwd=checkout).stderr == b""
    assert (checkout / rewritten).read_text() == PROVED
    assert not list(checkout.glob(".torch-codemods*"))


def test_a_file_that_may_not_be_written(checkout: Path) -> None:
    two(checkout)
    (checkout / "also.py").chmod(0o444)
    result = invoke("fix", ".")
    assert result.exit_code == 2
    assert f"error: {checkout.resolve() / 'also.py'}: not written, the old file is in place: " in result.stderr
    assert f"rewritten: {checkout.resolve() / 'good.py'}\n" in result.stderr
    check_patch(checkout, "good.py", "also.py")


def failing(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException, *, after: bool = False) -> None:
    """The rename onto a file of that name fails, or succeeds and is followed by the error."""
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == name and not after:
            raise error
        real(source, target)
        if Path(target).name == name:
            raise error

    monkeypatch.setattr(os, "replace", replace)


def test_a_disk_that_is_full(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two(checkout)
    failing(monkeypatch, "good.py", OSError(28, "No space left on device"))
    result = invoke("fix", ".")
    assert result.exit_code == 2
    assert "not written, the old file is in place: No space left on device" in result.stderr
    assert "stopped: 1 of 2 files rewritten, the others are as they were" in result.stderr
    check_patch(checkout, "also.py", "good.py")


def test_a_patch_for_which_there_is_no_space_is_not_lost(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "model_patch.diff", OSError(28, "No space left on device"))
    result = invoke("fix", ".")
    assert result.exit_code == 2
    assert "error: model_patch.diff: no space left on device; the patch goes to stdout" in result.stderr
    assert result.stdout.startswith("diff --git a/good.py b/good.py\n")


@pytest.mark.parametrize(("after", "rewritten", "kept"), [(False, "also.py", "good.py"), (True, "also.py", "good.py")])
def test_ctrl_c_while_files_are_written(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, after: bool, rewritten: str, kept: str
) -> None:
    two(checkout)
    failing(monkeypatch, "also.py" if after else "good.py", KeyboardInterrupt(), after=after)
    result = invoke("fix", ".")
    assert result.exit_code == 130
    assert "stopped: 1 of 2 files rewritten, the others are as they were" in result.stderr
    check_patch(checkout, rewritten, kept)


@pytest.fixture
def sigint() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("sigint")
def test_a_second_ctrl_c_does_not_cost_the_patch(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = files.write_atomically

    def write(path: Path, data: bytes) -> None:
        signal.raise_signal(signal.SIGINT)
        real(path, data)

    monkeypatch.setattr(files, "write_atomically", write)
    assert invoke("fix", ".").exit_code == 0
    assert (checkout / "model_patch.diff").exists()


def test_ctrl_c_while_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(codemods, "decide_file", interrupt)
    result = invoke("check", ".")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "torch-codemods: interrupted\n")


# --- errors of our own


def test_an_internal_error_is_named_with_its_function(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from codemods import zeros_to_empty

    (checkout / "more.py").write_text(PROVED.replace("def f", "def odd"))
    real = zeros_to_empty.propose

    def propose(flow: codemods.Flow) -> object:
        if flow.function == "odd":
            raise KeyError("surprise")
        return real(flow)

    monkeypatch.setattr(zeros_to_empty, "propose", propose)
    result = invoke("check", ".", "--output-format", "concise")
    assert result.exit_code == 2
    assert result.stdout.startswith("good.py:5:11: zeros_to_empty proved ")
    first = result.stderr.splitlines()[0]
    assert re.fullmatch(r"error: more\.py:[45]: internal error in odd: KeyError: 'surprise'", first)
    assert invoke("check", ".", "--exit-zero").exit_code == 2
    assert invoke("fix", ".").exit_code == 2
    assert (checkout / "good.py").read_text() == REWRITTEN


def test_an_internal_error_while_a_function_is_read(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from codemods.read import host

    real = host.flows

    def flows(tree: ast.Module, source: bytes, path: str, *rest: Any) -> Iterator[codemods.Flow]:
        yield from real(tree, source, path, *rest)
        raise IndexError("surprise")

    monkeypatch.setattr(host, "flows", flows)
    found = decide_file((checkout / "good.py").read_bytes(), "good.py")
    assert found.decisions == ()  # what was not read may hold the reason against one
    assert [notice.message for notice in found.failed] == [
        "internal error in a function behind f: IndexError: surprise"
    ]
    assert found.failed[0].internal


def test_a_gate_that_says_no_leaves_the_file(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from codemods.write import gate

    def refuse(*_: object) -> None:
        raise gate.GateError("line 5: the edited file differs from what was promised")

    monkeypatch.setattr(gate, "check", refuse)
    result = invoke("fix", ".")
    assert result.exit_code == 2
    assert "error: good.py:1: internal error, not rewritten: GateError: line 5: " in result.stderr
    assert (checkout / "good.py").read_text() == PROVED
    assert not (checkout / "model_patch.diff").exists()


def test_an_error_nobody_expected_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(discover, "discover", fail)
    result = invoke("check", ".")
    assert result.exit_code == 2
    assert result.stderr.startswith("torch-codemods: internal error: ZeroDivisionError: oops (test_bad_input.py:")
    assert result.stderr.count("\n") == 1


def test_decide_file_never_raises() -> None:
    for source, _, _ in BROKEN.values():
        found = decide_file(source, "bad.py")
        assert found.decisions == ()
        assert len(found.failed) == 1
    assert sys.getrecursionlimit() < 5000
