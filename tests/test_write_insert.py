"""A statement that is put in front of another: on its own line, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from write_sources import decision

from codemods.core.edit import Insert, Remove
from codemods.core.span import Span
from codemods.write import edits, gate
from codemods.write.edits import Applied
from codemods.write.gate import GateError
from codemods.write.source import CannotEdit

SOURCE = b"def f(n):\n    # every one\n    for i in n:\n        x = g()  # new\n        y = h()\n        use(x, y)\n"
LOOP, FIRST, SECOND = Span(3, 4, 6, 17), Span(4, 8, 4, 15), Span(5, 8, 5, 15)


def hoisted(source: bytes, *moved: tuple[Span, str], loop: Span = LOOP) -> Applied:
    wanted = [decision(place, Insert(loop, text), Remove(place)) for place, text in moved]
    return edits.apply(source, wanted)


def test_a_statement_moves_in_front_of_the_loop() -> None:
    result = hoisted(SOURCE, (FIRST, "x = g()"))
    gate.check(SOURCE, result)
    assert result.text == (
        b"def f(n):\n    # every one\n    x = g()\n    for i in n:\n        y = h()\n        use(x, y)\n"
    )


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_the_line_ends_like_the_others(end: bytes) -> None:
    source = SOURCE.replace(b"\n", end).replace(b"    ", b"\t")
    places = (Span(3, 1, 6, 11), Span(4, 2, 4, 9))
    result = hoisted(source, (places[1], "x = g()"), loop=places[0])
    gate.check(source, result)
    assert end + b"\tx = g()" + end + b"\tfor i" in result.text


def test_several_in_one_place_keep_their_order() -> None:
    result = hoisted(SOURCE, (FIRST, "x = g()"), (SECOND, "y = h()"))
    gate.check(SOURCE, result)
    assert b"\n    x = g()\n    y = h()\n    for i in n:\n        use(x, y)\n" in result.text
    assert not result.deferred


@pytest.mark.parametrize(
    "source",
    [SOURCE.replace(b"    for", b"\f   for"), SOURCE.replace(b"    # every one\n", b"\\\n")],
    ids=["form feed", "continued line"],
)
def test_no_line_can_be_put_in_everywhere(source: bytes) -> None:
    with pytest.raises(CannotEdit):
        hoisted(source, (FIRST, "x = g()"))


@pytest.mark.parametrize("text", ["if n:\n    pass", "x = 1; y = 2", "x = (", ""])
def test_only_one_simple_statement_can_be_put_in(text: str) -> None:
    with pytest.raises(GateError):
        gate.check(SOURCE, hoisted(SOURCE, (FIRST, text)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"    x = g()\n    for", b"    x = k()\n    for"),
        (b"    x = g()\n    for", b"    for"),
        (b"    x = g()\n    for", b"    x = g()\n    x = g()\n    for"),
        (b"    # every one\n    x = g()\n", b"    x = g()\n    # every one\n"),
    ],
    ids=["another", "none", "two", "elsewhere"],
)
def test_anything_else_is_noticed(old: bytes, new: bytes) -> None:
    result = hoisted(SOURCE, (FIRST, "x = g()"))
    assert old in result.text
    with pytest.raises(GateError):
        gate.check(SOURCE, replace(result, text=result.text.replace(old, new)))


def test_the_site_must_stand_in_the_statement() -> None:
    with pytest.raises(GateError):
        gate.check(SOURCE, hoisted(SOURCE, (FIRST, "x = g()"), loop=SECOND))


def test_it_must_be_a_statement() -> None:
    with pytest.raises((GateError, CannotEdit)):
        gate.check(SOURCE, hoisted(SOURCE, (FIRST, "x = g()"), loop=Span(3, 13, 6, 17)))
