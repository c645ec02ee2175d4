"""A proof about a launch that small numbers contradict: the site is refused, and an error says so, with a bundle."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
from commands import invoke

import codemods.cover.effect as lemmas
from codemods.core.access import Access
from codemods.core.poly import Poly
from codemods.cover.boxes import Shape
from codemods.cover.stores import Covered

SHORT = """\
import torch
import triton
import triton.language as tl

@triton.jit
def copy(x, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + at, tl.load(x + at, mask=at < n), mask=at < n - 1)

def f(x):
    n = x.numel()
    out = torch.zeros(n)
    copy[(triton.cdiv(n, 128),)](x, out, n, BLOCK=128)
    return out
"""


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/short.py").write_text(SHORT)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A lemma that says everything is stored."""

    def everything(stores: list[Access], shape: Shape, grid: tuple[Poly, ...]) -> Covered:
        part = tuple((extent - extent, extent) for extent in shape.extents)
        return Covered(part, tuple(stores), "", stores[0].line)

    monkeypatch.setattr(lemmas, "covered", everything)
    return lemmas


def test_the_lemmas_do_not_say_so() -> None:
    result = invoke("check", "pkg", "--output-format", "concise")
    assert result.exit_code == 0
    assert "internal" not in result.stderr + result.stdout


def test_a_lemma_that_lies_is_an_error_with_a_bundle(liar: ModuleType, checkout: Path) -> None:
    result = invoke("check", "pkg", "--output-format", "concise")
    assert result.exit_code == 2
    assert "zeros_to_empty unknown[" in result.stdout
    error, bundle, *_ = result.stderr.splitlines()
    assert error.startswith("error: short.py:6: internal error, please report it: the proof says that copy stores all")
    assert " is not reached with " in error
    (file,) = (checkout / "temporary").iterdir()
    assert bundle == f"what to send along: {file}"
    told = json.loads(file.read_text())
    assert told["tool"].startswith("torch-codemods ")
    assert "def copy(x, out, n, BLOCK: tl.constexpr)" in told["kernel"]
    assert told["launch"].startswith("copy[triton.cdiv(n, 128),](x, out, n, BLOCK=128)")
    assert told["proof"]["claim"] == "copy stores all of it"
    assert told["run"]["sizes"] and told["run"]["found"] in error


def test_the_same_error_is_the_same_file(liar: ModuleType, checkout: Path) -> None:
    for _ in range(2):
        assert invoke("check", "pkg").exit_code == 2
    assert len(list((checkout / "temporary").iterdir())) == 1


def test_nothing_is_rewritten(liar: ModuleType, checkout: Path) -> None:
    assert invoke("fix", "pkg").exit_code == 2
    assert (checkout / "pkg/short.py").read_text() == SHORT


def test_without_a_place_for_files_the_bundle_is_printed(liar: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    result = invoke("check", "pkg")
    assert result.exit_code == 2
    assert '"claim": "copy stores all of it"' in result.stderr
