"""Text edits as plain data: made by codemods, applied by `write`."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from codemods.core.span import Span, span


@dataclass(frozen=True, slots=True)
class Replace:
    """Put `text` in the place of a stretch of one expression; an empty stretch inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a whole statement out."""

    span: Span


@dataclass(frozen=True, slots=True)
class Insert:
    """Put a simple statement on a line of its own in front of another statement, which begins its line."""

    span: Span  # of that other statement
    text: str


@dataclass(frozen=True, slots=True)
class Import:
    """Put an import on a line of its own behind another one, which stands at the top level; once in a file."""

    span: Span  # of that other import
    text: str


Edit = Replace | Remove | Insert | Import


def rename_callee(call: ast.Call, name: str) -> Replace:
    """`a.b.old(...)` -> `a.b.<name>(...)`; the callee must be an attribute."""
    callee = call.func
    assert isinstance(callee, ast.Attribute)
    end_line, end = callee.end_lineno or 0, callee.end_col_offset or 0
    return Replace(Span(end_line, end - len(callee.attr.encode()), end_line, end), name)


def after(node: ast.AST, upto: ast.AST) -> Span:
    """From the end of one node to the end of a later one."""
    first, last = span(node), span(upto)
    return Span(first.end_line, first.end_column, last.end_line, last.end_column)
