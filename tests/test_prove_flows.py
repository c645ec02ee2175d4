"""Provers on flows that are made by hand: also on those that the reader does not make, or where another refusal would
come first."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import pytest
from made_flows import BACK, FRONT, OLDER, OTHER, SOMETIMES, B, at, birth, escape, flow, read, rebound, short, write

from codemods.core.call import Operand, Padding
from codemods.core.event import Birth, Buffer, Event, Front, Read, Write
from codemods.core.kernel import Assign, Branch, Kernel, Store, Term
from codemods.core.meta import Meta
from codemods.core.region import ALL, Box, Run
from codemods.core.size import Atom, as_size, variable
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove import Obligation
from codemods.prove.already_holds import AlreadyHolds
from codemods.prove.already_stored import AlreadyStored
from codemods.prove.contained import Contained
from codemods.prove.editable import Editable
from codemods.prove.flag_alone import FlagAlone
from codemods.prove.no_elements import NoElements
from codemods.prove.overwritten import Overwritten
from codemods.prove.same_pad import SamePad
from codemods.prove.seen_only_by import SeenOnlyBy
from codemods.prove.untouched import Untouched
from codemods.prove.walk import assumed_before, assumed_of


def holds(last: Write, *between: Event | None, **more: Any) -> str:
    return short(AlreadyHolds(last).check(flow(birth(), write(2), *between, last, **more)))


def test_the_same_constant_is_there() -> None:
    assert holds(write(9)) == "proved 2"
    assert holds(write(9, region=BACK), write(3, region=FRONT, value="1")) == "proved 2"
    assert holds(write(9), renews={1: frozenset({Atom("i", "i")})}) == "proved 2"
    assert holds(write(9), write(3, OTHER, value="1"), read(4)) == "proved 2"


@pytest.mark.parametrize(
    "change", [{"value": None}, {"region": None}, {"sure": False}, {"when": SOMETIMES}, {"unless": (SOMETIMES,)}]
)
def test_a_write_that_may_be_another_holds_nothing(change: dict[str, Any]) -> None:
    assert holds(write(9, **change)) == "another-value"
    alone = flow(birth(), write(2, **change), last := write(9))
    assert short(AlreadyHolds(last).check(alone)) == "another-value 2 9"


def test_what_may_have_changed_it() -> None:
    assert holds(write(9), escape(3)) == "another-value 3 9"
    assert holds(write(9), write(3, value="1")) == "another-value 3 9"
    assert holds(write(9, region=BACK), write(3, region=FRONT, value="1"), birth(4)) == "another-value 4 9"
    assert short(AlreadyHolds(last := write(9)).check(flow(write(2, OTHER), last))) == "another-value 9"
    i = Atom("i", "i")
    turn = write(9, region=Box(((0, Run(variable(i), None)),)))
    assert holds(turn, renews={1: frozenset({i})}) == "another-value"


def test_memory_from_outside_may_be_expanded() -> None:
    shared = Buffer("x", shared=True)
    last = write(9, shared, BACK)
    assert (
        short(AlreadyHolds(last).check(flow(write(2, shared), write(3, shared, FRONT, value="1"), last)))
        == "another-value 3 9"
    )


def rests(line: int, name: str, buffer: Buffer = B) -> Write:
    return write(line, buffer, assumes=(name,))


def test_what_rests_on_earlier_events() -> None:
    last = rests(9, "last")
    made = flow(
        rests(1, "first"), None, rests(3, "left"), rests(4, "right"), rests(5, "old", OLDER), rests(6, "x", OTHER),
        last, rests(8, "later"), passed := rests(9, "passed"), to={2: (3, 4), 3: (5,), 7: (8, 1)},
    )  # fmt: skip
    assert assumed_before(made, last, [passed]) == ("first", "last", "left", "old", "passed", "right")
    straight = flow(rests(1, "first"), None, rests(3, "left"), last, rests(5, "later"), passed)
    assert assumed_before(straight, last, [passed]) == ("first", "last", "left", "passed")
    assert assumed_of(made, B) == ("first", "last", "later", "left", "old", "passed", "right")
    assert assumed_of(made, OTHER) == ("x",)
    assert assumed_before(flow(None, last), last, []) == ("last",)


def untouched(*events: Event | None, **more: Any) -> str:
    made = birth()
    return short(Untouched(made).check(flow(made, *events, **more)))


def test_what_happens_before_a_name_is_bound_again() -> None:
    assert untouched(rebound(2)) == "proved 2"
    assert untouched(read(2, OTHER), rebound(3), read(4)) == "proved 3"
    assert untouched(write(2), rebound(3)) == "touched 2"
    assert untouched(read(2), rebound(3)) == "touched 2"
    assert untouched(escape(2), rebound(3)) == "touched 2"
    assert untouched(read(2, OTHER)) == "not-rebound 1"


def test_the_fill_of_the_allocation_itself_is_no_touch() -> None:
    made = birth()
    fill = Write(B, ALL, made.node, "filled", sure=True)
    assert short(Untouched(made).check(flow(made, fill, rebound(2)))) == "proved 2"


def test_a_touch_on_another_path_is_none() -> None:
    sometimes = read(3, when=SOMETIMES)
    joins = {3: {1: (2, 0), 2: (2, 1)}}
    assert untouched(None, sometimes, rebound(4), to={1: (3,)}, joins=joins) == "proved 4"
    assert untouched(None, sometimes, rebound(4), to={1: (2,)}, joins=joins) == "touched 3"


def test_memory_of_an_earlier_turn_is_looked_at() -> None:
    """From the birth back to it, and then what it made first is read."""
    assert untouched(None, read(3, OLDER), rebound(4), to={2: (1, 3)}) == "touched 3"


def test_memory_without_an_earlier_one_stays_the_same() -> None:
    alone = Buffer("alone")
    made = birth(1, alone)
    verdict = Untouched(made).check(flow(made, birth(2, alone), read(3, alone), rebound(4, alone)))
    assert short(verdict) == "touched 3"


def only(*events: Event | None) -> Refused:
    made = birth()
    found = SeenOnlyBy(made, frozenset({at(2)})).check(flow(made, *events))
    assert isinstance(found, Refused) and found.code == "seen-elsewhere"
    return found


def test_who_else_sees_it() -> None:
    assert only(rebound(2), write(3)).message == "it may not hold what it was filled with: filled"
    assert only(read(3)).message == "it is used elsewhere, too: read"
    assert only(escape(3)).message == "it is used elsewhere, too: passed on"
    assert only(birth(3)).message == "it is allocated in another place, too"
    assert only(read(2, OTHER), read(4, OLDER)).witness[0].span.line == 4


def contained(*events: Event | None, **more: Any) -> Verdict:
    """In a loop with its head at point 1."""
    made = next(event for event in events if isinstance(event, Birth))
    front = Front(at(1), "b", at(1), 1, gradients=False)
    last = len(events)
    to = {last: (1, last + 1), **more.pop("to", {})}
    inside = frozenset(more.pop("loop", range(1, last + 1)))
    return Contained(made).check(flow(*events, None, to=to, fronts={made.node: front}, loops={1: inside}, **more))


def test_memory_of_one_turn_is_used_in_that_turn() -> None:
    assert contained(None, birth(2), write(3), read(4)) == Proved()
    assert contained(None, read(2, OTHER), birth(3), read(4)) == Proved()
    assert contained(None, read(2), birth(3), read(4), to={4: (5,)}) == Proved()  # the loop does not come round


def test_what_the_allocation_itself_looks_at_is_no_late_use() -> None:
    made = birth(3)
    shape = Read(B, None, made.node, "its shape is used")
    assert contained(None, shape, made, read(4)) == Proved()


def test_memory_of_one_turn_is_used_in_the_next() -> None:
    assert short(contained(None, read(2), birth(3), read(4))) == "kept-by-name 3 2"
    assert short(contained(None, read(6), read(2), birth(3), read(4))) == "kept-by-name 3 2"
    assert short(contained(None, birth(3), read(4), read(5, OLDER))) == "kept-by-name 3 5"
    assert short(contained(None, read(2, region=None), birth(3), read(4), escape(5))) == "kept-by-name 3 2"
    assert short(contained(None, read(2), birth(3), read(4), escape(5))) == "unseen-call 3 5"


def test_every_way_from_the_birth_is_followed() -> None:
    """One comes round, two others meet and leave."""
    to = {3: (4, 5, 6), 4: (1,), 5: (7,), 6: (7,), 7: ()}
    assert short(contained(None, read(2), birth(3), read(4), None, None, None, to=to)) == "kept-by-name 3 2"


def test_memory_that_nobody_reads_may_be_there_for_its_side_effect() -> None:
    assert short(contained(None, birth(2))) == "never-used 2"
    assert short(contained(None, birth(2), read(3, region=None))) == "never-used 2"
    assert short(contained(None, birth(2), read(3, OTHER))) == "never-used 2"


def test_what_lays_a_tensor_out_anew() -> None:
    assert contained(None, birth(2), write(3, api="out="), read(4)) == Proved(assumes=("no-resize",))
    assert contained(None, birth(2), write(3, OTHER, api="out="), read(4)) == Proved()


def pads(part: Operand, other: Operand) -> Verdict:
    call = ast.parse("f()", mode="eval").body
    assert isinstance(call, ast.Call)
    return SamePad(call, (part,), other, Padding(("0", "1"), True), "0").check(flow())


def test_what_a_pad_needs_to_know() -> None:
    flat, two = Meta("torch.float32", 1, 1, plain=True), Meta("torch.float32", 2, 0, plain=True)
    one, some = as_size(1), as_size(3)
    assert short(pads(Operand("z", flat, shape=(one,)), Operand("x", flat))).startswith("proved")
    assert short(pads(Operand("z", two, shape=(one, some)), Operand("x", two))).startswith("proved")
    assert short(pads(Operand("z", flat, shape=()), Operand("x", flat))).startswith("pad-length")
    assert short(pads(Operand("z", flat), Operand("x", flat))).startswith("pad-length")
    whole = pads(Operand("z", flat, shape=(one,)), Operand("x", Meta("torch.int32", 1, 1)))
    assert isinstance(whole, Refused)
    assert whole.message == "z has torch.float32, x has torch.int32: the result has another dtype"
    maybe = pads(Operand("z", flat, shape=(one,)), Operand("x", Meta(None, 1, 1)))
    assert isinstance(maybe, Refused)
    assert maybe.message == "z and x may have different dtypes: the result may have another than x"


def test_an_extent_that_is_0() -> None:
    assert short(NoElements(birth()).check(flow())) == "has-elements 1"
    assert short(NoElements(replace(birth(), shape=(as_size(2), as_size(0)))).check(flow())) == "proved 1"
    assert short(NoElements(replace(birth(), shape=(as_size(2),))).check(flow())) == "has-elements 1"


def test_what_stands_between_may_be_spaced() -> None:
    assert short(Editable(b" )\n  ,", b"),").check(flow())) == "proved"
    assert short(Editable(b" )  # why\n  ,", b"),").check(flow())) == "not-editable"


GUARD = Branch(ast.If(), 1, (), (), "seen")
STORE = Store(ast.Pass(), 0, 0, (), "out")


@pytest.mark.parametrize("asked", [AlreadyStored(GUARD), FlagAlone(GUARD), Overwritten(STORE, STORE)])
def test_what_is_no_kernel_is_not_understood(asked: Obligation) -> None:
    assert short(asked.check(flow())) == "not-understood"


@pytest.mark.parametrize(("op", "expected"), [("const", "other-place 0"), ("opaque", "flag-used 0")])
def test_a_flag_is_unset_with_a_constant(op: str, expected: str) -> None:
    """Not with what only has the same data."""
    flags = Assign(ast.Pass(), "seen", 0, True), Assign(ast.Pass(), "seen", 1, True)
    terms = Term(op, (), ("bool", "False")), Term("const", (), ("bool", "True"))
    guard = replace(GUARD, then=(STORE,))
    kernel = Kernel((*flags, guard), terms, ())
    assert short(AlreadyStored(guard).check(replace(flow(), kernel=kernel))) == expected
