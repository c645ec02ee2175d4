"""The gate lets the promised change through and nothing else."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from write_sources import decision, find, sources

from codemods.core.edit import Remove, Replace
from codemods.core.span import Span
from codemods.write import edits, gate
from codemods.write.edits import Applied, Splice
from codemods.write.gate import GateError
from codemods.write.source import decode

SOURCE = b"def f(n):\n    x = torch.zeros(n)  # new\n    x.zero_()\n    return x * 2\n"


def edited() -> Applied:
    return edits.apply(SOURCE, find(SOURCE))


def test_what_was_promised_passes() -> None:
    result = edited()
    gate.check(SOURCE, result)
    assert result.text == b"def f(n):\n    x = torch.empty(n)  # new\n    return x * 2\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"# new", b"# old", id="comment"),
        pytest.param(b"* 2", b"* 3", id="expression"),
        pytest.param(b"return x", b"return  x", id="blank"),
        pytest.param(b"    return x * 2\n", b"", id="statement gone"),
        pytest.param(b"empty", b"ones_", id="another text than promised"),
    ],
)
def test_bytes_outside_the_edits(old: bytes, new: bytes) -> None:
    result = edited()
    with pytest.raises(GateError):
        gate.check(SOURCE, replace(result, text=result.text.replace(old, new)))


@given(sources(), st.data())
def test_any_other_byte_is_noticed(source: bytes, data: st.DataObject) -> None:
    result = edits.apply(source, find(source))
    at = data.draw(st.integers(0, len(result.text)))
    other = result.text[:at] + data.draw(st.sampled_from((b"", b"\n", b" ", b"1"))) + result.text[at + 1 :]
    assume(other != result.text)
    with pytest.raises(GateError):
        gate.check(source, replace(result, text=other))


def test_a_statement_left_in() -> None:
    result = edited()
    kept = tuple(splice for splice in result.splices if splice.text)
    text = SOURCE.replace(b"zeros", b"empty")
    with pytest.raises(GateError, match="left in"):
        gate.check(SOURCE, replace(result, text=text, splices=kept))


def test_an_edit_left_out() -> None:
    result = edited()
    kept = tuple(splice for splice in result.splices if not splice.text)
    with pytest.raises(GateError, match="left out"):
        gate.check(SOURCE, replace(result, text=SOURCE.replace(b"    x.zero_()\n", b""), splices=kept))


@pytest.mark.parametrize("cut", [Splice(44, 75, b""), Splice(44, 58, b"return"), Splice(38, 58, b"")])
def test_more_taken_out_than_the_statement(cut: Splice) -> None:
    site = next(site for site in find(SOURCE) if site.codemod == "drop_fill")
    text = SOURCE[: cut.start] + cut.text + SOURCE[cut.end :]
    with pytest.raises(GateError, match="more than the statement"):
        gate.check(SOURCE, Applied(text, (site,), (), (cut,)))


def test_the_only_statement_must_leave_a_pass_and_another_one_must_not() -> None:
    lonely, one_of_two = b"if a:\n  x.zero_()\n", b"if a:\n  b; x.zero_()\n"
    gate.check(lonely, Applied(b"if a:\n  pass\n", tuple(find(lonely)), (), (Splice(8, 17, b"pass"),)))
    with pytest.raises(GateError, match="cannot be parsed"):
        gate.check(lonely, Applied(b"if a:\n", tuple(find(lonely)), (), (Splice(6, 18, b""),)))
    needless = Applied(b"if a:\n  b; pass\n", tuple(find(one_of_two)), (), (Splice(11, 20, b"pass"),))
    with pytest.raises(GateError, match="differs"):
        gate.check(one_of_two, needless)


def check_replace(source: bytes, place: Span, text: str, site: Span) -> bytes:
    result = edits.apply(source, [decision(site, Replace(place, text))])
    gate.check(source, result)
    return result.text


@pytest.mark.parametrize("text", ["b + c", "b, c", "b if c else d", "(b", "b)", "b #", "b; c", "lambda: b"])
def test_an_edit_that_reads_differently_in_its_place(text: str) -> None:
    name = Span(1, 4, 1, 5)
    with pytest.raises(GateError):
        check_replace(b"y = a * 2\n", name, text, name)


@pytest.mark.parametrize(
    ("source", "place", "text", "site", "expected"),
    [
        (b"y = a * 2\n", Span(1, 4, 1, 5), "(b + c)", Span(1, 4, 1, 5), b"y = (b + c) * 2\n"),
        (b"x = x - y\n", Span(1, 0, 1, 9), "x.sub_(y)", Span(1, 0, 1, 9), b"x.sub_(y)\n"),
        (b"y = f(a,\n b)\n", Span(1, 7, 2, 2), "", Span(1, 4, 2, 3), b"y = f(a)\n"),
        (b"y = x[a:b]\n", Span(1, 6, 1, 9), ":", Span(1, 4, 1, 10), b"y = x[:]\n"),
        (b"y = f(*a)\n", Span(1, 6, 1, 8), "*b", Span(1, 4, 1, 9), b"y = f(*b)\n"),
        (b"y = f(a=a)\n", Span(1, 6, 1, 7), "b", Span(1, 4, 1, 10), b"y = f(b=a)\n"),
        (b"y = f'{a} b'\n", Span(1, 7, 1, 8), "c", Span(1, 4, 1, 12), b"y = f'{c} b'\n"),
        (b"y = f'{a.b} c {d}'\n", Span(1, 9, 1, 10), "d", Span(1, 7, 1, 10), b"y = f'{a.d} c {d}'\n"),
        (b"y = f'{a:{b}}'\n", Span(1, 10, 1, 11), "c", Span(1, 4, 1, 14), b"y = f'{a:{c}}'\n"),
        (b"with a as x: pass\n", Span(1, 5, 1, 6), "b", Span(1, 5, 1, 6), b"with b as x: pass\n"),
        (b"y = (a\n )\n", Span(1, 5, 1, 6), "b  # c", Span(1, 5, 1, 6), b"y = (b  # c\n )\n"),
        (b"y = f(a)\n", Span(1, 7, 1, 7), ", b", Span(1, 4, 1, 8), b"y = f(a, b)\n"),
    ],
)
def test_edits_of_every_kind_of_node(source: bytes, place: Span, text: str, site: Span, expected: bytes) -> None:
    assert check_replace(source, place, text, site) == expected


def test_an_edit_outside_its_site() -> None:
    with pytest.raises(GateError, match="outside its site"):
        check_replace(b"y = a * b\n", Span(1, 8, 1, 9), "c", Span(1, 4, 1, 5))


def test_an_edit_of_a_header_is_no_exchange() -> None:
    with pytest.raises(GateError, match="does not exchange"):
        check_replace(b"if a:\n  b\n", Span(1, 0, 1, 2), "while", Span(1, 0, 2, 3))


def test_a_removal_must_name_a_statement() -> None:
    place = Span(1, 4, 1, 5)
    result = Applied(b"x = \n", (decision(place, Remove(place)),), (), (Splice(4, 5, b""),))
    with pytest.raises(GateError):
        gate.check(b"x = 1\n", result)


def test_equal_values_of_other_types_differ() -> None:
    for value in ("True", "1.0", "-1"):
        with pytest.raises(GateError, match="differs"):
            check_value(b"y = 1\n", value)


def check_value(source: bytes, value: str) -> None:
    """A file with another value than the decision promised."""
    place = Span(1, 4, 1, 5)
    edit = decision(place, Replace(place, "1"))
    gate._compare(
        ast.parse(source), ast.parse(f"y = {value}"), gate._promise(decode(source), ast.parse(source), [edit])
    )


def test_sums_deeper_than_the_recursion_limit() -> None:
    source = b"y = " + b" + ".join([b"a"] * 1500) + b"\nx = torch.zeros(1)\n"
    result = edits.apply(source, find(source))
    gate.check(source, result)
    assert result.text == source.replace(b"zeros", b"empty")
