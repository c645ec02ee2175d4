"""Which classes name which others among their bases, by the text of a file: most files are never parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator

RENAMED = re.compile(
    rb"\b(\w+)[ \t]+as[ \t]+(\w+)|^[ \t]*(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*(?:\w+\.)*(\w+)[ \t]*(?:[#;\r].*)?$",
    re.MULTILINE,
)
SUBCLASS = re.compile(
    rb"^[ \t]*class[ \t]+(\w+)[ \t]*(?:\[[^\]]*\])?[ \t]*\(((?:#[^\n]*|[^#])*?)\)[ \t]*:", re.MULTILINE
)


def classes(source: bytes) -> Iterator[tuple[str, set[str]]]:
    """Every class of a file, wherever in it, with all names in its list of bases."""
    for match in SUBCLASS.finditer(source):
        yield match[1].decode(), {base.decode() for base in re.findall(rb"\w+", match[2])}


def renames(source: bytes) -> frozenset[tuple[str, str]]:
    """Names with other names that are given to the same: by an import, or an assignment."""
    found = ((match[1], match[2]) if match[1] else (match[4], match[3]) for match in RENAMED.finditer(source))
    return frozenset((old.decode(), new.decode()) for old, new in found if old != new)
