"""Programs that compute the same again and again: what is known about a value must not grow without end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import execute

LINES = ["n = n * n + n", "n = n // (n + 1)", "n = n % (n + 3)", "a = a ** a", "a = (a, a)", "t = t.narrow(0, n, n)"]
UNBOUND = [  # in front of the loop
    "b = b ** b[:1]",
    "b = (b, b)",
    "b = b + (b,) + b",
    "b = b[b:b]",
    "m = m * m + m",
    "m = m // (m + 1)",
    "u = u[k:, u]",
]

KERNEL = """\
import triton
import triton.language as tl


@triton.jit
def ones(out, n):
    at = tl.program_id(0) * 4 + tl.arange(0, 4)
    a = n
"""


@pytest.mark.parametrize("lines", [*(60 * [line] for line in LINES), 20 * LINES], ids=[*LINES, "all"])
def test_line_after_line(tmp_path: Path, lines: list[str]) -> None:
    assert verdicts(tmp_path, "\n    ".join(lines)) == ["proved"]


@pytest.mark.parametrize("line", UNBOUND)
def test_turn_after_turn(tmp_path: Path, line: str) -> None:
    assert verdicts(tmp_path, f"for k in range(n):\n        {line}") == ["proved"]


@pytest.mark.parametrize("line", ["at = at // (at + 1)", "at = at % (at + 3)", "n = n * n + n", "a = (a, a)"])
def test_line_after_line_of_a_kernel(tmp_path: Path, line: str) -> None:
    lines = "\n    ".join(60 * [line])
    kernel = f"{KERNEL}    {lines}\n    tl.store(out + tl.arange(0, 4), 1.0)\n"
    assert verdicts(tmp_path, "ones[(1,)](out, n)", kernel) == ["proved"]


def verdicts(folder: Path, body: str, kernel: str = "") -> list[str]:
    """Of an allocation in front of it, in a process that has a minute."""
    head = f"import torch\n{kernel}\n\ndef f(a, t: torch.Tensor, n: int):\n"
    lines = ["out = torch.zeros(4)", "out.fill_(1)", body, "return out, a"]
    (folder / "again.py").write_text(head + "".join(f"    {line}\n" for line in lines))
    done = execute("check", "again.py", "--select", "zeros_to_empty", "--output-format", "json", cwd=folder)
    return [site["verdict"] for site in json.loads(done.stdout)["sites"]]
