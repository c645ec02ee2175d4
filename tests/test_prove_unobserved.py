"""Unobserved on flows that are made by hand."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from made_flows import BACK, FRONT, OLDER, OTHER, SOMETIMES, B, birth, escape, flow, read, short, write

from codemods.core.event import Buffer, Escape, Event, Read, Write
from codemods.core.region import ALL, SOME, Box, Run
from codemods.core.size import Atom, as_size, variable
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove import unobserved
from codemods.prove.unobserved import Unobserved


def unseen(first: Write, *events: Event | None, **more: Any) -> Verdict:
    return Unobserved(first).check(flow(birth(), first, *events, **more))


@pytest.mark.parametrize(
    ("why", "told"),
    [
        *(
            (why, why)
            for why in "read by f|updated in place|used as a mask|tested|copied to the host|passed to f".split("|")
        ),
        ("compared", "read: compared"),
    ],
)
def test_how_it_is_seen(why: str, told: str) -> None:
    found = unseen(write(2), read(3, why=why), write(4))
    assert isinstance(found, Refused)
    assert (found.code, found.message) == ("read-first", f"at line 3 it is {told}, before it is overwritten")


def test_a_bound_that_may_be_none_starts_anywhere() -> None:
    maybe = Box(((0, Run(variable(Atom("n", ("object", "n"))), None)),))
    number = Box(((0, Run(variable(Atom("n", ("name", "n"))), None)),))
    plain = Box(((0, Run(variable(Atom("n", "object")), None)),))
    also = Box((*maybe.axes, (1, Run(as_size(0), as_size(2)))))
    for part, expected in (maybe, "gap"), (also, "gap"), (number, "proved 3"), (plain, "proved 3"), (FRONT, "proved 3"):
        found = unseen(write(2, region=part), write(3, region=part), escape(4, how="returned"))
        assert short(found).startswith(expected)


def test_the_first_who_sees_it_is_told() -> None:
    assert short(unseen(write(2), read(3), read(4), write(5), to={2: (3, 4), 3: (5,)})) == "read-first 3"
    assert short(unseen(write(2), read(4), read(3), write(5), to={2: (3, 4), 3: (5,)})) == "read-first 3"
    assert short(unseen(write(2), escape(4), escape(3), write(5), to={2: (3, 4), 3: (5,)})) == "unseen-call 3"
    assert short(unseen(write(2), escape(3), escape(4), write(5), to={2: (3, 4), 3: (5,)})) == "unseen-call 3"


def test_memory_of_an_earlier_turn_is_seen() -> None:
    assert short(unseen(write(2), None, read(4, OLDER), write(5), to={3: (1, 4)})) == "read-first 4"


def test_memory_without_an_earlier_one_stays_the_same() -> None:
    alone = Buffer("alone")
    assert short(unseen(write(2, alone), birth(3, alone), read(4, alone))) == "read-first 4"


def test_a_write_that_some_paths_do_without_covers_nothing() -> None:
    found = unseen(write(2), write(3, unless=(SOMETIMES,)), escape(4, how="returned"))
    assert short(found).startswith("partly-written")


def test_too_many_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unobserved, "MOST_STEPS", 1)
    assert short(unseen(write(2), None, None, write(3))) == "too-complex 2"


INDEX = Atom("i", ("loop", "i"), True)
HERE = Box(((0, Run(variable(INDEX), variable(INDEX) + as_size(1))),))
SO_FAR = Box(((0, Run(as_size(0), variable(INDEX))),))


def test_a_part_that_is_not_known_may_be_all_of_it() -> None:
    assert short(unseen(write(2, region=None), write(3), read(4))) == "proved 3"
    parts = write(3, region=FRONT), write(4, region=BACK)
    assert short(unseen(write(2, region=SOME), *parts, read(5))) == "proved 3 4"


def test_a_search_may_take_so_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unobserved, "MOST_STEPS", 3)
    assert short(unseen(write(2), None, None, write(3), read(4))) == "proved 3"
    assert short(unseen(write(2), None, None, None, write(3), read(4))) == "too-complex 2"


def test_memory_that_nobody_looks_at() -> None:
    for looks in read(4), escape(4), read(4, OLDER):
        assert short(unseen(write(2), write(3), looks)) == "proved 3"
    for only in (), (read(4, region=None),), (read(4, OTHER),), (escape(4, OTHER),):
        assert short(unseen(write(2), write(3), *only)) == "never-used 2"


def test_what_else_the_statement_writes_goes_with_it() -> None:
    first = write(2)
    again = Write(B, ALL, first.node, "filled", sure=True)
    assert short(unseen(first, again, read(3))) == "read-first 3"
    made = birth()
    filled = Write(B, ALL, made.node, "filled", sure=True)
    assert short(Unobserved(made).check(flow(made, filled, read(3)))) == "read-first 3"


def test_the_write_itself_covers_nothing_of_an_earlier_turn() -> None:
    """Nor does it make it less certain what is seen."""
    first = write(2, region=HERE, sure=False)
    made = flow(birth(), None, first, read(3, region=SO_FAR), to={4: (2,)}, renews={2: frozenset({INDEX})})
    assert short(Unobserved(first).check(made)) == "read-first 3"


def test_a_part_that_is_another_one_in_the_next_turn_is_forgotten() -> None:
    found = unseen(write(2), write(3, region=HERE), None, read(4), renews={4: frozenset({INDEX})})
    assert short(found) == "read-first 3 4"


def test_what_comes_next_where_nobody_else_holds_it() -> None:
    for how, then in ("returned", "returned"), ("outlives", None):
        found = unseen(write(2), read(3, by_others=True), escape(4, how=how))
        assert isinstance(found, Refused)
        assert (found.then and found.then.code) == then


def test_a_place_without_a_line_is_told_last() -> None:
    """As that of a whole module, if an event were told there."""
    nowhere = Escape(B, None, ast.Module([], []), "passed on")
    alone, beside = unseen(write(2), nowhere), unseen(write(2), nowhere, read(3), write(5), to={2: (3, 4), 3: (5,)})
    assert isinstance(alone, Refused) and alone.message == "it is passed on"
    assert short(beside) == "read-first 3"


def test_in_one_line_the_first_is_told() -> None:
    line = ast.parse("\n\nleft, right").body[0]
    assert isinstance(line, ast.Expr) and isinstance(line.value, ast.Tuple)
    left, right = (Read(B, ALL, node, f"read by {ast.unparse(node)}") for node in line.value.elts)
    for events in (left, right), (right, left):
        found = unseen(write(2), *events, write(5), to={2: (3, 4), 3: (5,)})
        assert isinstance(found, Refused) and found.message.startswith("at line 3 it is read by left")


def test_memory_that_was_looked_at_before() -> None:
    """A write that nothing overwrites, or only itself or what lies beside it, is there for its side effect."""
    for first, then in (write(3), ()), (write(3, region=FRONT), (write(4, region=BACK),)):
        found = Unobserved(first).check(flow(birth(), read(2), first, *then))
        assert short(found) == "never-used 3"
        assert isinstance(found, Refused)
        assert found.message == "nothing overwrites it and nothing reads it: it may be there for its side effect"
    again = write(3)
    assert short(Unobserved(again).check(flow(birth(), read(2), again, None, to={3: (3, 4)}))) == "never-used 3"
    nobody = unseen(write(2), write(3))
    assert isinstance(nobody, Refused)
    assert nobody.message == "nobody looks at this memory: it may be there for its side effect"


def test_what_is_left_is_told() -> None:
    found = unseen(write(2), write(3, region=FRONT), write(4, region=BACK), read(5))
    assert isinstance(found, Proved)
    assert [step.left for step in found.because] == ["part [2:]", "nothing"]
