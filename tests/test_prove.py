"""Provers by themselves, where a case for each line would be too many: what is 0, what pads, what is certain."""

from __future__ import annotations

import pytest

from codemods import Options, decide_file
from codemods.core.meta import DEFAULT
from codemods.core.verdict import Decision
from codemods.prove.same_pad import _exact, absorbs

KERNEL = """
import torch, triton
import triton.language as tl

@triton.jit
def k(x, keep, out, n: tl.constexpr, m: tl.constexpr, B: tl.constexpr):
    offset = tl.arange(0, B)
    old = tl.load(x + offset)
    seen = False
    total = FIRST
    for j in range(m):
        if tl.load(keep + j) > 0:
            total += 1
            seen = True
    tl.store(out + offset, total)
    if not seen:
        tl.store(out + offset, SECOND)
"""
ZERO = [
    "0",
    "0.0",
    "False",
    "tl.zeros([B], dtype=tl.float32)",
    "tl.zeros_like(old)",
    "tl.full([B], 0, tl.float32)",
    "tl.full([B], value=0.0, dtype=tl.float32)",
    "tl.full(shape=[B], value=0, dtype=tl.int32)",
    "tl.full(dtype=tl.int32, value=0, shape=[B])",
    "tl.cast(tl.zeros([B], tl.float32), tl.float16)",
    "tl.broadcast_to(tl.zeros([1], tl.float32), [B])",
    "tl.zeros([B], tl.float32).to(tl.float16)",
]
NOT_ZERO = [
    "1",
    "-0.0",
    "old",
    "old * 0",
    "tl.full([B], 1, tl.float32)",
    "tl.full(value=1, dtype=tl.float32, shape=0)",
    "tl.full([B], 1.0, 0)",
    "tl.cast(old, tl.float16)",
    "tl.cast(0.0, tl.float32, bitcast=True)",
    "tl.broadcast_to(old, [B])",
    "old.to(tl.float16)",
    "tl.zeros([B], tl.float32).to(tl.int32, bitcast=True)",
    "tl.exp(tl.zeros([B], tl.float32))",
]
SAME = [
    "tl.full((B,), -1.0, tl.float32)",
    "tl.full([B], -1.0, tl.float32).to(tl.float16)",
    "tl.full([B], -1.0, out.dtype.element_ty)",
    "tl.cast(-1.0, tl.float32)",
    "n",
]
COMPUTED = [
    "old",
    "n * 2",
    "(n * 2).to(tl.float32)",
    "tl.full([B], n * 2.0, tl.float32)",
    "tl.full([B], -(n * 2.0), tl.float32)",
    "tl.cast(n * 2.0, tl.float32)",
    "tl.exp(n)",
]


def stored(first: str, second: str) -> Decision:
    source = KERNEL.replace("FIRST", first).replace("SECOND", second)
    (decision,) = decide_file(source.encode(), "k.py", Options(select=("drop_store",))).decisions
    return decision


@pytest.mark.parametrize("value", ZERO)
def test_zero_is_stored_again(value: str) -> None:
    assert stored("tl.zeros([B], dtype=tl.float32)", value).verdict == "proved"
    assert stored(value, "tl.zeros([B], dtype=tl.float32)").verdict == "proved"


@pytest.mark.parametrize("value", NOT_ZERO)
def test_what_may_not_be_zero(value: str) -> None:
    found = stored("tl.zeros([B], dtype=tl.float32)", value)
    assert found.reason and found.reason.code == "another-value"


@pytest.mark.parametrize("value", SAME)
def test_a_constant_is_stored_again(value: str) -> None:
    assert stored(value, value).verdict == "proved"


@pytest.mark.parametrize("value", COMPUTED)
def test_what_is_computed_twice_may_differ(value: str) -> None:
    found = stored(value, value)
    assert found.reason and found.reason.code == "another-value"


