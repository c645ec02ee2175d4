"""The parts that a proof on a launch is made of: bounds, the second look, and what must never be taken for known."""

from __future__ import annotations

import ast
import random
import textwrap

import pytest
from kernel_pages import HEADER, analysed, read

from codemods.core.access import Access
from codemods.core.condition import TRUE, AtLeast, Blind, Flag, at_least, both, either, negated, pick
from codemods.core.launch import Launch, Number, Tensor, Unknown
from codemods.core.poly import (
    ONE,
    ZERO,
    Atom,
    Poly,
    cdiv,
    coefficient,
    div,
    least,
    mod,
    most,
    named,
    poly,
    pow2,
    quotient,
    replace,
)
from codemods.core.size import Atom as SizeAtom
from codemods.core.size import variable
from codemods.cover.bounds import Facts
from codemods.cover.boxes import Shape
from codemods.cover.refute import Doubt, Point, missed
from codemods.read.launch import outcome
from codemods.read.modules import KernelSource, kernel, module_of
from codemods.read.names import names_of

NAMES = ("a", "b", "c", "n")


def some(chance: random.Random, depth: int = 2) -> Poly:
    """A polynomial with divisions and the like; divisors are >= 1."""
    x = named(chance.choice(NAMES), natural=True)
    if not depth:
        return chance.choice((x, poly(chance.randint(0, 3)), x + 1))
    one, two = some(chance, depth - 1), some(chance, depth - 1)
    match chance.randrange(9):
        case 0:
            return one + two
        case 1:
            return one - two
        case 2:
            return one * two
        case 3 if one.natural and two.natural:
            return div(one, two + 1)
        case 4 if one.natural and two.natural:
            return mod(one, two + 1)
        case 5 if one.natural and two.natural:
            return cdiv(one, two + 1) * (two + 1)
        case 6:
            return least(one, two)
        case 7:
            return most(one, two)
        case 8:
            return pow2(one)
    return one - two


def test_bounds_hold_for_numbers() -> None:
    chance = random.Random(7)
    shown = 0
    for _ in range(3_000):
        value = some(chance, 2) - some(chance, 1)
        facts = Facts(frozenset(named("n", natural=True).atoms))
        if not facts.natural(value):
            continue
        shown += 1
        for _ in range(12):
            point = Point({name: chance.randint(0, 6) for name in NAMES})
            point.values["n"] = chance.randint(1, 6)
            assert point.number(value) >= 0, (value, point.values)
    assert shown > 150


def test_rewriting_keeps_the_value() -> None:
    chance = random.Random(8)
    for _ in range(500):
        value, new = some(chance), some(chance, 1)
        atom = next(iter(named("a", natural=True).atoms))
        numbers = {name: chance.randint(1, 6) for name in NAMES}
        if Point(dict(numbers)).number(new) < 0:
            continue
        other = replace(value, lambda found, atom=atom, new=new: new if found == atom else None)
        inner = Point({**numbers, "a": Point(dict(numbers)).number(new)})
        assert Point(dict(numbers)).number(other) == inner.number(value)


def test_division_of_polynomials() -> None:
    n, k = named("n", natural=True), named("k", natural=True)
    assert quotient(n * k * 4 + k * 2, k * 2) == n * 2 + 1
    assert quotient((n + 1) * (k + 3), n + 1) == k + 3
    assert quotient(n * 3, poly(2)) is None
    assert coefficient(n * k + n, next(iter(n.atoms))) == k + 1
    assert coefficient(div(n, k + 1), next(iter(n.atoms))) is None


def test_conditions() -> None:
    n = named("n", natural=True)
    test = both(at_least(n - 3), Flag("x is None"))
    assert negated(negated(test)) == test
    assert both(TRUE, at_least(poly(2))) == TRUE == either(at_least(poly(0)), at_least(n))
    assert negated(at_least(n)) == AtLeast(-n - 1)
    assert pick(Flag("f"), n + 1, n + 1) == n + 1
    assert Point({"n": 4}).number(pick(at_least(n - 4), n * 2, n)) == 8
    assert not Point({"n": 4}).holds(Blind("a load"))


def shape(*extents: Poly) -> Shape:
    return Shape(extents, (ONE,) * len(extents), Facts().knowing(*extents))


def test_the_second_look_sees_what_is_missing() -> None:
    n = named("n", natural=True)
    pid = poly(Atom("pid", (0,), True))
    whole = Access("store", frozenset({"out"}), pid)
    assert missed((whole,), shape(n), (n, ONE, ONE)) is None
    assert "is not reached" in str(missed((whole,), shape(n + 1), (n, ONE, ONE)))
    assert "is not reached" in str(missed((whole,), shape(n), (n - 1, ONE, ONE)))
    masked = Access("store", frozenset({"out"}), pid, at_least(pid - 1))
    assert "element 0 is not reached" in str(missed((masked,), shape(n), (n, ONE, ONE)))
    blind = Access("store", frozenset({"out"}), pid, Blind("a load"))
    assert "is not reached" in str(missed((blind,), shape(n), (n, ONE, ONE)))
    unknown = Access("store", None, poly(Atom("phi", ("x",), False)))
    assert missed((unknown,), shape(n), (n, ONE)) == Doubt("a number that cannot be computed")
    lane = poly(Atom("lane", (0, poly(100_000)), True))
    far = Access("store", frozenset({"out"}), lane + 1)
    assert "too large" in str(missed((far,), shape(n), (ONE, ONE, ONE)))
    assert missed((), shape(ZERO), (ONE,)) is not None


def source(code: str, name: str = "k") -> KernelSource | None:
    text = HEADER + code
    tree = ast.parse(text)
    return kernel(module_of(tree, text.encode(), names_of(tree, text.encode()), "kernels.py"), name)


