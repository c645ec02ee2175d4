"""Which classes name which others among their bases, by the text of a file: most files are never parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codemods.read.looked import Looked, content, digest, python_files, together
from codemods.read.roots import dotted_of

AS = re.compile(rb" as[ \t]+(\w+)")  # what begins with plain text is found fast
TABBED = re.compile(rb"[ \t]as[ \t]+(\w+)")
BEFORE = re.compile(rb"(\w+)[ \t]*\Z")
ASSIGNED = re.compile(rb"\n[ \t]*(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*(?:\w+\.)*(\w+)[ \t]*(?:[#;\r].*)?$", re.MULTILINE)
SUBCLASS = re.compile(
    rb"^[ \t]*class[ \t]+(\w+)[ \t]*(?:\[[^\]]*\])?[ \t]*\(((?:#[^\n]*|[^#])*?)\)[ \t]*:", re.MULTILINE
)


def classes(source: bytes) -> Iterator[tuple[str, set[str]]]:
    """Every class of a file, wherever in it, with all names in its list of bases."""
    for match in SUBCLASS.finditer(source):
        yield match[1].decode(), {base.decode() for base in re.findall(rb"\w+", match[2])}


def renames(source: bytes) -> frozenset[tuple[str, str]]:
    """Names with other names that are given to the same: by an import, or an assignment."""
    found = [(match[2], match[1]) for match in ASSIGNED.finditer(b"\n" + source)]
    for match in (TABBED if b"\tas" in source else AS).finditer(source):
        first = source.rfind(b"\n", 0, match.start()) + 1
        if word := BEFORE.search(source[first : match.start()]):
            found.append((word[1], match[1]))
    return frozenset((old.decode(), new.decode()) for old, new in found if old != new)


@dataclass(frozen=True, slots=True)
class Derived:
    """Of all files below a folder. `below`: by the name of a base, the classes, as (module, class). `renamed`: names of
    bases that are other names of something, as (old, new)."""

    below: dict[str, tuple[tuple[str, str], ...]]
    renamed: frozenset[tuple[str, str]]
    looked: Looked


def derived(top: Path) -> Derived:
    """`top` lies in the folder in which imports begin."""
    below: dict[str, list[tuple[str, str]]] = {}
    renamed: set[tuple[str, str]] = set()
    parts: list[tuple[str, str]] = []
    for file in python_files(top):
        source, seen = content(file)
        parts.append((str(file), seen))
        if source is None:
            continue
        dotted, _ = dotted_of(file, top.parent)
        renamed |= renames(source)
        for name, bases in classes(source):
            for base in bases:
                below.setdefault(base, []).append((dotted, name))
    renamed = {(old, new) for old, new in renamed if new in below}
    means = digest(repr((sorted(below.items()), sorted(renamed))).encode())
    looked = Looked("classes", str(top), together(parts), means)
    return Derived({name: tuple(every) for name, every in below.items()}, frozenset(renamed), looked)
