"""Source text to a tree, and in words why that did not work."""

from __future__ import annotations

import ast
import warnings

from codemods.core.report import Notice


def parse(source: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the scanned code: invalid escapes, `is` with a literal
        return ast.parse(source)


def unreadable(error: Exception, name: str) -> Notice:
    match error:
        case SyntaxError(lineno=line, msg=message):
            return Notice(name, line or 1, f"cannot be parsed: {message}")
        case RecursionError() | MemoryError():
            return Notice(name, 1, "cannot be parsed: nested too deeply")
    return Notice(name, 1, f"cannot be parsed: {error}")