BODY = "def k(out):\n    tl.store(out + tl.program_id(0), 1)\n"


@pytest.mark.parametrize(
    "code",
    [
        BODY,
        f"@triton.jit\n{BODY}\n\n@triton.jit\n{BODY}",
        f"@triton.jit\n{BODY}\nk = 3\n",
        f"@other\n@triton.jit\n{BODY}",
        f"@triton.jit\n@other\n{BODY}",
        f"@triton.jit\n{BODY}\ndef f():\n    global k\n    k = None\n",
        f"if x:\n    @triton.jit\n    {BODY}",
    ][:6],
    ids=["plain", "twice", "rebound", "wrapped", "inside", "global"],
)
def test_what_is_no_kernel_for_certain(code: str) -> None:
    assert source(code) is None


def test_a_kernel_that_is_tuned_elsewhere_in_the_file() -> None:
    found = source(f"tuned = triton.autotune(configs=[], key=[])\n\n@triton.jit\n{BODY}\nk2 = tuned(k)\n", "k2")
    assert found is not None
    assert found.function.name == "k" and len(found.around) == 1


def effects(code: str, *words: str) -> str:
    """The part of `out` that is written by a launch `k[n](out[n], ..)`, or why it is not all."""
    page = read("test", f"# launch: k[n](out[n]{''.join(', ' + word for word in words)})\n{code}")
    found = analysed(page).effects[0]
    return "all" if found.writes is not None and not found.missing else found.missing


STORES = """
# all
tl.store(out + pid, 1)

# all
if flag:
    tl.store(out + pid, 1)
else:
    tl.store(out + pid, 2)

# whether k stores depends on
if flag:
    tl.store(out + pid, 1)
if flag + 1:
    pass
else:
    tl.store(out + pid, 2)

# nothing is stored unless
if flag == 1:
    tl.store(out + pid, 1)
if flag != 2:
    tl.store(out + pid, 2)

# all
if out.dtype.element_ty == tl.float32:
    tl.store(out + pid, 1)
else:
    tl.store(out + pid, 2)

# is not understood
tl.store(out + pid + flag, 1)

# nothing is stored unless flag
tl.store(out + pid, 1, mask=flag)

# is not understood
p = out.to(tl.pointer_type(tl.int8))
tl.store(p + pid, 1)

# depends on a conversion
tl.store(out + pid.to(tl.int8), 1)

# all
tl.store(out + pid.to(tl.int64), 1)

# is not known to store all of it
tl.store(out + (pid - 5) // 1, 1)

# whether k stores depends on
x = None
for i in range(2):
    if x is None:
        tl.store(out + pid, 1)
    x = i

# is not understood
tl.inline_asm_elementwise("st", "=r", [out], tl.int32, False, 1)
tl.store(out + pid, 1)

# is not understood
tl.associative_scan(out, 0, pid)
tl.store(out + pid, 1)

# whether k stores depends on
while flag:
    tl.store(out + pid, 1)

# all
lane = tl.arange(0, 2)
tl.store(out + pid + lane * 0, 1, mask=lane[:, None] < lane[None, :])

# is not known to store all of it
lane = tl.arange(0, 2)
tl.store(out + pid + lane * 0, 1, mask=lane[:, None] > lane[None, :] + 1)

# in a loop that may end early
for i in range(3, 0, -1):
    tl.store(out + pid, 1)

# reads and writes it in one
tl.atomic_add(out + pid, 1)

# is not understood
tl.store(out + pid, 1)
with x:
    pass
"""


@pytest.mark.parametrize("case", STORES.strip().split("\n\n"))
def test_what_a_store_is_taken_for(case: str) -> None:
    reason, _, body = case.removeprefix("# ").partition("\n")
    code = "@triton.jit\ndef k(out, flag):\n    pid = tl.program_id(0)\n" + textwrap.indent(body, "    ") + "\n"
    found = effects(code, "unknown")
    assert found == reason if reason == "all" else reason in found


def test_a_default_that_tuning_overrides() -> None:
    tuned = '@triton.autotune(configs=[triton.Config({"B": 1})], key=[])\n'
    body = "@triton.jit\ndef k(out, B: tl.constexpr = 64):\n"
    body += "    tl.store(out + tl.program_id(0) + tl.arange(0, B) // 64, 1)\n"
    assert effects(body) == "all"
    assert effects(tuned + body) != "all"


def test_memory_that_no_argument_is() -> None:
    code = "@triton.jit\ndef k(out, table):\n    p = tl.load(table).to(tl.pointer_type(tl.int32))\n    tl.store(p, 1)\n"
    found = source(code)
    assert found is not None
    result = outcome(found, Launch((None,), (Tensor("out"), Tensor("table"))))
    assert not result.quiet
    assert all(effect.touches for effect in result.effects.values())


def test_arguments_that_do_not_fit() -> None:
    found = source(f"@triton.jit\n{BODY}")
    assert found is not None
    n = Number(variable(SizeAtom("n", "n", True)))
    for launch in (
        Launch((None,), (Tensor("out"), n)),
        Launch((None,), (Tensor("out"),), (("out", n),)),
        Launch((None,), (Tensor("out"),), (("pre_hook", Unknown()),)),
    ):
        assert all(effect.keeps for effect in outcome(found, launch).effects.values())
    assert not outcome(found, Launch((None,), (Tensor("out"),), (("num_warps", n),))).effects["num_warps"].touches


def test_a_tensor_that_has_elements_never() -> None:
    """What holds of no launch would follow from there being one."""
    page = read(
        "test", "# launch: k[n](out[0 - n])\n@triton.jit\ndef k(out):\n    tl.store(out + tl.program_id(0) * n, 1)\n"
    )
    assert analysed(page).effects[0].writes is None
