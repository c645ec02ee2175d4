"""Which bytes to take out so that whole statements go and the file still parses.

libcst tells where lines, semicolons and comments are; it never prints the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import groupby

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper

from codemods.core.span import Span
from codemods.write.source import CannotEdit, Source

Place = tuple[int, int]  # offsets in the UTF-8 text
Cut = tuple[int, int, str]  # from, up to, and what takes its place

_INDENT = re.compile(rb"(?:\A|(?<=[\r\n]))(?:[ \t\f]*\\(?:\r\n|\r|\n))*[ \t\f]*\Z")
_TAIL = re.compile(rb"(?:[ \t\f;]|\\(?:\r\n|\r|\n))*(?:#[^\r\n]*)?")
_NEWLINE = re.compile(rb"\r\n|\r|\n|\Z")


@dataclass(frozen=True, slots=True)
class _Row:
    """The simple statements of one logical line, or an `if` with all that is in it; `inline` when it stands behind
    the colon of `if x:`."""

    statements: tuple[Place, ...]
    inline: bool


@dataclass(frozen=True, slots=True)
class _Suite:
    lines: tuple[_Row | None, ...]  # None is any other compound statement
    may_be_empty: bool
    strings: frozenset[Place]  # statements that are a docstring where they come first

    @property
    def first(self) -> Place | None:
        return self.lines[0].statements[0] if self.lines and self.lines[0] else None


def removals(source: Source, spans: Set[Span]) -> Iterator[Cut]:
    """The cuts that take out these simple statements and `if` statements, each given by exactly its own span.

    A trailing comment goes with its line; comment lines above stay. `pass` takes the place of a suite's only
    statement, and of one without which the string behind it would turn into a docstring.
    Raises CannotEdit when libcst cannot read the file or one of them is another compound statement.
    """
    wanted = {source.stretch(span): span for span in spans}
    for suite in _suites(source.utf8, dict(wanted.keys())):
        places = [place for row in suite.lines if row for place in row.statements]
        if gone := {place for place in places if place in wanted}:
            yield from _cuts(source.utf8, suite, gone)
            for place in gone:
                del wanted[place]
    if wanted:
        raise CannotEdit(f"line {min(wanted.values()).line}: only a simple statement or an if can be taken out")


def _cuts(utf8: bytes, suite: _Suite, gone: set[Place]) -> Iterator[Cut]:
    passed = _needs_pass(suite, gone)
    for row in suite.lines:
        if row is None or gone.isdisjoint(row.statements):
            continue
        kept = [place for place in row.statements if place not in gone or place == passed]
        if not kept:
            yield _whole_line(utf8, row)
        elif kept == [passed] and not row.inline:  # the comment spoke of what goes
            yield row.statements[0][0], _tail(utf8, row), "pass"
        else:
            if passed in kept:
                yield *passed, "pass"
            yield from _partial(row, kept)


def _needs_pass(suite: _Suite, gone: set[Place]) -> Place | None:
    """The removed statement whose place a `pass` must take."""
    flat = [place for row in suite.lines for place in (row.statements if row else (None,))]
    rest = [place for place in flat if place not in gone]
    if not rest:
        return None if suite.may_be_empty else flat[0]
    return flat[0] if rest[0] in suite.strings and flat[0] in gone else None


def _whole_line(utf8: bytes, row: _Row) -> Cut:
    indent = _INDENT.search(utf8, 0, row.statements[0][0])
    end = _NEWLINE.match(utf8, _tail(utf8, row))
    if indent is None or end is None:
        raise CannotEdit("a statement to be taken out shares its line with something unexpected")
    return indent.start(), end.end(), ""


def _tail(utf8: bytes, row: _Row) -> int:
    """Where the line's last semicolon and comment end."""
    tail = _TAIL.match(utf8, row.statements[-1][1])
    return tail.end() if tail else row.statements[-1][1]


def _partial(row: _Row, kept: Sequence[Place]) -> Iterator[Cut]:
    """Each run of removed statements goes with the semicolons behind it, or before it where nothing follows."""
    runs = [(stays, list(run)) for stays, run in groupby(row.statements, key=lambda place: place in kept)]
    for index, (stays, run) in enumerate(runs):
        if stays:
            continue
        if index + 1 < len(runs):
            yield run[0][0], runs[index + 1][1][0][0], ""
        else:
            yield runs[index - 1][1][-1][1], run[-1][1], ""


def _suites(utf8: bytes, ends: Mapping[int, int]) -> tuple[_Suite, ...]:
    text = _readable(utf8)
    try:
        module = cst.parse_module(text.decode())
        if module.code.encode() != text:
            raise CannotEdit("libcst does not read the file faithfully")
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        visitor = _Suites(ends, wrapper.resolve(ByteSpanPositionProvider))
        module.visit(visitor)
    except cst.ParserSyntaxError as error:
        raise CannotEdit(f"libcst cannot parse the file (line {error.raw_line})") from None
    except cst.CSTValidationError as error:  # `return(a if b else c)` is too tight for it
        raise CannotEdit(f"libcst cannot parse the file ({error})") from None
    except RecursionError:
        raise CannotEdit("the file is nested too deeply for libcst") from None
    return tuple(visitor.found)


def _readable(utf8: bytes) -> bytes:
    """Text of the same length in which libcst finds the statements at the same places.

    It knows no lone \\r, and no form feed in an indentation, where Python starts to count columns anew.
    """
    text = re.sub(rb"\r(?!\n)", b"\n", utf8)
    return re.sub(rb"^[ \t\f]*\f", lambda match: match[0].replace(b"\f", b"\n"), text, flags=re.MULTILINE)


class _Suites(cst.CSTVisitor):
    def __init__(self, ends: Mapping[int, int], places: Mapping[cst.CSTNode, CodeSpan]) -> None:
        super().__init__()
        self.ends = ends
        self.places = places
        self.found: list[_Suite] = []
        self.documented: set[cst.CSTNode] = set()  # bodies whose first string is a docstring

    def visit_Module(self, node: cst.Module) -> None:
        self._add(node.body, documented=True, may_be_empty=True)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.documented.add(node.body)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.documented.add(node.body)

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> None:
        self._add(node.body, documented=node in self.documented)

    def visit_SimpleStatementSuite(self, node: cst.SimpleStatementSuite) -> None:
        self._add((node,), documented=node in self.documented)

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        return False

    def _add(self, body: Sequence[cst.CSTNode], *, documented: bool, may_be_empty: bool = False) -> None:
        lines: list[_Row | None] = []
        strings: set[Place] = set()
        for line in body:
            if not isinstance(line, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
                lines.append(_Row((self._compound(line),), inline=False) if isinstance(line, cst.If) else None)
                continue
            lines.append(
                _Row(tuple(self._place(small) for small in line.body), isinstance(line, cst.SimpleStatementSuite))
            )
            strings |= {self._place(small) for small in line.body if documented and _is_string(small)}
        self.found.append(_Suite(tuple(lines), may_be_empty, frozenset(strings)))

    def _compound(self, node: cst.If) -> Place:
        """For `ast` a semicolon behind its last statement may belong to it."""
        start, end = self._place(node)
        return start, self.ends.get(start, end)

    def _place(self, node: cst.CSTNode) -> Place:
        span = self.places[node]
        return span.start, span.start + span.length


def _is_string(statement: cst.BaseSmallStatement) -> bool:
    if not isinstance(statement, cst.Expr) or not isinstance(
        statement.value, (cst.SimpleString, cst.ConcatenatedString)
    ):
        return False
    return isinstance(statement.value.evaluated_value, str)
