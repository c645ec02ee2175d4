"""Provers on flows that are made by hand: also on those that the reader does not make, or where another refusal would
come first."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from codemods.core.call import Operand, Padding
from codemods.core.event import Birth, Buffer, Escape, Event, Flow, Front, Read, Rebound, Write
from codemods.core.meta import Meta
from codemods.core.region import ALL, Box, Run
from codemods.core.size import Atom, as_size, variable
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove import unobserved
from codemods.prove.already_holds import AlreadyHolds
from codemods.prove.contained import Contained
from codemods.prove.same_pad import SamePad
from codemods.prove.seen_only_by import SeenOnlyBy
from codemods.prove.unobserved import Unobserved
from codemods.prove.untouched import Untouched
from codemods.prove.walk import assumed_before, assumed_of

OLDER = Buffer("older")
B, OTHER = Buffer("b", OLDER), Buffer("other")
FRONT, BACK = (Box(((0, Run(as_size(low), high)),)) for low, high in ((0, as_size(2)), (2, None)))
SOMETIMES = frozenset({(2, 1)})  # came into the join at point 2 by its edge 1


def at(line: int) -> ast.stmt:
    return ast.parse("\n" * (line - 1) + "here").body[0]


def birth(line: int = 1, buffer: Buffer = B) -> Birth:
    return Birth(buffer, ALL, at(line), "made")


def write(line: int, buffer: Buffer = B, region: Box | None = ALL, **more: Any) -> Write:
    return Write(buffer, region, at(line), "filled", **{"sure": True, "value": "0", **more})


def read(line: int, buffer: Buffer = B, region: Box | None = ALL, why: str = "read", **more: Any) -> Read:
    return Read(buffer, region, at(line), why, **more)


def escape(line: int, buffer: Buffer = B, **more: Any) -> Escape:
    return Escape(buffer, None, at(line), "passed on", **more)


def rebound(line: int, buffer: Buffer = B) -> Rebound:
    return Rebound(buffer, None, at(line), "bound again")


def flow(*events: Event | None, to: dict[int, tuple[int, ...]] | None = None, **more: Any) -> Flow:
    """The events one after the other, behind the entry, but where `to` says what follows."""
    steps = [(point + 1,) for point in range(len(events))] + [()]
    for point, targets in (to or {}).items():
        steps[point] = targets
    return Flow("f", "m.py", "call", (None, *events), tuple(steps), **more)


def short(verdict: Verdict) -> str:
    """`proved`, or the reason; with the lines that are told."""
    steps = verdict.because if isinstance(verdict, Proved) else verdict.witness
    word = "proved" if isinstance(verdict, Proved) else verdict.code
    return " ".join([word, *(str(step.span.line) for step in steps)])


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
    for part, expected in (maybe, "returned"), (number, "proved 3"), (plain, "proved 3"), (FRONT, "proved 3"):
        found = unseen(write(2, region=part), write(3, region=part), escape(4, how="returned"))
        assert short(found).startswith(expected) or part is maybe and short(found).startswith("gap")


def test_the_first_who_sees_it_is_told() -> None:
    assert short(unseen(write(2), read(3), read(4), write(5), to={2: (3, 4), 3: (5,)})) == "read-first 3"
    assert short(unseen(write(2), read(4), read(3), write(5), to={2: (3, 4), 3: (5,)})) == "read-first 3"
    assert short(unseen(write(2), escape(4), escape(3), write(5), to={2: (3, 4), 3: (5,)})) == "unseen-call 3"


def test_memory_of_an_earlier_turn_is_seen() -> None:
    assert short(unseen(write(2), None, read(4, OLDER), write(5), to={3: (1, 4)})) == "read-first 4"


def test_a_write_that_some_paths_do_without_covers_nothing() -> None:
    found = unseen(write(2), write(3, unless=(SOMETIMES,)), escape(4, how="returned"))
    assert short(found).startswith("partly-written")


def test_too_many_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unobserved, "MOST_STEPS", 1)
    assert short(unseen(write(2), None, None, write(3))) == "too-complex 2"


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
