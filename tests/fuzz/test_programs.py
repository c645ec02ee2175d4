"""A bounded run of the program fuzz: no rewrite may change what a caller can see.

`python tests/fuzz/run.py --seconds 3600 --seed 7` goes on for longer and shrinks what it finds.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, note, settings, strategies

torch = pytest.importorskip("torch")

from fuzz.campaign import Outcome, attempt, differs, rewrite, shrink, tally  # noqa: E402
from fuzz.generate import IMPORTS, drawn, program  # noqa: E402
from fuzz.oracle import INPUTS, POISONS, Difference, Program, difference, observe, prepared  # noqa: E402

QUIET = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("SyntaxWarning", "DeprecationWarning")]
pytestmark = [*QUIET, pytest.mark.torch, pytest.mark.xdist_group("programs")]  # they are run once
PROGRAMS = 2000


@pytest.fixture(autouse=True, scope="module")
def _alone() -> Iterator[None]:
    with prepared():
        yield


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [attempt(seed) for seed in range(PROGRAMS)]


def test_no_rewrite_changes_what_is_seen(outcomes: list[Outcome]) -> None:
    found = [f"seed {o.seed}: {o.difference} {o.rewritten.applied}\n{o.source}" for o in outcomes if o.difference]
    assert not found, "\n".join(found)


def test_the_tool_itself_does_not_fail(outcomes: list[Outcome]) -> None:
    assert not {outcome.rewritten.failed for outcome in outcomes} - {""}


def test_enough_is_rewritten(outcomes: list[Outcome]) -> None:
    """A fuzz that never rewrites proves nothing; neither does one whose programs never come to an end."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        tally(counts, outcome)
    assert counts["programs"] >= 0.4 * PROGRAMS
    assert counts["with callees"] >= 0.15 * PROGRAMS
    assert counts["rewritten and returned"] >= 0.15 * PROGRAMS
    assert min(counts[name] for name in ("zeros_to_empty", "drop_fill", "drop_prealloc")) >= 0.02 * PROGRAMS


@settings(max_examples=200, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(strategies.randoms(use_true_random=False))
def test_nor_of_a_program_that_hypothesis_draws(rng: random.Random) -> None:
    """Its choices are others than those of seeds: it goes back to them, and tries what is at their ends."""
    source = drawn(rng)
    note(source)
    assert not differs(source)


def test_a_program_is_told_by_its_seed() -> None:
    assert program(7) == program(7) != program(8)


HEADER = "def f(x, y, w, m, idx, xs, n, k, flag, fail):\n"
WRONG = {
    "a value": ("return torch.zeros(3)", "return torch.empty(3)"),
    "an integer": ("return torch.zeros(3, dtype=torch.int32)", "return torch.empty(3, dtype=torch.int32)"),
    "an argument": ("x.zero_()", "pass"),
    "an alias": ("return x", "return x.clone()"),
    "two results of one memory": ("return [y + 1] * 2", "return y + 1, y + 1"),
    "a stride": ("return w.t()", "return w.t().contiguous()"),
    "what is kept": ("KEPT.append(x.clone())", "KEPT.append(y.clone())"),
    "an exception": ("return 1", "raise ValueError"),
    "a yield": ("yield torch.zeros(2)", "yield torch.empty(2)"),
    "what a closure returns": ("return lambda: torch.zeros(2)", "return lambda: torch.ones(2)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_oracle_sees(name: str) -> None:
    before, after = (Program.of(f"{IMPORTS}{HEADER}    {text}\n", watch=True) for text in WRONG[name])
    assert isinstance(difference(before, after)[0], Difference)
    assert difference(before, before)[0] is None


def test_the_oracle_lets_a_program_that_raises_do_what_it_likes() -> None:
    before, after = (Program.of(f"{IMPORTS}{HEADER}    {text}\n") for text in ("raise ValueError", "return 1"))
    assert difference(before, after) == (None, 0)


def test_the_oracle_stops_a_program_that_hangs() -> None:
    text = f"{IMPORTS}{HEADER}    while True:\n        pass\n"
    assert observe(Program.of(text), INPUTS[0], POISONS[0]) == ("hangs",)


def test_shrinking_keeps_what_is_asked_for() -> None:
    text = f"{IMPORTS}{HEADER}    a = 1\n    if flag:\n        b = x.zero_()\n    return a, b\n"
    assert shrink(text, lambda smaller: "zero_" in smaller).strip().endswith("b = x.zero_()")


def test_a_sound_rewrite_is_no_difference() -> None:
    text = f"{IMPORTS}{HEADER}    o = torch.zeros(4)\n    o.fill_(1.0)\n    return o\n"
    assert rewrite(text).applied == ("zeros_to_empty",)
    assert not differs(text)


TRUSTED = {
    "an annotation that lies": ("def h(t: torch.Tensor):\n    KEPT.append(t)\n", "h(1.0)", "h(2.0)", 0),
    "an exception out of a callee that is not the same any more": (
        "def h(t):\n    t.{}_(1)\n    t.view(99)\n",
        "try:\n        h(x)\n    except RuntimeError:\n        pass",
        None,
        0,
    ),
    "one that it raises itself": (
        "def h(t):\n    t.{}_(1)\n    raise ValueError\n",
        "try:\n        h(x)\n    except ValueError:\n        pass",
        None,
        1,
    ),
    "a failed assertion": (
        "def h(t):\n    t.{}_(1)\n    assert t is None\n",
        "try:\n        h(x)\n    except AssertionError:\n        pass",
        None,
        1,
    ),
}


@pytest.mark.parametrize("name", TRUSTED)
def test_what_is_trusted_is_watched(name: str) -> None:
    """Inputs on which the original breaks what is trusted are left out; others are not."""
    callee, call, other, counted = TRUSTED[name]
    texts = [
        f"{IMPORTS}{callee.format(fill)}{HEADER}    {text}\n    return x\n"
        for fill, text in (("add", call), ("mul", other or call))
    ]
    before, after = Program.of(texts[0], watch=True), Program.of(texts[1])
    found, returned = difference(before, after, INPUTS[:1])
    assert (found is not None, returned) == (bool(counted), counted)
