"""A bounded run of the fuzz of Triton kernels and their launches, in Triton's interpreter.

`python tests/fuzz/run.py --kernels --seconds 3600 --seed 7` goes on for longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

import triton  # noqa: E402
from fuzz.campaign import Outcome, tally  # noqa: E402
from fuzz.kernels import kernel_program  # noqa: E402
from fuzz.oracle import POISONS, Difference, Input, Program, difference, observe, prepared  # noqa: E402

QUIET = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("SyntaxWarning", "DeprecationWarning")]
pytestmark = [*QUIET, pytest.mark.torch, pytest.mark.xdist_group("kernels")]  # they are run once
PROGRAMS = 150


@pytest.fixture(autouse=True, scope="module")
def _interpreted() -> Iterator[None]:
    from fuzz.launches import watch_kernels
    from triton.runtime.interpreter import GridExecutor, InterpreterBuilder

    with prepared(), triton.knobs.runtime.scope(), pytest.MonkeyPatch.context() as patch:
        triton.knobs.runtime.interpret = True
        for owner, name in (
            (InterpreterBuilder, "create_masked_load"),
            (InterpreterBuilder, "create_masked_store"),
            (GridExecutor, "_init_args_hst"),
        ):
            patch.setattr(owner, name, getattr(owner, name))  # what is put there is gone afterwards
        watch_kernels()
        yield


@pytest.fixture(scope="module")
def outcomes(_interpreted: None) -> list[Outcome]:
    from fuzz.launches import attempt_kernel

    return [attempt_kernel(seed) for seed in range(PROGRAMS)]


def test_no_rewrite_changes_what_is_seen(outcomes: list[Outcome]) -> None:
    found = [f"seed {o.seed}: {o.difference} {o.rewritten.applied}\n{o.source}" for o in outcomes if o.difference]
    assert not found, "\n".join(found)


def test_the_tool_itself_does_not_fail(outcomes: list[Outcome]) -> None:
    assert not {outcome.rewritten.failed for outcome in outcomes} - {""}


def test_enough_is_rewritten(outcomes: list[Outcome]) -> None:
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        tally(counts, outcome)
    assert counts["rewritten and returned"] >= 0.15 * PROGRAMS
    assert min(counts[name] for name in ("zeros_to_empty", "drop_store")) >= 0.05 * PROGRAMS


def test_a_program_is_told_by_its_seed() -> None:
    assert kernel_program(7) == kernel_program(7) != kernel_program(8)


TEXT = """
import torch
import triton
import triton.language as tl
KEPT, SEEN = [], None
@triton.jit
def k(o, n, B: tl.constexpr):
    pid = tl.program_id(0)
    i = pid * B + tl.arange(0, B)
    {store}
def f(x, y, w, m, idx, xs, n, k_, flag, fail):
    o = torch.{birth}(4)
    k[(2,)](o, n, B=2)
    return o
"""
STORE = "tl.store(o + i, 1.0, mask=i < 3)"


def facts(store: str, birth: str = "zeros") -> tuple[object, ...]:
    return observe(Program.of(TEXT.format(store=store, birth=birth)), Input(), POISONS[0])


def test_the_oracle_sees_an_element_that_no_program_stores() -> None:
    before, after = (Program.of(TEXT.format(store=STORE, birth=birth)) for birth in ("zeros", "empty"))
    assert isinstance(difference(before, after, (Input(),))[0], Difference)


MEANINGLESS = {
    "outside": "tl.store(o + i + 1, 1.0)",
    "far outside": "tl.store(o + i * 1000000, 1.0)",
    "outside, loaded": "tl.store(o + i, tl.load(o - 1))",
    "two values in one place": "tl.store(o + i % 2, pid * 1.0)",
    "what another program stores": "tl.store(o + i, tl.load(o + 3 - i))",
}


@pytest.mark.parametrize("name", MEANINGLESS)
def test_what_has_no_meaning_is_told(name: str) -> None:
    assert "NoMeaning" in str(facts(MEANINGLESS[name]))


def test_one_value_and_then_two_in_one_place() -> None:
    store = "tl.store(o + i % 2, 0.0)\n    tl.store(o + i % 2, pid * 1.0)"
    assert "NoMeaning" in str(facts(store))


def test_what_has_one_is_not() -> None:
    assert facts(STORE)[0] == facts("tl.store(o + i % 2, 1.0)")[0] == "returned"
