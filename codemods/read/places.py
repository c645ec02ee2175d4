"""Text and syntax brought together: on which lines a match begins, and which statements hold them."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

NEWLINE = re.compile(rb"\r\n?|\n")


def lines_at(offsets: Iterable[int], source: bytes) -> list[int]:
    """The lines, from 1, of places in the text that come in order."""
    found, line, place = [], 1, 0
    plain = b"\r" not in source
    for upto in offsets:
        line += source.count(b"\n", place, upto) if plain else len(NEWLINE.findall(source, place, upto))
        place = upto
        found.append(line)
    return found


def first_line(node: ast.stmt) -> int:
    """Decorators are part of a statement."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(node.lineno, decorators[0].lineno) if decorators else node.lineno


def holds(node: ast.stmt, lines: Sequence[int]) -> bool:
    """One of the lines is one of the statement's."""
    start = first_line(node)
    place = bisect_left(lines, start)
    return place < len(lines) and lines[place] <= (node.end_lineno or start)
