"""The benchmarks run, on little; what they measure is in docs/benchmarks.md."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
PAGE = ROOT / "docs" / "benchmarks.md"


def output(*command: str | Path, **variables: str) -> str:
    environment = {**os.environ, **variables}
    command = (sys.executable, *command)
    result = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    source = "import torch\n\n\ndef f(n, x):\n    out = torch.zeros(n)\n    out.copy_(x)\n    return out\n"
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "one.py").write_text(source)
    return tmp_path / "small"


def test_peers_that_are_not_installed_are_left_out(tree: Path, tmp_path: Path) -> None:
    table = output("peers.py", tree, "--runs", "1", "--home", tmp_path / "none")
    assert "1 files, 7 lines" in table
    names = re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)
    assert names == ["tool", "---", "torch-codemods check", "libcst codemod, a rename", "libcst codemod, no change"]
    seconds = [float(cell) for cell in re.findall(r"^\|[^|]*\|[^|]*\| ([\d.]+) ", table, re.MULTILINE)]
    assert len(seconds) == 3 and all(one > 0 for one in seconds)
    assert "torch.zeros" in (tree / "one.py").read_text()  # a codemod that writes has worked on a copy


def test_scaling_draws_a_point_a_tree(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.svg"
    trees = (ROOT / "codemods" / "cover", ROOT / "codemods" / "prove")
    table = output("scaling.py", *trees, "--runs", "1", "--picture", picture)
    assert len(re.findall(r"^\| (?:cover|prove) \|", table, re.MULTILINE)) == 2
    assert "A cold check" in picture.read_text("utf-8")


@pytest.mark.torch
def test_rewrites_are_compared_and_timed() -> None:
    pytest.importorskip("torch")
    sizes = ("--sizes", "1024", "2048", "--rounds", "3", "--block", "0.0001")
    table = output("rewrites.py", "--device", "cpu", *sizes)
    ratios = re.findall(r"^\| (\w[\w ]*): [^|]+ \| \(?([\d.]+)\)? \| \(?([\d.]+)\)? \|$", table, re.MULTILINE)
    assert len(ratios) == 11 and all(float(first) > 0 and float(second) > 0 for _, first, second in ratios)
    every = {path.stem for path in (ROOT / "codemods").glob("*_*.py") if not path.name.startswith("__")}
    assert every - {codemod for codemod, *_ in ratios} == {"drop_store"}  # which needs a GPU


@pytest.mark.torch
def test_sides_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(FOLDER)
    import rewrites
    from snippets import Snippet

    wrong = Snippet("zeros_to_empty", "wrong", lambda n, _: (lambda: torch.zeros(n), lambda: torch.empty(n)))
    with pytest.raises(AssertionError, match="other values"):
        list(rewrites.measured(wrong, 64, "cpu", 3, 1e-5))


@pytest.mark.torch
def test_a_graph_is_captured_after_a_warm_up_on_another_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is needed to see the order of things: the device is told by a list."""
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(FOLDER)
    import rewrites

    log: list[str] = []

    @contextlib.contextmanager
    def inside(what: str) -> object:
        log.append(f"begin {what}")
        yield
        log.append(f"end {what}")

    def named(name: str) -> SimpleNamespace:
        return SimpleNamespace(wait_stream=lambda other: log.append(f"{name} waits for {other.name}"), name=name)

    def event(enable_timing: bool) -> SimpleNamespace:
        assert enable_timing
        return SimpleNamespace(
            record=lambda: log.append("event"), synchronize=lambda: None, elapsed_time=lambda _: 60.0
        )

    monkeypatch.setattr(torch.cuda, "Stream", lambda: named("side"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: named("main"))
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: inside(stream.name))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay=lambda: log.append("replay")))
    monkeypatch.setattr(torch.cuda, "graph", lambda _: inside("capture"))
    monkeypatch.setattr(torch.cuda, "Event", event)
    graph, _ = rewrites.captured(lambda: log.append("call") or torch.zeros(1))
    warm, inner = ["call"] * 3, ["call"] * rewrites.IN_A_GRAPH
    before = ["side waits for main", "begin side", *warm, "end side", "main waits for side"]
    assert log == [*before, "begin capture", *inner, "end capture", "replay"]
    log.clear()
    assert rewrites.replayed(graph)(3) == pytest.approx(0.06 / 3 / rewrites.IN_A_GRAPH)
    assert log == ["replay", "event", *["replay"] * 3, "event"]


@pytest.mark.torch
def test_the_kernel_computes_the_same_without_its_first_store() -> None:
    pytest.importorskip("triton")
    code = (
        "import torch; from kernels import scaled; a, b = scaled(3000, 'cpu'); print(torch.equal(a(), b()), a().sum())"
    )
    assert re.match(r"True tensor\(\d", output("-c", code, TRITON_INTERPRET="1"))


def test_a_section_of_the_page_is_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    from measure import publish

    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- end of x -->\nb\n")
    publish("x", "new\n", page)
    publish("x", "newer", page)
    assert page.read_text() == "a\n<!-- x -->\n\nnewer\n\n<!-- end of x -->\nb\n"
    with pytest.raises(ValueError, match="no section y"):
        publish("y", "new", page)


@pytest.mark.parametrize("section", ["peers", "scaling", "rewrites on cpu", "rewrites on cuda"])
def test_the_page_has_every_section(section: str) -> None:
    assert re.search(rf"<!-- {section} -->.+<!-- end of {section} -->", PAGE.read_text("utf-8"), re.DOTALL)
