"""Calls of compiled operators, from the source to the decision: what a contract settles, and what it must not."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from commands import execute

from codemods import Options, decide_file, rewrite
from codemods.core.verdict import Decision

HEAD = "import torch\n"
OWN = """
[tool.torch-codemods]
assume = ["contract:mine"]

[[tool.torch-codemods.contracts.mine]]
names = ["mine.scale"]
schema = "scale(Tensor! out, Tensor x) -> ()"
arguments.out = { reads = "nothing", writes = "all", layout = "contiguous" }
source = "csrc/scale.cu:3"
"""


def decide(text: str, path: Path | None = None) -> Decision:
    """What is decided about the first site of a text."""
    source = (HEAD + textwrap.dedent(text)).encode()
    if path is not None:
        path.write_bytes(source)
    found = decide_file(source, "m.py", path=path)
    assert not found.failed
    return next(d for d in found.decisions if d.codemod in ("zeros_to_empty", "drop_fill"))


ASSUMED = {
    "positional": """
        def f(x, d: int):
            out = torch.zeros(x.shape[0], d)
            torch.ops._C.silu_and_mul(out, x)
            return out
        """,
    "keyword and overload": """
        def f(x, d: int):
            out = torch.zeros(x.shape[0], d)
            torch.ops._moe_C.moe_sum.default(x, output=out)
            return out
        """,
    "import under another name": """
        from vllm import _custom_ops as ops
        def f(x, d: int):
            out = torch.zeros(x.shape[0], d)
            ops.moe_sum(x, out)
            return out
        """,
    "rows of a buffer": """
        def f(x, d: int, n: int):
            out = torch.zeros(n, d)
            torch.ops._C.silu_and_mul(out[:4], x)
            torch.ops._C.silu_and_mul(out[4:], x)
            return out
        """,
    "memory of the caller": """
        def f(x: torch.Tensor, out: torch.Tensor):
            out.zero_()
            torch.ops._C.silu_and_mul(out, x)
        """,
    "that it was not kept before": """
        def f(n: int, x, unknown):
            out = torch.empty(n)
            torch.ops._C.silu_and_mul(out, x)
            out.zero_()
            unknown()
            out.copy_(x)
            return out
        """,
    "that it is not reached meanwhile": """
        class C:
            def f(self, n: int):
                self.held = torch.empty(n)
                held = self.held
                x, out = torch.rand(2, n), torch.empty(n)
                held.zero_()
                torch.ops._C.silu_and_mul(out, x)
                held.copy_(out)
        """,
    "through a function": """
        def act(kind: str, out: torch.Tensor, x: torch.Tensor):
            if kind == "silu":
                torch.ops._C.silu_and_mul(out, x)
            elif kind == "gelu":
                torch.ops._C.gelu_and_mul(out, x)
            else:
                raise ValueError(f"no such activation: {kind}")
        def f(kind: str, x: torch.Tensor, out: torch.Tensor):
            out.zero_()
            act(kind, out, x)
        """,
}


@pytest.mark.parametrize("text", ASSUMED.values(), ids=ASSUMED)
def test_what_rests_on_a_contract_is_assumed(text: str) -> None:
    """Also that the operator kept nothing, and reached nothing else."""
    decision = decide(text)
    assert (decision.verdict, decision.assumes) == ("assumed", ("contract:vllm",))


def test_it_is_applied_only_where_the_name_is_accepted() -> None:
    source = (HEAD + textwrap.dedent(ASSUMED["positional"])).encode()
    assert rewrite(source, "m.py", Options(select=("zeros_to_empty",)))[0] == source
    accepted = Options(select=("zeros_to_empty",), assume=("contract:vllm",))
    assert b"torch.empty(x.shape[0], d)" in rewrite(source, "m.py", accepted)[0]


REFUSED = {
    "a view with gaps": (
        """
        def f(x, n: int, d: int):
            out = torch.zeros(n, 2 * d)
            torch.ops._C.silu_and_mul(out[:, :d], x)
            out[:, d:] = 1
            return out
        """,
        "partly-written",
    ),
    "a transposed view": (
        """
        def f(x, n: int, d: int):
            out = torch.zeros(n, d)
            torch.ops._C.silu_and_mul(out.t(), x)
            return out
        """,
        "partly-written",
    ),
    "a view with gaps, through a function": (
        """
        def act(out: torch.Tensor, x: torch.Tensor):
            torch.ops._C.silu_and_mul(out, x)
        def f(x, n: int, d: int):
            out = torch.zeros(n, 2 * d)
            act(out[:, :d], x)
            out[:, d:] = 1
            return out
        """,
        "partly-written",
    ),
    "two outputs in one buffer": (
        """
        def f(x, w):
            ids = torch.zeros(8, 2)
            torch.ops._moe_C.topk_softmax(w, ids, ids, x)
            return ids
        """,
        "unseen-call",
    ),
    "an output that is an input": (
        """
        def f(w):
            x = torch.zeros(8, 2)
            torch.ops._C.silu_and_mul(x, x)
            return x
        """,
        "unseen-call",
    ),
    "a maximum with the old value": (
        """
        def f(x, out):
            scale = torch.zeros(1)
            torch.ops._C.dynamic_scaled_fp8_quant(out, x, scale)
            return scale
        """,
        "read-first",
    ),
    "rows by a table": (
        """
        def f(cache, table, lens, n: int):
            out = torch.zeros(n, 4)
            torch.ops._C_cache_ops.gather_cache(cache, out, table, lens, n, None)
            return out
        """,
        "partly-written",
    ),
    "starred arguments": (
        """
        def f(x, d: int):
            out = torch.zeros(x.shape[0], d)
            torch.ops._C.silu_and_mul(*[out, x])
            return out
        """,
        "unseen-call",
    ),
    "an argument too many": (
        """
        def f(x, d: int):
            out = torch.zeros(x.shape[0], d)
            torch.ops._C.silu_and_mul(out, x, 3)
            return out
        """,
        "unseen-call",
    ),
    "an argument for which the row says nothing": (
        """
        import torch.distributed
        def f(x, d: int):
            out = torch.zeros(x.shape[0], d)
            torch.distributed.all_gather_into_tensor(out, x, async_op=True)
            return out
        """,
        "unseen-call",
    ),
    "the callee reads it first": (
        """
        def act(out: torch.Tensor, x: torch.Tensor):
            x.add_(out.sum())
            torch.ops._C.silu_and_mul(out, x)
        def f(x, n: int):
            out = torch.zeros(n)
            act(out, x)
            return out
        """,
        "read-first",
    ),
    "the callee reads another argument, which may be the same memory": (
        """
        def act(out: torch.Tensor, x: torch.Tensor):
            total = x.sum()
            torch.ops._C.silu_and_mul(out, x)
            return total
        def f(x: torch.Tensor, out: torch.Tensor):
            out.zero_()
            return act(out, x)
        """,
        "read-first",
    ),
    "the callee reads a global, which may be the same memory": (
        """
        CACHE = torch.arange(4)
        def act(out: torch.Tensor, x: torch.Tensor):
            total = CACHE.sum()
            torch.ops._C.silu_and_mul(out, x)
            return total
        def f(x: torch.Tensor, out: torch.Tensor):
            out.zero_()
            return act(out, x)
        """,
        "unseen-call",
    ),
    "a copy from memory that may be the same": (
        """
        def put(out: torch.Tensor, x: torch.Tensor):
            out.copy_(x)
        def f(x: torch.Tensor, out: torch.Tensor):
            out.zero_()
            put(out, x)
        """,
        "read-first",
    ),
    "on one branch only": (
        """
        def act(kind: str, out: torch.Tensor, x: torch.Tensor):
            if kind == "silu":
                torch.ops._C.silu_and_mul(out, x)
        def f(kind: str, x: torch.Tensor, n: int):
            out = torch.zeros(n)
            act(kind, out, x)
            return out
        """,
        "partly-written",
    ),
    "another operator of that name": (
        """
        def f(x, n: int):
            out = torch.zeros(n)
            torch.ops.mine.silu_and_mul(out, x)
            return out
        """,
        "unseen-call",
    ),
}


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_what_a_contract_does_not_settle(text: str, code: str) -> None:
    decision = decide(text)
    assert decision.reason is not None
    assert decision.reason.code == code, decision.reason


def test_two_outputs_are_named() -> None:
    decision = decide(REFUSED["two outputs in one buffer"][0])
    assert decision.reason is not None
    assert "what two arguments in one memory do is not known" in decision.reason.message


def test_every_override_counts(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    file = tmp_path / "m.py"
    classes = """
        class Base:
            def act(self, out: torch.Tensor, x: torch.Tensor):
                torch.ops._C.silu_and_mul(out, x)
            def f(self, x: torch.Tensor, out: torch.Tensor):
                out.zero_()
                self.act(out, x)
        class Other(Base):
            def act(self, out: torch.Tensor, x: torch.Tensor):
                {}
        """
    both = decide(classes.format("torch.ops._C.gelu_and_mul(out, x)"), file)
    assert (both.verdict, both.assumes) == ("assumed", ("closed-world", "contract:vllm"))
    one = decide(classes.format("out[0].zero_()"), file)
    assert one.verdict == "unknown"


def test_a_schema_of_the_checkout_tells_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "ops.cpp").write_text(
        'TORCH_LIBRARY(mine, m) {\n  m.def("scale(Tensor! out, Tensor x) -> ()");\n}\n', encoding="utf-8"
    )
    text = """
        def f(y, n: int):
            x = torch.zeros(n)
            torch.ops.mine.scale(y, x)
            x.copy_(y)
            return x
        """
    seen = decide(text, tmp_path / "m.py")
    assert seen.reason is not None
    assert (seen.reason.code, seen.reason.certain) == ("read-first", True)
    unseen = decide(text)
    assert unseen.reason is not None
    assert unseen.reason.code == "unseen-call"


def test_rows_of_a_project_are_used_and_accepted(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(OWN)
    text = "import mine, torch\ndef f(x, n: int):\n    out = torch.zeros(n)\n    mine.scale(out, x)\n    return out\n"
    (tmp_path / "m.py").write_text(text)
    result = execute("check", "--output-format", "concise", "m.py", cwd=tmp_path)
    assert result.returncode == 1
    assert b"m.py:3:11: zeros_to_empty assumed[contract:mine]" in result.stdout
    assert execute("fix", "m.py", cwd=tmp_path).returncode == 0
    assert "torch.empty(n)" in (tmp_path / "m.py").read_text()


def test_a_wrong_row_of_a_project_is_one_line_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(OWN.replace('writes = "all"', 'writes = "most"'))
    (tmp_path / "m.py").write_text("import torch\n")
    result = execute("check", "m.py", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, b"")
    where = f"torch-codemods: {(tmp_path / 'pyproject.toml').resolve()}:8: [[tool.torch-codemods.contracts.mine]] 1: "
    assert result.stderr.decode().startswith(where)
    assert result.stderr.count(b"\n") == 1


PATCHES = [
    "torch.ops._C.silu_and_mul = print",
    "setattr(torch.ops._C, 'silu_and_mul', print)",
    "setattr(torch.ops._C, 'silu_' + 'and_mul', print)",
]


@pytest.mark.parametrize("line", PATCHES)
def test_an_operator_that_the_file_exchanges_has_no_contract(line: str) -> None:
    decision = decide(f"""
        {line}
        def f(x, d: int):
            out = torch.zeros(x.shape[0], d)
            torch.ops._C.silu_and_mul(out, x)
            return out
        """)
    assert decision.verdict in ("unknown", "refuted")
