"""What `explain` tells of memory that is born empty in released packages: which launch stores all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import invoke
from corpora import fetch, load, needed

pytestmark = pytest.mark.corpus
SGLANG = "sglang-0.4.6.post5"
ELEMENTWISE = "srt/layers/elementwise.py"
FP8, INT8 = "srt/layers/quantization/fp8_kernel.py", "srt/layers/quantization/int8_kernel.py"
MERGE = "srt/layers/attention/triton_ops/merge_state.py"
QUANT = "_per_token_group_quant"
WHOLE = [  # file, function, the allocation as it stands there, who stores all of it
    (FP8, "per_token_group_quant_fp8", "x_q = torch.empty_like(", f"{QUANT}_fp8"),
    (FP8, "per_token_group_quant_fp8", "x_q = torch.empty_like(", f"{QUANT}_fp8_colmajor"),
    (FP8, "per_token_group_quant_fp8", "        x_s = torch.empty(\n            x.shape[:-1] +", f"{QUANT}_fp8"),
    (INT8, "per_token_group_quant_int8", "x_q = torch.empty_like(", f"{QUANT}_int8"),
    (INT8, "per_token_group_quant_int8", "x_s = torch.empty(", f"{QUANT}_int8"),
    (ELEMENTWISE, "fused_softcap", "output = torch.empty_like(", "fused_softcap_kernel"),
    (ELEMENTWISE, "fused_rmsnorm", "output = torch.empty_like(", "fused_rmsnorm_kernel"),
    (ELEMENTWISE, "fused_dual_residual_rmsnorm", "output, mid =", "fused_dual_residual_rmsnorm_kernel"),
    (ELEMENTWISE, "gelu_and_mul_triton", "out_hidden_states = torch.empty(", "gelu_and_mul_kernel"),
]
OPEN = [(ELEMENTWISE, "gelu_and_mul_triton", "out_scales = torch.empty(")]  # the kernel does not use it
OUTPUT, OUTPUT_LSE = "output = torch.empty_like(", "output_lse = torch.empty_like("
FIRST = [  # and where it is told how much of it: of tensors with 4 dimensions it would not be all
    (OUTPUT, "output.shape[0]*output.shape[1]*output.shape[2] of its output.numel()"),
    (OUTPUT_LSE, "output.shape[0]*output.shape[1] of its output_lse.numel()"),
]
SIZES = """\
    num_tokens = output.shape[0]
    num_query_heads = output.shape[1]
    head_size = output.shape[2]
"""


@pytest.fixture(scope="module")
def root() -> Path:
    (corpus,) = [corpus for corpus in load() if str(corpus) == SGLANG]
    with needed():
        return fetch(corpus)


def told(file: Path, function: str, allocation: str) -> str:
    """What `explain` prints for the line on which the text stands, behind the `def` of the function."""
    text = file.read_text("utf-8")
    at = text.index(allocation, text.index(f"\ndef {function}("))
    line = text.count("\n", 0, at + len(allocation) - len(allocation.lstrip())) + 1
    result = invoke("explain", f"{file}:{line}")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("the life of ")
    return result.stdout


@pytest.mark.parametrize(("file", "function", "allocation", "kernel"), WHOLE)
def test_a_launch_that_stores_all_of_a_new_buffer(
    root: Path, file: str, function: str, allocation: str, kernel: str
) -> None:
    assert f"write: {kernel}() stores all of it ({Path(file).name}:" in told(root / file, function, allocation)


@pytest.mark.parametrize(("file", "function", "allocation"), OPEN)
def test_a_launch_that_is_not_known_to(root: Path, file: str, function: str, allocation: str) -> None:
    assert "() stores all of it" not in told(root / file, function, allocation)


def test_a_tuned_block_may_be_narrower_than_a_row(root: Path) -> None:
    """Of its two launches the tuned one has blocks of a fixed width, and one block a row."""
    life = told(root / ELEMENTWISE, "fused_dual_residual_rmsnorm", "output, mid =")
    assert life.count("write: fused_dual_residual_rmsnorm_kernel() stores all of it") == 2  # output and mid
    assert life.count("fused_dual_residual_rmsnorm_kernel is not known to store all of it: the mask") >= 2


@pytest.mark.parametrize(("allocation", "stored"), FIRST)
def test_a_launch_that_stores_the_first_elements(root: Path, allocation: str, stored: str) -> None:
    life = told(root / MERGE, "merge_state_triton", allocation)
    assert f"merge_state_kernel stores the first {stored} elements, and nothing says that these are all" in life


@pytest.mark.parametrize(
    ("allocation", "sizes", "stored"),
    [
        (OUTPUT, "num_tokens, num_query_heads, head_size = prefix_output.shape", True),
        (OUTPUT, "num_tokens, num_query_heads, head_size, _ = prefix_output.shape", False),
        (OUTPUT, "num_tokens, num_query_heads, head_size = output.shape", True),
        (OUTPUT, f"assert output.ndim == 3\n{SIZES}", True),
        (OUTPUT, f"assert output.dim() == 4\n{SIZES}", False),
        (OUTPUT_LSE, f"assert output.ndim == 3\n{SIZES}", False),
        (OUTPUT_LSE, f"{SIZES}    assert output_lse.shape == (num_tokens, num_query_heads)", True),
        (OUTPUT_LSE, f"{SIZES}    assert output_lse.numel() == num_tokens * num_query_heads", True),
        (OUTPUT_LSE, f"{SIZES}    assert output_lse.shape == (num_tokens, head_size)", False),
    ],
)
def test_what_merge_state_lacks_is_a_word_on_the_shape(
    root: Path, tmp_path: Path, allocation: str, sizes: str, stored: bool
) -> None:
    text = (root / MERGE).read_text("utf-8")
    assert SIZES in text
    file = tmp_path / "merge_state.py"
    file.write_text(text.replace(SIZES, f"    {sizes.lstrip()}\n"), "utf-8")
    life = told(file, "merge_state_triton", allocation)
    assert ("write: merge_state_kernel() stores all of it" in life) is stored
