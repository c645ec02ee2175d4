"""Small kernels as they are judged: the last site of each, its reason, and where."""

from __future__ import annotations

import re

from codemods import Options, decide_file

HEAD = """
import torch, triton
import triton.language as tl

@triton.jit
def k(x, keep, out, other, n: tl.constexpr, m: tl.constexpr, B: tl.constexpr):
    offset = tl.arange(0, B)
"""


def told(body: str) -> str:
    """The verdict, and the lines of the witness, counted from the first."""
    source = HEAD + "".join(f"    {line}\n" for line in body.strip().splitlines())
    found = decide_file(source.encode(), "k.py", Options(select=("drop_store",))).decisions[-1]
    if found.reason is None:
        return found.verdict
    lines = " ".join(str(step.span.line - HEAD.count("\n")) for step in found.reason.witness)
    return f"{found.verdict}[{found.reason.code}] {lines}".strip()


def programs(page: str) -> list[tuple[str, str, str]]:
    """Each with its title and what is expected: `# title: verdict[code] lines`, and then the program."""
    found = re.findall(r"^# (.+): (.+)\n((?:(?!# ).*\n)+)", page, re.M)
    assert len(found) == page.count("\n# ")
    return found
