"""Edits change what they name and not one byte more."""

from __future__ import annotations

import ast
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from write_sources import decision, find, sources

from codemods.core.edit import Remove, Replace
from codemods.core.span import Span, span
from codemods.write import edits, gate
from codemods.write.edits import CannotEdit
from codemods.write.source import decode


def rewrite(source: bytes) -> bytes:
    result = edits.apply(source, find(source))
    gate.check(source, result)
    assert result.deferred == ()
    return result.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"x = torch.zeros(n)\r\ny = 1", b"x = torch.empty(n)\r\ny = 1", id="CRLF, no final newline"),
        pytest.param(b"\xef\xbb\xbfx = torch.zeros(n)\n", b"\xef\xbb\xbfx = torch.empty(n)\n", id="BOM"),
        pytest.param(
            b"# coding: latin-1\ns = '\xe9'; x = torch.zeros(n)  # \xfc\n",
            b"# coding: latin-1\ns = '\xe9'; x = torch.empty(n)  # \xfc\n",
            id="latin-1",
        ),
        pytest.param(
            "s = 'é\u2028\x0c'; x = torch.zeros(n)\n\x0c\ny = torch.zeros(2)\n".encode(),
            "s = 'é\u2028\x0c'; x = torch.empty(n)\n\x0c\ny = torch.empty(2)\n".encode(),
            id="what only str.splitlines takes for line ends",
        ),
        pytest.param(b"a = 1\rx = torch.zeros(n)\r", b"a = 1\rx = torch.empty(n)\r", id="lone CR"),
        pytest.param(b"x = torch \\\n  .zeros(\n    n)", b"x = torch \\\n  .empty(\n    n)", id="continuation"),
        pytest.param(b"x = torch.full((n,), 1 , device=d)", b"x = torch.empty((n,) , device=d)", id="two edits"),
        pytest.param(b"@f(torch.zeros(1))\ndef g(): x.zero_()", b"@f(torch.empty(1))\ndef g(): pass", id="decorator"),
    ],
)
def test_expressions(before: bytes, after: bytes) -> None:
    assert rewrite(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("x.zero_()", "", id="whole file"),
        pytest.param("a\nx.zero_()\nb\n", "a\nb\n", id="a line"),
        pytest.param("a\r\nx.zero_()  # c\r\nb\r\n", "a\r\nb\r\n", id="CRLF, trailing comment"),
        pytest.param("# above\nx.zero_()  # c\n# below\n", "# above\n# below\n", id="comment lines stay"),
        pytest.param("# c \\\nx.zero_()\nb\n", "# c \\\nb\n", id="a comment cannot be continued"),
        pytest.param("a; x.zero_() ;  # c\nz", "a ;  # c\nz", id="last of several"),
        pytest.param("x.zero_(); a  # c", "a  # c", id="first of several"),
        pytest.param("a;x.zero_();b;y.zero_();z.zero_()", "a;b", id="runs of several"),
        pytest.param("x.zero_(); y.zero_()\nb", "b", id="all of several"),
        pytest.param("a; \\\n x.zero_(); \\\n b\n", "a; \\\n b\n", id="continuations between"),
        pytest.param("x[\n  1].zero_() \\\n\nb", "b", id="over several lines"),
        pytest.param("if x: x.zero_()  # c\nb", "if x: pass  # c\nb", id="one-line suite"),
        pytest.param("if x: x.zero_(); a", "if x: a", id="one-line suite of two"),
        pytest.param("if x: x.zero_(); y.zero_()", "if x: pass", id="one-line suite, all"),
        pytest.param("if x:\n  # k\n  x.zero_()  # c\nb", "if x:\n  # k\n  pass\nb", id="only statement"),
        pytest.param("if x:\n\tx.zero_()\n\ty.zero_();\nb", "if x:\n\tpass\nb", id="only statements"),
        pytest.param("if x:\n  x.zero_()\nelse:\n  x.zero_()", "if x:\n  pass\nelse:\n  pass", id="both branches"),
        pytest.param("def f():\n  'd'\n  x.zero_()", "def f():\n  'd'\n", id="a docstring is enough"),
        pytest.param("def f():\n  x.zero_()\n  'd'\n", "def f():\n  pass\n  'd'\n", id="no new docstring"),
        pytest.param("class C: x.zero_(); 'd'\n", "class C: pass; 'd'\n", id="no new docstring on one line"),
        pytest.param("if x:\n  x.zero_()\n  'd'\n", "if x:\n  'd'\n", id="no docstring in an if"),
        pytest.param("@d\ndef f():\n  x.zero_()\n  return\n", "@d\ndef f():\n  return\n", id="decorated"),
        pytest.param("\x0cx.zero_()\n\x0c\n\x0cb", "\x0c\n\x0cb", id="form feeds"),
        pytest.param("a\rx.zero_()\rb", "a\rb", id="lone CR"),
        pytest.param("é = 'ü'; x.zero_(); ß = 1\n", "é = 'ü'; ß = 1\n", id="columns in bytes"),
        pytest.param("a = torch.zeros(1); x.zero_()", "a = torch.empty(1)", id="beside a replacement"),
    ],
)
def test_statements(before: str, after: str) -> None:
    assert rewrite(before.encode()).decode() == after


@given(sources(), st.data())
def test_any_formatting(source: bytes, data: st.DataObject) -> None:
    chosen = [site for site in find(source) if data.draw(st.booleans())]
    result = edits.apply(source, chosen)
    gate.check(source, result)
    assert len(result.applied) == len(chosen)
    left = len(find(source)) - len(chosen)
    assert len(find(result.text)) == left
    assert result.text.count(b"# x.zero_()") == source.count(b"# x.zero_()")
    assert result.text.startswith(codecs.BOM_UTF8) == source.startswith(codecs.BOM_UTF8)
    assert (result.text == source) == (not chosen)


