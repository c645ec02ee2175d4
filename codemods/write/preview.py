"""One statement as it will read after the rewrite."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from codemods.core.edit import Edit, Insert, Remove
from codemods.core.span import Span, span
from codemods.write.source import CannotEdit, decode


def preview(edits: Sequence[Edit], statement: ast.AST, source: bytes) -> str | None:
    """The statement after the rewrite; what stands in front of the loop where it moves; "" when it goes, None when it
    cannot be written."""
    head = _head(statement)
    try:
        whole = decode(source)
        low, high = whole.stretch(head)
        placed = sorted(((*whole.stretch(edit.span), edit) for edit in edits), key=lambda item: item[:2], reverse=True)
    except CannotEdit:
        return None
    for edit in edits:
        if isinstance(edit, Insert):
            return _dedent(edit.text, edit.span.column)
    text = whole.utf8
    for start, end, edit in placed:
        if start == low and isinstance(edit, Remove):  # of the whole of it, its body too
            return ""
        if low <= start and end <= high:
            if isinstance(edit, Remove):
                return ""
            new = edit.text.encode()
            text = text[:start] + new + text[end:]
            high += len(new) - (end - start)
    return _dedent(text[low:high].decode().rstrip(), head.column)


def _head(statement: ast.AST) -> Span:
    """The statement, or what comes before the body where it has one."""
    whole = span(statement)
    bodies: list[Any] = [getattr(statement, part, None) for part in ("body", "cases", "handlers")]
    inner = [span(getattr(body[0], "pattern", None) or body[0]) for body in bodies if isinstance(body, list) and body]
    return Span(whole.line, whole.column, inner[0].line, inner[0].column) if inner else whole


def _dedent(text: str, column: int) -> str:
    first, *rest = text.splitlines() or [""]
    return "\n".join([first, *(line[column:] if not line[:column].strip() else line.lstrip() for line in rest)])
