"""What tests and asserts in front of a launch say about its numbers."""

from __future__ import annotations

import pytest

from codemods import decide_file
from codemods.core.verdict import Decision

SOURCE = """
import torch, triton
import triton.language as tl

@triton.jit
def quantise(x_ptr, out_ptr, group, B: tl.constexpr):
    g = tl.program_id(0)
    lanes = tl.arange(0, B)
    x = tl.load(x_ptr + g * group + lanes, mask=lanes < group, other=0.0)
    tl.store(out_ptr + g * group + lanes, x / 2, mask=lanes < group)

def f(x: torch.Tensor, group: int):
    m, n = x.shape
    CHECK
    out = torch.zeros((m, n), device=x.device)
    quantise[(m * n // group,)](x, out, group, B=triton.next_power_of_2(group))
    return out
"""


def decided(*lines: str) -> Decision:
    source = SOURCE.replace("CHECK", "\n    ".join(lines))
    (decision,) = [d for d in decide_file(source.encode(), "a.py").decisions if d.codemod == "zeros_to_empty"]
    return decision


@pytest.mark.parametrize(
    "lines",
    [
        ("assert group > 0", "assert n % group == 0"),
        ("assert n % group == 0", "assert group >= 1"),
        ("assert group > 0", "if n % group: raise ValueError(n)"),
        ("assert group > 0", "if n % group != 0: raise ValueError(n)"),
        ("if group <= 0 or n % group: return x",),
        ("assert group > 0 and not n % group",),
    ],
)
def test_a_multiple_of_a_positive_number_is_covered(lines: tuple[str, ...]) -> None:
    assert decided(*lines).verdict == "proved"


@pytest.mark.parametrize(
    "lines",
    [
        ("assert group > 0",),
        ("assert group > 0", "if n % group == 0: raise ValueError"),
        ("assert group > 0", "if not n % group: raise ValueError"),
        ("assert group > 0", "if n % group: print(n)"),
        ("assert group > 0", "assert group % n == 0"),
        ("assert group > 0", "assert n % group == 1"),
        ("assert group > 0", "assert n % group"),
        ("assert group > 0", "assert n % group == 0", "group = group + 1"),
        ("assert group > 0", "assert n % group == 0", "n += 1", "m += 1"),
        ("assert group > 0", "assert (n + 1) % group == 0"),
        ("assert group > 0", "assert n % (n // 2) == 0"),
        ("assert group > 0", "if m: assert n % group == 0"),
    ],
)
def test_any_other_number_is_not(lines: tuple[str, ...]) -> None:
    assert decided(*lines).verdict in ("unknown", "refuted")
