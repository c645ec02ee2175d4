"""Patterns that are looked for in every file."""

from __future__ import annotations

import re
import sys

_POSSESSIVE = re.compile(rb"(\\.|[^\\])([*+?])\+")


def pattern(text: bytes) -> re.Pattern[bytes]:
    """Possessive quantifiers halve the time of a search; Python 3.10 does not know them, and has greedy ones instead.
    So the text must be one that matches the same with both."""
    return re.compile(text if sys.version_info >= (3, 11) else greedy(text))


def greedy(text: bytes) -> bytes:
    """The same pattern without possessive quantifiers."""
    return _POSSESSIVE.sub(rb"\1\2", text)