@pytest.mark.parametrize(
    ("dtype", "other", "kept"),
    [
        ("torch.float32", "torch.float32", True),
        ("torch.float32", "torch.bool", True),
        ("torch.bool", "torch.bool", True),
        (None, "torch.bool", True),
        ("torch.float16", "torch.int64", True),
        (DEFAULT, DEFAULT, False),
        (None, None, False),
        ("torch.float32", "torch.float64", False),
        ("torch.float16", DEFAULT, False),
        ("torch.float32", None, False),
        ("torch.int32", "torch.int64", False),
        ("torch.int64", "torch.float32", False),
        ("torch.bool", "torch.int64", False),
    ],
)
def test_the_dtype_that_a_join_keeps(dtype: object, other: object, kept: bool) -> None:
    assert absorbs(dtype, other) == kept  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "dtype", "made", "exact"),
    [
        ("0", None, None, True),
        ("1.0", "x", None, True),
        ("2", "torch.uint8", "torch.int8", True),
        ("127", "torch.int8", "torch.uint8", True),
        ("128", "torch.int64", "torch.int64", False),
        ("128", "torch.float32", "torch.float32", True),
        ("128", "torch.float32", "torch.float64", False),
        ("2", None, "torch.int64", False),
        ("2", "torch.int64", None, False),
        ("-1", "torch.int8", "torch.float32", True),
        ("-128", "torch.int8", "torch.int8", True),
        ("-129", "torch.int16", "torch.int16", False),
        ("-1", "torch.uint8", "torch.int8", False),
        ("-1", "torch.int8", "torch.uint8", False),
        ("-0.5", "torch.int8", "torch.int8", False),
        ("0.5", "torch.int8", "torch.int8", False),
        ("0.5", "torch.float16", "torch.float16", True),
        ("0.5", "torch.float16", "torch.float32", False),
        ("65504", "torch.float16", "torch.float16", True),
        ("-65504.0", "torch.float16", "torch.float16", True),
        ("65504.5", "torch.float16", "torch.float16", False),
        ("-70000", "torch.float16", "torch.float16", False),
        ("70000", "torch.bfloat16", "torch.bfloat16", True),
        ("-0.0", "torch.float32", "torch.float32", False),
        ("9007199254740991", "torch.float64", "torch.float64", True),
        ("9007199254740992", "torch.float64", "torch.float64", False),
        ("1e17", "torch.float64", "torch.float64", False),
        ("inf", "torch.float32", "torch.float32", False),
        ("nan", "torch.float32", "torch.float32", False),
        ("1j", "torch.complex64", "torch.complex64", False),
        ("True", "torch.bool", "torch.bool", False),
        (None, "torch.float32", "torch.float32", False),
    ],
)
def test_a_value_that_a_pad_stores_as_it_is(value: str | None, dtype: object, made: object, exact: bool) -> None:
    assert _exact(value, dtype, made) == exact  # type: ignore[arg-type]


