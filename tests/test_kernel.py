"""Kernels as they are read: which functions are kernels, what they do, and what other codemods make of them."""

from __future__ import annotations

import ast

import pytest

from codemods import Options, decide_file, names, rewrite
from codemods.core.kernel import Assign, Branch, Load, Loop, Return, Store, Unseen, every
from codemods.core.verdict import Decision
from codemods.read import host
from codemods.read.discover import interesting
from codemods.read.kernel import kernels, read
from codemods.read.names import names_of

BODY = """def k(x, out, n, B: tl.constexpr):
    offset = tl.arange(0, B)
    value = tl.load(x + offset)
    tl.store(out + offset, 0.0)
    tl.store(out + offset, value)
"""
IMPORTS = "import triton\nimport triton.language as tl\n"


def decide(source: str) -> tuple[Decision, ...]:
    found = decide_file(source.encode(), "kernels.py", Options(select=("drop_store",)))
    assert not found.failed
    return found.decisions


@pytest.mark.parametrize(
    ("imports", "decorators"),
    [
        (IMPORTS, "@triton.jit"),
        (IMPORTS, "@triton.jit(do_not_specialize=['n'])"),
        (IMPORTS, "@triton.autotune(configs=[], key=['n'])\n@triton.heuristics({})\n@triton.jit"),
        ("from triton import jit as compiled, language as tl\n", "@compiled"),
        ("try:\n    import triton\n    import triton.language as tl\nexcept ImportError:\n    pass\n", "@triton.jit"),
    ],
)
def test_a_kernel_is_known_by_its_imports(imports: str, decorators: str) -> None:
    (decision,) = decide(f"{imports}{decorators}\n{BODY}")
    assert (decision.verdict, decision.function, decision.fix) == ("proved", "k", "")


@pytest.mark.parametrize(
    ("imports", "decorators"),
    [
        (IMPORTS, ""),
        (IMPORTS, "@other\n@triton.jit"),
        (IMPORTS, "@triton.jit\n@other"),
        (IMPORTS + "from numba import *\n", "@triton.jit"),
        (IMPORTS + "triton = other\n", "@triton.jit"),
        ("import numba as triton\nimport triton.language as tl\n", "@triton.jit"),
        ("import triton\nfrom shop import language as tl\n", "@triton.jit"),
    ],
)
def test_what_may_be_no_kernel_is_left_alone(imports: str, decorators: str) -> None:
    assert decide(f"{imports}{decorators}\n{BODY}") == ()


@pytest.mark.parametrize("patch", ["tl.store = other", "triton.language.store = other", "setattr(tl, name, other)"])
def test_a_language_that_the_file_changes_is_not_understood(patch: str) -> None:
    (decision,) = decide(f"{IMPORTS}{patch}\n@triton.jit\n{BODY}")
    assert decision.reason and decision.reason.code == "not-understood"


def test_a_module_that_hands_on_triton_is_an_assumption() -> None:
    source = f"from project.compat import tl, triton\n@triton.jit\n{BODY}"
    (decision,) = decide(source)
    assert (decision.verdict, decision.assumes) == ("assumed", ("reexport:project.compat",))
    options = {"select": ("drop_store",)}
    assert rewrite(source.encode(), "k.py", Options(**options))[0].decode() == source
    accepted = Options(**options, assume=("reexport:project.compat",))
    assert "0.0" not in rewrite(source.encode(), "k.py", accepted)[0].decode()


def test_a_kernel_in_a_function_is_left_alone() -> None:
    inner = "".join(f"    {line}\n" for line in f"@triton.jit\n{BODY}".splitlines())
    assert decide(f"{IMPORTS}def make(tl):\n{inner}    return k\n") == ()


