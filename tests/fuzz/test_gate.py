"""Programs in odd formatting: `fix` gives the tree that it gives for the same program in plain formatting, and the gate
lets no broken edit through."""

from __future__ import annotations

import ast
import random

import pytest

pytest.importorskip("torch")

from fuzz.formatting import odd
from fuzz.generate import program
from fuzz.oddly import Printed, reprinted

QUIET = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("SyntaxWarning", "DeprecationWarning")]
pytestmark = [*QUIET, pytest.mark.torch, pytest.mark.xdist_group("formatting")]  # they are printed once
PROGRAMS = 150


def parsed(seed: int) -> str | None:
    source = program(seed)
    try:
        ast.parse(source)
    except SyntaxError:
        return None
    return source


@pytest.fixture(scope="module")
def made() -> list[Printed]:
    sources = [(seed, source) for seed in range(PROGRAMS) if (source := parsed(seed))]
    return [made for seed, source in sources if (made := reprinted(source, random.Random(seed)))]


def test_formatting_makes_no_difference(made: list[Printed]) -> None:
    wrong = [f"{one.wrong}\n{one.text!r}" for one in made if one.wrong]
    assert not wrong, "\n".join(wrong)


def test_enough_is_rewritten_and_broken(made: list[Printed]) -> None:
    assert len(made) >= 0.2 * PROGRAMS
    assert sum(one.same for one in made) >= 0.6 * len(made)
    assert sum(one.rejected for one in made) >= PROGRAMS


def test_odd_formatting_is_odd() -> None:
    texts = [odd(source, random.Random(seed)) for seed in range(60) if (source := parsed(seed))]
    for wanted in (
        b"\r\n",
        b"\t",
        b"\x0c",
        b"\\\n",
        b"# type: ",
        b";",
        b"coding: latin-1",
        "ï".encode("latin-1"),
        b"\xef\xbb\xbf",
    ):
        assert any(wanted in text for text in texts), wanted


def test_odd_formatting_keeps_the_tree() -> None:
    for seed in range(30):
        if source := parsed(seed):
            assert ast.dump(ast.parse(odd(source, random.Random(seed)))) == ast.dump(ast.parse(source))
