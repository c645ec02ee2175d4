"""Patterns with possessive quantifiers must match what they match with greedy ones: Python 3.10 has no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codemods.core.patterns import greedy, pattern
from codemods.read.bases import PATCH, SET
from codemods.read.candidates import MADE, UPDATE

SOURCES = [b"\n" + path.read_bytes() for path in sorted(Path(__file__).parents[1].glob("*/**/*.py"))]
ODD = b"""
x = x
x  : int = y
x=x - 1
x = (x + 1)
x = ( ( x.abs())
x = torch.abs(x)
x = torch.abs((x), 1)
x = torch.arange (3)
x == y
A.b = c
A.b: int = c
A.b == c
 _A.b=c
x = x,
x = xx + 1
xx = x + 1
x: dict[str, int] = {}
x:y
x\t=\tx\r
"""


@pytest.mark.parametrize("found", [SET, PATCH, UPDATE, MADE], ids=["SET", "PATCH", "UPDATE", "MADE"])
def test_possessive_and_greedy_find_the_same(found: re.Pattern[bytes]) -> None:
    other = re.compile(greedy(found.pattern))
    matches = [[match.span() for match in found.finditer(source)] for source in (*SOURCES, ODD)]
    assert matches == [[match.span() for match in other.finditer(source)] for source in (*SOURCES, ODD)]
    assert matches[-1]


def test_what_is_escaped_is_no_quantifier() -> None:
    assert greedy(rb"a\++b?+c\*+") == rb"a\++b?c\*+"
    assert pattern(rb"a++b").search(b"aab")
