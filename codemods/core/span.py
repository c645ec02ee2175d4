"""Where something stands in a file."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A stretch of source: lines count from 1, columns from 0 in UTF-8 bytes, as in `ast`."""

    line: int
    column: int
    end_line: int
    end_column: int


NOWHERE = Span(0, 0, 0, 0)


def span(node: ast.AST) -> Span:
    """The stretch that a parsed node covers."""
    line = getattr(node, "lineno", 0)
    column = getattr(node, "col_offset", 0)
    return Span(
        line, column, getattr(node, "end_lineno", line) or line, getattr(node, "end_col_offset", column) or column
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an argument: what happens at a place."""

    path: str
    span: Span
    text: str
    left: str = ""  # what of the write could still be seen after this step, in words


def lines_of(source: bytes) -> list[bytes]:
    """The lines of a file in UTF-8 as `ast` counts them, each with what ends it."""
    return source.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)


def between(source: bytes, one: ast.AST, other: ast.AST) -> bytes:
    """The text from the end of a node to the start of a later one, of a file in UTF-8."""
    first, last = span(one), span(other)
    lines = lines_of(source)
    if first.end_line == last.line:
        return lines[last.line - 1][first.end_column : last.column]
    middle = lines[first.end_line : last.line - 1]
    return b"".join((lines[first.end_line - 1][first.end_column :], *middle, lines[last.line - 1][: last.column]))
