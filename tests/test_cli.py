"""The command: streams, exit statuses, and the way from a checkout to a patch and back."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import PROVED, REFUTED, REWRITTEN, ROOT, execute, git, invoke

import codemods
from codemods.core.event import Write
from codemods.pipeline import pool


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: one file with a proved site, one with a refuted one."""
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/good.py").write_text(PROVED)
    (tmp_path / "pkg/other.py").write_text(REFUTED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- check


def test_check_finds_and_says_so() -> None:
    result = invoke("check", "pkg")
    assert result.exit_code == 1
    assert result.stdout.startswith("good.py\n")
    assert re.search(r"5:11 zeros_to_empty proved: out in f\n", result.stdout)
    assert re.search(r"out\.copy_\(x\)\n +\| +\^{12} ", result.stdout)
    assert re.search(r"5:11 zeros_to_empty refuted\[", result.stdout)
    assert "becomes: out = torch.empty(n)" in result.stdout
    assert result.stderr.startswith("2 sites: 1 proved, 1 refuted; 1 to rewrite; 2 files, 2 parsed; ")
    assert result.stderr.count("\n") == 1


def test_check_of_refused_sites_only_is_0() -> None:
    result = invoke("check", "pkg/other.py")
    assert result.exit_code == 0
    assert "refuted" in result.stdout


def test_check_without_a_path_is_the_current_directory(checkout: Path) -> None:
    assert "pkg/good.py" in invoke("check").stdout


def test_exit_zero() -> None:
    assert invoke("check", "pkg", "--exit-zero").exit_code == 0


def test_no_cache_is_accepted() -> None:
    assert invoke("check", "--no-cache", "pkg/other.py").exit_code == 0


def test_json() -> None:
    result = invoke("check", "pkg", "--output-format", "json")
    document = json.loads(result.stdout)
    assert (document["schema"], document["tool"]) == (1, "torch-codemods")
    assert document["version"] == codemods.VERSION
    assert document["files"] == {"scanned": 2, "parsed": 2, "failed": []}
    first, second = document["sites"]
    assert (first["path"], first["line"], first["column"], first["end_line"]) == ("good.py", 5, 11, 5)
    assert (first["verdict"], first["reason"], first["fix"]) == ("proved", None, "out = torch.empty(n)")
    assert [step["line"] for step in first["because"]] == [6]
    assert (second["verdict"], second["fix"]) == ("refuted", None)
    assert second["reason"]["code"]


def test_concise_has_a_line_for_each_site() -> None:
    lines = invoke("check", "pkg", "--output-format", "concise").stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("good.py:5:11: zeros_to_empty proved ")


def test_the_name_of_a_file_that_is_named_is_its_own() -> None:
    assert invoke("check", "pkg/good.py", "--output-format", "concise").stdout.startswith("good.py:5:11: ")


def test_verdict_filters_what_is_shown_and_not_the_status() -> None:
    result = invoke("check", "pkg", "--verdict", "unknown,refuted", "--output-format", "concise")
    assert result.exit_code == 1
    assert [line.split()[2].split("[")[0] for line in result.stdout.splitlines()] == ["refuted"]


def test_statistics() -> None:
    shown = invoke("check", "pkg", "--statistics").stdout
    assert re.search(r"^zeros_to_empty +1 +0 +0 +1$", shown, re.MULTILINE)
    assert "torch.zeros" not in shown
    counted = json.loads(invoke("check", "pkg", "--statistics", "--output-format", "json").stdout)
    assert counted["codemods"]["zeros_to_empty"] == {"proved": 1, "assumed": 0, "unknown": 0, "refuted": 1}


def test_select_and_ignore() -> None:
    assert invoke("check", "pkg", "--select", "drop_fill").stdout == ""
    assert invoke("check", "pkg", "--select", "drop_fill,zeros_to_empty").exit_code == 1
    assert invoke("check", "pkg", "--select", "drop_fill", "--select", "zeros_to_empty").exit_code == 1
    assert invoke("check", "pkg", "--ignore", "zeros_to_empty").stdout == ""


def test_exclude_counts_from_here_and_from_the_path() -> None:
    assert invoke("check", "pkg", "--exclude", "/pkg/good.py").exit_code == 0
    assert invoke("check", "pkg", "--exclude", "good.*,nothing").exit_code == 0


def test_colours_on_request_only() -> None:
    assert "\x1b[" not in invoke("check", "pkg").stdout
    coloured = execute("check", "pkg", cwd=Path.cwd(), FORCE_COLOR="1", TERM="xterm")
    assert b"\x1b[" in coloured.stdout
    assert b"pkg/good.py" in coloured.stdout
    plain = execute("check", "pkg", cwd=Path.cwd(), FORCE_COLOR="1", NO_COLOR="1", TERM="xterm")
    assert b"\x1b[3" not in plain.stdout
    assert b"pkg/good.py" in plain.stdout


def test_a_reader_that_goes_away_is_no_error(checkout: Path) -> None:
    for number in range(40):
        (checkout / f"pkg/more{number}.py").write_text(REFUTED * 20)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "codemods", "check", "pkg"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(60) == 1
    assert said.count("\n") == 1
    assert said.startswith("802 sites: ")


# --- fix


def test_fix_rewrites_and_leaves_a_patch(checkout: Path) -> None:
    result = invoke("fix", "pkg")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "rewrote 1 site in 1 file\nthe patch is in model_patch.diff\n" in result.stderr
    assert (checkout / "pkg/good.py").read_text() == REWRITTEN
    assert (checkout / "pkg/other.py").read_text() == REFUTED
    assert "-    out = torch.zeros(n)\n+    out = torch.empty(n)\n" in (checkout / "model_patch.diff").read_text()


@pytest.mark.parametrize("in_git", [True, False])
def test_git_applies_the_patch_and_takes_it_back(checkout: Path, in_git: bool) -> None:
    if in_git:
        git("init", "-q", cwd=checkout)
    assert invoke("fix", "pkg", "--patch", "model.diff").exit_code == 0
    root = checkout if in_git else checkout / "pkg"
    assert git("apply", "-R", "--check", str(checkout / "model.diff"), cwd=root).stderr == b""
    assert git("apply", "-R", str(checkout / "model.diff"), cwd=root).returncode == 0
    assert (checkout / "pkg/good.py").read_text() == PROVED
    assert git("apply", str(checkout / "model.diff"), cwd=root).returncode == 0
    assert (checkout / "pkg/good.py").read_text() == REWRITTEN


def test_a_second_fix_has_nothing_to_do(checkout: Path) -> None:
    invoke("fix", "pkg")
    (checkout / "model_patch.diff").unlink()
    result = invoke("fix", "pkg")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("nothing to rewrite: ")
    assert not (checkout / "model_patch.diff").exists()


def test_the_patch_on_stdout(checkout: Path) -> None:
    result = invoke("fix", "pkg", "--patch", "-")
    assert result.stdout.startswith("diff --git a/good.py b/good.py\n")
    assert (checkout / "pkg/good.py").read_text() == REWRITTEN
    assert not (checkout / "model_patch.diff").exists()


def test_a_patch_that_cannot_be_written_stops_before_anything(checkout: Path) -> None:
    for place in ("nowhere/model.diff", "pkg"):
        result = invoke("fix", "pkg", "--patch", place)
        assert result.exit_code == 2
        assert result.stderr == f"torch-codemods: --patch: {place} cannot be written\n"
    assert (checkout / "pkg/good.py").read_text() == PROVED


def test_diff_writes_nothing_and_is_a_patch(checkout: Path) -> None:
    far = "".join(f"# {number}\n" for number in range(20))
    again = PROVED.replace("import torch\n", "").replace("def f", "def g").replace("out = ", "# a comment\n    out = ")
    twice = PROVED + far + again
    places = [number for number, line in enumerate(twice.splitlines(), 1) if "torch.zeros" in line]
    (checkout / "pkg/good.py").write_text(twice)
    result = invoke("fix", "pkg", "--diff")
    assert result.exit_code == 1
    assert (checkout / "pkg/good.py").read_text() == twice
    assert not (checkout / "model_patch.diff").exists()
    lines = result.stdout.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith("@@ ")]
    assert len(starts) == 2
    for start, place in zip(starts, places, strict=True):
        head = lines[start - 3 - 2 : start - 3]  # behind the evidence stand the three lines that name the file
        assert head[0].startswith(f"# good.py:{place}: zeros_to_empty: out: proved, saves 1 launch")
        assert head[1].startswith(f"#   good.py:{place + 1}: ")
    (checkout / "shown.diff").write_text(result.stdout)
    assert git("apply", str(checkout / "shown.diff"), cwd=checkout / "pkg").stderr == b""
    invoke_again = invoke("fix", "pkg", "--diff")
    assert (invoke_again.exit_code, invoke_again.stdout) == (0, "")
    assert (checkout / "pkg/good.py").read_text() == twice.replace("torch.zeros", "torch.empty")


