"""What hoist_buffer assumes, and that it is applied only where that is accepted."""

from __future__ import annotations

import pytest

from codemods import Options, decide_file, rewrite

BODY = """\
    n, d = xs.shape
    for i in range(n):
        row = torch.empty(d, dtype=torch.int64)
        row.copy_(xs[i])
        out[i] = row.sum()
"""
HEAD = "def f(xs: torch.Tensor, out: torch.Tensor):\n"
OUT = BODY.replace("row.copy_(xs[i])", "torch.add(xs[i], 1, out=row)")


def options(*accepted: str) -> Options:
    return Options(select=("hoist_buffer",), assume=accepted)


@pytest.mark.parametrize(
    ("text", "assumed"),
    [
        pytest.param(HEAD + BODY, ("no-autograd",), id="integers are kept for a backward pass too"),
        pytest.param("@torch.no_grad()\n" + HEAD + BODY, (), id="decorated"),
        pytest.param(
            "@torch.inference_mode(False)\n" + HEAD + BODY, ("no-autograd",), id="decorated with the opposite"
        ),
        pytest.param("@torch.no_grad()\n@other\n" + HEAD + BODY, ("no-autograd",), id="another decorator in between"),
        pytest.param(
            "@torch.no_grad()\n" + HEAD + "    torch.set_grad_enabled(True)\n" + BODY, ("no-autograd",), id="set on"
        ),
        pytest.param("@torch.no_grad()\n" + HEAD + OUT, ("no-resize",), id="out="),
        pytest.param(HEAD + OUT, ("no-autograd", "no-resize"), id="both"),
    ],
)
def test_assumptions_are_named_and_must_be_accepted(text: str, assumed: tuple[str, ...]) -> None:
    source = f"import torch\n{text}".encode()
    (decision,) = decide_file(source, "m.py", options()).decisions
    assert decision.verdict == ("assumed" if assumed else "proved")
    assert decision.assumes == assumed
    assert (rewrite(source, "m.py", options())[0] == source) == bool(assumed)
    assert b"    row = torch.empty(d, dtype=torch.int64)\n    for" in rewrite(source, "m.py", options(*assumed))[0]


@pytest.mark.parametrize("inner", ["torch.enable_grad()", "torch.set_grad_enabled(True)", "other()"])
def test_an_inner_context_may_switch_gradients_on(inner: str) -> None:
    body = "".join(f"        {line}\n" for line in BODY.splitlines())
    source = f"import torch\n{HEAD}    with torch.no_grad():\n      with {inner}:\n{body}".encode()
    (decision,) = decide_file(source, "m.py", options()).decisions
    assert decision.reason is not None or decision.assumes == ("no-autograd",)


def test_as_many_as_there_are_move_out_of_two_loops() -> None:
    rows = "".join(f"            r{k} = torch.zeros(d)\n            out[i] += r{k}.sum()\n" for k in range(12))
    loops = "    n, d = xs.shape\n    for i in range(n):\n        for j in range(d):\n"
    source = f"import torch\n@torch.no_grad()\n{HEAD}{loops}{rows}"
    text = rewrite(source.encode(), "m.py", options())[0].decode()
    assert text.index("r11 = torch.empty(d)") < text.index("for i")
    assert text.count("zero_()") == 12
    assert rewrite(text.encode(), "m.py", options())[0].decode() == text