def test_other_codemods_do_not_look_into_kernels() -> None:
    body = "def k(x, B: tl.constexpr):\n    out = torch.zeros(B)\n    out.zero_()\n" + 2 * "    tl.store(x, out)\n"
    source = f"import torch\n{IMPORTS}@triton.jit\n{body}"
    found = decide_file(source.encode(), "k.py", Options(select=tuple(set(names()) - {"drop_store"})))
    assert (found.failed, found.decisions) == ((), ())
    host_code = decide_file(source.replace("@triton.jit\n", "").encode(), "k.py")
    assert host_code.decisions


def test_a_file_is_read_where_a_kernel_may_store_twice() -> None:
    assert interesting(f"{IMPORTS}@triton.jit\n{BODY}".encode())
    assert not interesting(f"{IMPORTS}tl.store(p, v)\n".encode())
    assert not interesting(b"shop.store(p, v)\nshop.store(p, v)\n")


def test_a_function_without_two_stores_is_no_flow() -> None:
    source = f"{IMPORTS}@triton.jit\n{BODY}\n@triton.jit\ndef other(out):\n    tl.store(out, 1)\n"
    told = [flow.function for flow in host.flows(ast.parse(source), source.encode(), "k.py")]
    assert told == ["k"]


def test_what_is_read() -> None:
    source = f"""{IMPORTS}@triton.jit
def k(x, out, n, B: tl.constexpr):
    if n < 0:
        return
    for i in tl.range(0, n, B):
        a = i + tl.load(x)
        tl.store(out + i, a, mask=i < n)
    helper(out)
    tl.debug_barrier()
    with other():
        pass
"""
    tree = ast.parse(source)
    ((function, trusted),) = kernels(tree, names_of(tree, source.encode()))
    kernel = read(function, names_of(tree, source.encode()), trusted)
    kinds = [type(node) for node in every(kernel.body)]
    assert kinds == [Branch, Return, Loop, Assign, Load, Assign, Store, Unseen, Unseen, Unseen]
    assert [node.why for node in every(kernel.body) if isinstance(node, Unseen)] == ["call", "sync", "syntax"]
    assert trusted == ""


def test_a_long_kernel_comes_to_an_end() -> None:
    """A value that hangs on thousands of others is not looked into; the proof does without it."""
    steps = "".join(f"    value = value * {number} + offset\n" for number in range(1500))
    source = f"{IMPORTS}@triton.jit\n{BODY}".replace(
        "    tl.store(out + offset, 0.0)", f"{steps}    tl.store(out + offset, 0.0)"
    )
    assert [decision.verdict for decision in decide(source)] == ["proved"]
    moved = steps.replace("value", "offset")
    apart = source.replace("    tl.store(out + offset, value)", f"{moved}    tl.store(out + offset, value)")
    assert [decision.verdict for decision in decide(apart)] == ["unknown"]


def test_names_that_hang_on_each_other_come_to_an_end() -> None:
    names = [f"v{number}" for number in range(14)]
    given = "".join(f"    {name} = n\n" for name in names)
    turn = "".join(f"        {name} = {' + '.join(names)}\n" for name in names)
    source = f"{IMPORTS}@triton.jit\n{BODY}".replace(
        "    tl.store", f"{given}    for i in range(n):\n{turn}    tl.store", 1
    )
    source = source.replace("offset, ", "offset + v0, ").replace("x + offset + v0", "x + offset")
    assert [decision.verdict for decision in decide(source)] == ["proved"]


def test_equal_values_have_equal_numbers() -> None:
    source = f"""{IMPORTS}@triton.jit
def k(x, n, B: tl.constexpr):
    a = n * B + tl.arange(0, B)
    b = n * B + tl.arange(0, B)
    c = n + B * tl.arange(0, B)
    d = tl.load(x)
    e = tl.load(x)
    n += 1
    f = n * B + tl.arange(0, B)
"""
    tree = ast.parse(source)
    ((function, _),) = kernels(tree, names_of(tree, source.encode()))
    told = read(function, names_of(tree, source.encode()))
    value = {node.name: node.value for node in told.body if isinstance(node, Assign)}
    assert value["a"] == value["b"]
    assert len({value[name] for name in "acdef"}) == 5