VERDICTS = {
    "refuted[gap] read": ("zeros_to_empty", "out = torch.zeros(4)\n    out[1:] = x\n    return out.sum()"),
    "refuted[gap] returned": ("zeros_to_empty", "out = torch.zeros(4)\n    out[1:] = x\n    return out"),
    "refuted[gap] one of two parts": (
        "zeros_to_empty",
        "out = torch.zeros(6)\n    out[2:4] = x\n    y = out[:1].sum()\n    out[:] = 1\n    return out, y",
    ),
    "refuted[returned]": ("zeros_to_empty", "return torch.zeros(4)"),
    "refuted[read-first]": ("zeros_to_empty", "out = torch.zeros(4)\n    y = out.sum()\n    out[:] = x\n    return y"),
    "unknown[read-first] somewhere": (
        "zeros_to_empty",
        "out = torch.zeros(4)\n    y = out[n:].sum()\n    out[:] = x\n    return y",
    ),
    "unknown[unseen-call]": ("zeros_to_empty", "out = torch.zeros(4)\n    g(out)"),
    "unknown[partly-written] returned": (
        "zeros_to_empty",
        "out = torch.zeros(4)\n    for i in range(n):\n        out[i] = 1\n    return out",
    ),
    "unknown[partly-written] read": (
        "zeros_to_empty",
        "out = torch.zeros(4)\n    for i in range(n):\n        out[i] = 1\n    return out.sum()",
    ),
    "refuted[touched]": ("drop_prealloc", "out = torch.empty(4)\n    if n:\n        out = x.clone()\n    return out"),
    "refuted[promotes]": ("cat_to_pad", "y = torch.arange(3)\n    return torch.cat([torch.zeros(1), y])"),
    "unknown[promotes] between floats": (
        "cat_to_pad",
        "y = x.double()\n    return torch.cat([torch.zeros(1, dtype=torch.float32), y])",
    ),
    "unknown[promotes] between integers": (
        "cat_to_pad",
        "y = torch.arange(3, dtype=torch.int32)\n    return torch.cat([torch.zeros(1, dtype=torch.int64), y])",
    ),
    "unknown[promotes]": ("cat_to_pad", "return torch.cat([torch.zeros(1), x])"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_what_is_certain(name: str) -> None:
    """What is refuted is wrong, and no fact could settle it; what is unknown says which one would."""
    codemod, body = VERDICTS[name]
    source = f"import torch\n\n\ndef f(x: torch.Tensor, n):\n    {body}\n"
    found = decide_file(source.encode(), "m.py", Options(select=(codemod,))).decisions[0]
    assert found.reason
    assert f"{found.verdict}[{found.reason.code}]" == name.split(" ")[0]
    assert bool(found.reason.needs) == (found.verdict == "unknown")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "out = torch.zeros(4)\n    out[1:] = x\n    return out",
            "element {0} is never written, and at line 7 it is returned",
        ),
        ("return torch.zeros(4)", "at line 5 it is returned as it was filled"),
        ("out = torch.zeros(4)\n    g(out)", "at line 6 it is passed to g(), which cannot be seen into"),
        (
            "out = torch.zeros(4)\n    out[1:] = x\n    g(out)",
            "element {0} is never written, and at line 7 it is passed to g(), which cannot be seen into",
        ),
    ],
)
def test_the_message_says_what_is_left_and_where(body: str, message: str) -> None:
    source = f"import torch\n\n\ndef f(x: torch.Tensor, n):\n    {body}\n"
    found = decide_file(source.encode(), "m.py", Options(select=("zeros_to_empty",))).decisions[0]
    assert found.reason
    assert found.reason.message == message


@pytest.mark.parametrize(
    ("body", "then"),
    [
        ("x[1:] = 1\n    return x + 1", "gap: element {0} is never written, and at line 8 it is read: an operand here"),
        ("y = x + 1\n    x[:] = 1\n    return y", "read-first: at line 7 it is read: an operand here"),
        ("if n:\n        x[:] = 1\n    return x.sum()", "read-first: at line 9 it is read by sum"),
        ("x[:] = 1\n    return x + 1", ""),  # nothing: that nobody else holds it is all that is missing
        ("return n", ""),
    ],
)
def test_a_refusal_for_what_others_may_hold_says_what_it_would_fail_for(body: str, then: str) -> None:
    source = f"import torch\n\n\ndef f(x: torch.Tensor, n):\n    x.zero_()\n    g()\n    {body}\n"
    found = decide_file(source.encode(), "m.py", Options(select=("drop_fill",))).decisions[0]
    assert found.reason
    assert found.reason.message == "at line 6 it is reachable when g() runs"
    told = found.reason.then
    assert (f"{told.code}: {told.message}" if told else "").startswith(then)
    assert bool(told) == bool(then)
    assert told is None or not told.certain


def test_a_refusal_for_what_it_fails_for_says_nothing_more() -> None:
    source = "import torch\n\n\ndef f(x: torch.Tensor):\n    x.zero_()\n    y = x + 1\n    g()\n    return y + x\n"
    found = decide_file(source.encode(), "m.py", Options(select=("drop_fill",))).decisions[0]
    assert found.reason
    assert (found.reason.code, found.reason.then) == ("read-first", None)
