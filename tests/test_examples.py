"""The examples: what `fix` makes of them, that the patch goes in and out again, and that the code still computes the
same where unfilled memory is poisoned."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import execute, git

EXAMPLES = Path(__file__).parents[1] / "examples"
PATCH = "model_patch.diff"
NAMES = ("fused_moe", "mla_attention")

POISONED = """
import json, torch
torch.use_deterministic_algorithms(True)
torch.utils.deterministic.fill_uninitialized_memory = True
torch.manual_seed(0)
told = {}
def tell(name, *tensors):
    told[name] = repr([tensor.tolist() for tensor in tensors])
"""
MOE = """
from moe import dispatch, experts, router
hidden, logits = torch.rand(5, 4), torch.rand(5, 3)
weights, ids = router.route(hidden, logits, 2)
packed = [experts.pack(torch.rand(6, 4), torch.rand(6, 4)) for _ in range(3)]
down = [torch.rand(4, 6) for _ in range(3)]
tell("route", weights, ids)
tell("with_shared_expert", *router.with_shared_expert(weights, ids, 3))
tell("expert_map", dispatch.expert_map([4, 5, 6]), dispatch.expert_map([]))
tell("segments", dispatch.segments(ids, 3))
tell("permute", dispatch.permute(hidden, ids))
tell("pack", *packed)
tell("expert", experts.expert(hidden, packed[0], down[0]))
tell("combine", experts.combine([hidden[:2], hidden[2:4]], [torch.tensor([0, 1]), torch.tensor([1, 2])], hidden))
tell("fused_experts", experts.fused_experts(hidden, logits, packed, down, 2))
"""
MLA = """
from mla import backend, chunked, graphs, metadata, rotary
made = metadata.Builder().build(torch.tensor([2, 3]), [5, 6], [[7], [8, 9]])
turn = rotary.RotaryCache(4, 16)
latent, rope = torch.rand(6, 3), torch.rand(6, 4)
ours = backend.Backend(turn, rank=3, chunk=4)
query = ours.query(torch.rand(5, 3), torch.rand(5, 4), torch.arange(5))
buffers = graphs.GraphBuffers(4, 2, 3)
buffers.load(made.seq_lens, made.block_table)
tell("query_start", made.query_start)
tell("seq_lens", made.seq_lens)
tell("block_table", made.block_table)
tell("rotary", turn.cache, turn(rope, torch.arange(6)))
tell("gather", chunked.gather(latent, rope))
tell("attend", *chunked.attend(query, chunked.gather(latent, rope), latent, 4))
tell("graphs", buffers.seq_lens, buffers.block_table, buffers.out)
tell("query", query)
for decode in (0, 2, 5):
    tell(f"forward {decode}", ours.forward(query, latent, rope, decode))
"""
PROGRAMS = {"fused_moe": MOE, "mla_attention": MLA}


@dataclass(frozen=True)
class Naive:
    """A rewrite that the tool refuses: what `function` shows must change."""

    file: str
    before: str
    after: str
    function: str


NAIVE = {
    "fused_moe": (
        Naive("moe/dispatch.py", "torch.zeros(experts + 1", "torch.empty(experts + 1", "segments"),
        Naive("moe/experts.py", "torch.zeros_like(like)", "torch.empty_like(like)", "combine"),
    ),
    "mla_attention": (
        Naive("mla/metadata.py", "torch.zeros(len(blocks)", "torch.empty(len(blocks)", "block_table"),
        Naive(
            "mla/chunked.py", 'torch.full((query.shape[0],), float("-inf"))', "torch.empty(query.shape[0])", "attend"
        ),
        Naive("mla/graphs.py", "torch.ones(max_batch", "torch.empty(max_batch", "graphs"),
    ),
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def checkout(name: str, tmp_path: Path) -> Path:
    """The example as a repository of its own, without the expected patch."""
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(PATCH, "__pycache__"))
    assert git("init", "--quiet", cwd=folder).returncode == 0
    return folder


def sources(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}


def apply(folder: Path, *options: str) -> None:
    result = git("apply", *options, str(EXAMPLES / folder.name / PATCH), cwd=folder)
    assert result.returncode == 0, result.stderr.decode()


def test_fix_writes_the_expected_patch(name: str, checkout: Path) -> None:
    result = execute("fix", cwd=checkout)
    assert result.returncode == 0, result.stderr.decode()
    assert (checkout / PATCH).read_bytes() == (EXAMPLES / name / PATCH).read_bytes()


def test_the_patch_does_what_fix_does_and_can_be_taken_back(checkout: Path) -> None:
    before = sources(checkout)
    apply(checkout)
    patched = sources(checkout)
    assert patched != before
    apply(checkout, "-R")
    assert sources(checkout) == before
    assert execute("fix", cwd=checkout).returncode == 0
    assert sources(checkout) == patched


def test_a_second_run_changes_nothing(checkout: Path) -> None:
    assert execute("fix", cwd=checkout).returncode == 0
    patched, patch = sources(checkout), (checkout / PATCH).read_bytes()
    result = execute("fix", "--all", cwd=checkout)
    assert result.returncode == 0
    assert b"nothing to rewrite" in result.stderr
    assert sources(checkout) == patched
    assert (checkout / PATCH).read_bytes() == patch


def test_the_dry_run_writes_nothing(checkout: Path) -> None:
    before = sources(checkout)
    result = execute("fix", "--diff", cwd=checkout)
    assert result.returncode == 1
    assert b"+++ b/" in result.stdout
    assert sources(checkout) == before
    assert not (checkout / PATCH).exists()


@pytest.mark.torch
def test_the_code_computes_the_same(name: str, checkout: Path) -> None:
    before = run(checkout)
    apply(checkout)
    assert run(checkout) == before


@pytest.mark.torch
def test_what_is_refused_would_be_wrong(name: str, checkout: Path) -> None:
    before = run(checkout)
    for naive in NAIVE[name]:
        file = checkout / naive.file
        text = file.read_text("utf-8")
        assert naive.before in text
        file.write_text(text.replace(naive.before, naive.after), "utf-8")
    after = run(checkout)
    assert [naive.function for naive in NAIVE[name] if after[naive.function] == before[naive.function]] == []


def run(folder: Path) -> dict[str, str]:
    """What the functions of an example return where unfilled memory holds NaN or the largest integer."""
    pytest.importorskip("torch")
    program = POISONED + PROGRAMS[folder.name] + "print(json.dumps(told))\n"
    result = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr.decode()
    told: dict[str, Any] = json.loads(result.stdout)
    return told