def test_all_adds_what_saves_nothing(checkout: Path) -> None:
    source = PROVED.replace("torch.zeros(n)", "torch.zeros(0)").replace("    out.copy_(x)\n", "")
    (checkout / "pkg/good.py").write_text(source)
    assert invoke("check", "pkg").exit_code == 0
    assert invoke("fix", "pkg").exit_code == 0
    assert (checkout / "pkg/good.py").read_text() == source
    assert invoke("fix", "pkg", "--all").exit_code == 0
    assert (checkout / "pkg/good.py").read_text() == source.replace("torch.zeros", "torch.empty")


def test_no_flag_applies_a_refuted_site(checkout: Path) -> None:
    (checkout / "pkg/good.py").unlink()
    assert invoke("fix", "pkg", "--all", "--assume", "everything,no-autograd").exit_code == 0
    assert (checkout / "pkg/other.py").read_text() == REFUTED


def test_it_goes_on_until_nothing_changes(checkout: Path) -> None:
    """Dropping one statement may be what another one waited for."""
    source = PROVED.replace("    out.copy_(x)\n", "    out.zero_()\n    out.fill_(1)\n    out.copy_(x)\n")
    (checkout / "pkg/good.py").write_text(source)
    assert invoke("fix", "pkg").exit_code == 0
    assert (checkout / "pkg/good.py").read_text() == REWRITTEN
    assert invoke("fix", "pkg", "--diff").exit_code == 0


