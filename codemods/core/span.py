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