@given(sources())
def test_nothing_is_left_to_do(source: bytes) -> None:
    text = edits.apply(source, find(source)).text
    assert find(text) == []
    assert decode(text).coding == decode(source).coding


def test_the_first_of_two_that_overlap_wins() -> None:
    source = b"x = f(torch.zeros(n))\n"
    inner = decision(Span(1, 6, 1, 20), Replace(Span(1, 12, 1, 17), "empty"))
    outer = decision(Span(1, 4, 1, 21), Replace(Span(1, 4, 1, 21), "g()"))
    result = edits.apply(source, [inner, outer])
    assert (result.text, result.applied, result.deferred) == (b"x = g()\n", (outer,), (inner,))


def test_all_edits_of_a_decision_or_none() -> None:
    source = b"a = 1; b = 2; c = 3\n"
    one = decision(Span(1, 4, 1, 5), Replace(Span(1, 4, 1, 5), "9"))
    both = decision(Span(1, 4, 1, 19), Replace(Span(1, 4, 1, 5), "8"), Replace(Span(1, 18, 1, 19), "7"))
    result = edits.apply(source, [both, one])
    assert (result.text, result.deferred) == (b"a = 9; b = 2; c = 3\n", (both,))


def test_two_decisions_on_one_statement() -> None:
    assert rewrite(b"x = torch.zeros(1) + torch.zeros(2)") == b"x = torch.empty(1) + torch.empty(2)"


def test_a_decision_without_edits_is_not_applied() -> None:
    result = edits.apply(b"a\n", [decision(Span(1, 0, 1, 1))])
    assert (result.text, result.applied, result.deferred) == (b"a\n", (), ())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"# coding: no-such\nx.zero_()\n", "cannot be decoded: unknown encoding: no-such"),
        (b"x.zero_()\n# \xff\n", "cannot be decoded: 'utf-8' codec can't decode byte 0xff"),
        (b"# coding: utf-7\nx.zero_() # +AGE-\n", "does not give the same bytes back"),
        (b"if a:\n \\\n  x.zero_()\n  b\n", "libcst cannot parse the file"),
        (b"f(\nx.zero_()\n", "libcst cannot parse the file"),
        (b"x.zero_()\ndef f(): return(a if b else c)\n", "libcst cannot parse the file .*after 'return'"),
    ],
)
def test_files_that_cannot_be_edited(source: bytes, message: str) -> None:
    line = next(number for number, line in enumerate(source.split(b"\n"), 1) if b"x.zero_()" in line)
    column = source.split(b"\n")[line - 1].index(b"x")
    place = Span(line, column, line, column + 9)
    with pytest.raises(CannotEdit, match=message):
        edits.apply(source, [decision(place, Remove(place))])


def test_a_character_that_the_coding_lacks() -> None:
    source = b"# coding: latin-1\nx = 1\n"
    with pytest.raises(CannotEdit, match="coding, iso8859-1"):
        edits.apply(source, [decision(Span(2, 4, 2, 5), Replace(Span(2, 4, 2, 5), "'日'"))])


def test_a_coding_with_shift_states_is_cut_only_between_them() -> None:
    source = "# coding: iso2022_jp\ns = '日本'; x = torch.zeros(1)\n".encode("iso2022_jp")
    assert rewrite(source) == source.replace(b"zeros", b"empty")
    inside = Span(2, 8, 2, 11)
    with pytest.raises(CannotEdit, match="cannot be cut here"):
        edits.apply(source, [decision(inside, Replace(inside, "x"))])


@pytest.mark.parametrize("place", [Span(3, 0, 3, 1), Span(1, 9, 1, 9), Span(1, 3, 1, 1), Span(0, 0, 0, 0)])
def test_places_that_the_file_does_not_have(place: Span) -> None:
    with pytest.raises(CannotEdit):
        edits.apply(b"x = 1\n", [decision(place, Replace(place, "y"))])


@pytest.mark.parametrize(
    "source",
    [b"for a in x:\n    b\n", b"if a: b\nelif c: d\n", b"@d\ndef f(): pass\n", b"x = [i for i in y]\n"],
)
def test_only_simple_statements_are_taken_out(source: bytes) -> None:
    first = ast.parse(source).body[0]
    blocks = [node for node in ast.walk(first) if hasattr(node, "body") or hasattr(node, "elt")]
    place = span(blocks[-1])  # of the if, its elif
    with pytest.raises(CannotEdit, match="only a simple statement"):
        edits.apply(source, [decision(place, Remove(place))])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nif b:\n    c  # d\nelse:\n    e; f;  # g\nh\n", b"a\nh\n"),
        (b"for a in b:\n    if c: d\n", b"for a in b:\n    pass\n"),
        (b"if a:\r\n\tif b:\r\n\t\tc\r\n\td\r\n", b""),
        (b"def f():\n    if a:\n        b\n    'no docstring'\n", b"def f():\n    pass\n    'no docstring'\n"),
    ],
)
def test_an_if_goes_with_all_that_is_in_it(before: bytes, after: bytes) -> None:
    place = span(next(node for node in ast.walk(ast.parse(before)) if isinstance(node, ast.If)))
    result = edits.apply(before, [decision(place, Remove(place))])
    assert result.text == after
    gate.check(before, result)


def test_lines_of_a_source() -> None:
    source = decode(b"\xef\xbb\xbfa\r\nb\rc\nd")
    assert [source.line(number) for number in range(6)] == ["", "a", "b", "c", "d", ""]