def test_several_paths(checkout: Path) -> None:
    (checkout / "more").mkdir()
    (checkout / "more/good.py").write_text(PROVED)
    shown = invoke("check", "pkg", "more", "pkg/good.py", "--output-format", "concise").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["good.py:5:11:", "good.py:5:11:", "other.py:5:11:"]
    assert invoke("fix", "pkg", "more").exit_code == 0
    patch = (checkout / "model_patch.diff").read_text()
    assert patch.count("diff --git") == 2  # outside git it applies where all the paths lie
    assert "diff --git a/more/good.py b/more/good.py\n" in patch
    assert git("apply", "-R", "model_patch.diff", cwd=checkout).stderr == b""
    assert (checkout / "more/good.py").read_text() == PROVED


# --- the pipeline


def test_processes_give_the_same_report(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = codemods.run([checkout])
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(pool, "ENOUGH", 1)
    monkeypatch.setattr(pool, "processors", lambda: 2)
    together = codemods.run([checkout], progress=lambda done, total: told.append((done, total)))
    assert together.decisions == alone.decisions
    assert len(alone.decisions) == 2
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_a_site_that_is_reached_in_two_ways_is_one_site() -> None:
    body = "    try:\n        g()\n    finally:\n        out = torch.zeros(n)\n        out.copy_(x)\n    return out\n"
    found = codemods.decide_file(f"import torch\n\n\ndef f(n, x):\n{body}".encode(), "a.py")
    assert not found.failed
    assert [(decision.codemod, decision.span.line) for decision in found.decisions] == [("zeros_to_empty", 8)]


def test_one_way_that_is_refused_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same node in two flows, one of them without the line that covers it."""
    from codemods.read import host

    real = host.flows

    def flows(tree: ast.Module, source: bytes, path: str, *rest: Any) -> Iterator[codemods.Flow]:
        for flow in real(tree, source, path, *rest):
            yield flow
            kept = tuple(
                None if isinstance(event, Write) and event.api == "Tensor.copy_" else event for event in flow.events
            )
            assert kept != flow.events
            yield replace(flow, events=kept)

    monkeypatch.setattr(host, "flows", flows)
    (decision,) = codemods.decide_file(PROVED.encode(), "a.py").decisions
    assert decision.because
    assert decision.verdict == "refuted"


@pytest.mark.parametrize(
    ("statement", "fix"),
    [
        ("out = torch.zeros(n)", "out = torch.empty(n)"),
        ("out = torch.zeros(\n        n,\n    )", "out = torch.empty(\n    n,\n)"),
        ("out = torch.full((n,), 1.0)", "out = torch.empty((n,))"),
        ("é = 1; out = torch.zeros(n)", "out = torch.empty(n)"),
        ("with torch.zeros(n) as out: pass", None),
    ],
)
def test_what_the_statement_becomes(statement: str, fix: str | None) -> None:
    source = PROVED.replace("out = torch.zeros(n)", statement)
    fixes = [decision.fix for decision in codemods.decide_file(source.encode(), "a.py").decisions]
    assert fixes == [fix]


# --- explain, list, the rest


def test_explain_tells_the_whole_argument() -> None:
    result = invoke("explain", "pkg/good.py:5")
    assert result.exit_code == 0
    assert result.stdout.startswith("the life of out, as control passes\n")
    assert "birth: " in result.stdout
    assert "write: " in result.stdout
    assert "zeros_to_empty proved: out in f" in result.stdout


def test_explain_of_a_refused_site() -> None:
    result = invoke("explain", "pkg/other.py:5:11")
    assert result.exit_code == 0
    assert "zeros_to_empty refuted[" in result.stdout
    assert "return out" in result.stdout


def test_explain_of_a_line_without_a_site() -> None:
    result = invoke("explain", "pkg/good.py:1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "torch-codemods: pkg/good.py:1: no candidate site here (there is one at: 5)\n"


KERNELS = """import torch, triton
import triton.language as tl

@triton.jit
def double(x_ptr, out_ptr, rest_ptr, n, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    x = tl.load(x_ptr + at, mask=at < n)
    old = tl.load(rest_ptr)
    tl.store(out_ptr + at, x * 2, mask=at < n)
    tl.store(rest_ptr + 1 + at, x + old, mask=at < n)

def f(x: torch.Tensor):
    (n,) = x.shape
    out = torch.empty(n)
    rest = torch.empty(n + 1)
    double[(triton.cdiv(n, 64),)](x, out, rest, n, B=64)
    return out, rest
"""


def test_explain_tells_the_facts_of_memory_without_a_value() -> None:
    Path("pkg/kernels.py").write_text(KERNELS)
    whole, part = invoke("explain", "pkg/kernels.py:14"), invoke("explain", "pkg/kernels.py:15")
    assert whole.exit_code == part.exit_code == 0
    assert whole.stdout.startswith("the life of out, as control passes\n")
    assert "double() stores all of it (kernels.py:9)" in whole.stdout
    assert "the life of rest" not in whole.stdout
    assert "double() loads element {0} before any store (kernels.py:8)" in part.stdout
    assert "never writes element {0}" in part.stdout
    assert "stores all of it" not in part.stdout


def test_memory_without_a_value_is_no_site() -> None:
    Path("pkg/kernels.py").write_text(KERNELS)
    result = invoke("check", "pkg/kernels.py", "--output-format", "json")
    assert json.loads(result.stdout)["sites"] == []
    result = invoke("explain", "pkg/kernels.py:16")
    assert (result.exit_code, result.stdout) == (2, "")


def test_list_shows_every_codemod_and_its_promise() -> None:
    result = invoke("list")
    assert result.exit_code == 0
    for name in codemods.names():
        assert re.search(rf"^{name}\n    \S", result.stdout, re.MULTILINE)


def test_version() -> None:
    assert invoke("--version").stdout == f"torch-codemods {codemods.VERSION}\n"
    assert f'\nversion = "{codemods.VERSION}"\n' in (ROOT / "pyproject.toml").read_text()


def test_help() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for command in ("check", "fix", "explain", "list"):
        assert f"  {command} " in result.stdout


def test_as_a_module(checkout: Path) -> None:
    result = execute("check", "pkg", "--output-format", "concise", cwd=checkout)
    assert result.returncode == 1
    assert result.stdout.count(b"\n") == 2


# --- configuration


def configure(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.torch-codemods]\n{text}\n")


def test_the_configuration_holds_and_the_command_line_wins(checkout: Path) -> None:
    configure(checkout, 'output-format = "concise"\nignore = ["zeros_to_empty"]')
    assert invoke("check", "pkg").stdout == ""
    shown = invoke("check", "pkg", "--ignore", "drop_fill").stdout
    assert shown.startswith("good.py:5:11: ")
    assert invoke("check", "pkg", "--ignore", "drop_fill", "--output-format", "text").stdout.startswith("good.py\n")


def test_exclude_of_the_configuration_counts_from_its_folder(checkout: Path) -> None:
    configure(checkout, 'exclude = ["/pkg/good.py"]')
    assert invoke("check", "pkg").exit_code == 0
    assert invoke("check", "pkg/good.py").exit_code == 1
    assert invoke("check", "pkg", "--exclude", "nothing").exit_code == 1


@pytest.mark.parametrize("text", ["selekt = []", 'select = ["nope"]', "output-format = 3", "select = ["])
def test_a_wrong_configuration_is_one_line(checkout: Path, text: str) -> None:
    configure(checkout, text)
    for command in ("check", "fix"):
        result = invoke(command, "pkg")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"torch-codemods: {checkout.resolve() / 'pyproject.toml'}: ")
        assert result.stderr.count("\n") == 1
    assert (checkout / "pkg/good.py").read_text() == PROVED
