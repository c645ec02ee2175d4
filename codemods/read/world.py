"""All classes of a checkout by the text of its files: which stand below one, and what else may exchange a method."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from codemods.read.bases import Text, text_of
from codemods.read.looked import Looked, content, digest, python_files, together
from codemods.read.roots import dotted_of

Place = tuple[str, str]  # module, class


@dataclass(eq=False)
class World:
    """All by module. `sources`: those that are known; the others are read when they are asked about."""

    texts: dict[str, Text]
    files: Mapping[str, Path] = field(default_factory=dict)
    sources: dict[str, bytes] = field(default_factory=dict)
    asked: dict[tuple[frozenset[str], str], bool] = field(default_factory=dict)

    @cached_property
    def below(self) -> dict[bytes, tuple[Place, ...]]:
        """Classes that name this one among their bases."""
        found: dict[bytes, list[Place]] = {}
        for module, text in self.texts.items():
            for name, bases in text.classes:
                for base in bases:
                    found.setdefault(base, []).append((module, name.decode(errors="replace")))
        return {name: tuple(every) for name, every in found.items()}

    @cached_property
    def renames(self) -> frozenset[tuple[bytes, bytes]]:
        """Other names of what a class names as a base."""
        return self._kept(pair for text in self.texts.values() for pair in text.renames)

    @cached_property
    def odd(self) -> frozenset[str]:
        """Modules with a class that may stand below any other, or above one that does."""
        computed = frozenset().union(*(text.computed for text in self.texts.values()))
        todo = [
            (module, name)
            for module, text in self.texts.items()
            for name, bases in text.above
            if name in text.wild or bases & computed
        ]
        for _, name in todo:
            todo += sorted({(module, one.encode()) for module, one in self.below.get(name, ())} - set(todo))
        return frozenset({module for module, _ in todo} | self._beside({name for _, name in todo}))

    def _beside(self, names: set[bytes]) -> set[str]:
        """Modules of what else stands above classes of these names: it may come first."""
        places: dict[bytes, list[tuple[str, frozenset[bytes]]]] = {}
        for module, text in self.texts.items():
            for name, bases in text.above:
                places.setdefault(name, []).append((module, bases))
        first: dict[bytes, set[bytes]] = {}
        for old, new in self.renames:
            first.setdefault(new, set()).add(old)
        found: set[str] = set()
        todo = list(names)
        for name in todo:
            above = first.get(name, set()).union(*(bases for _, bases in places.get(name, ())))
            todo += sorted(above - set(todo))
            found |= {module for module, _ in places.get(name, ())}
        return found

    def names_of(self, name: bytes) -> tuple[bytes, ...]:
        """A class may also be known by these."""
        names = [name]
        for known in names:
            names += sorted({new for old, new in self.renames if old == known} - set(names))
        return tuple(names)

    def subclasses(self, name: str) -> tuple[Place, ...]:
        """Classes that name this one among their bases."""
        return tuple(dict.fromkeys(one for known in self.names_of(name.encode()) for one in self.below.get(known, ())))

    def _kept(self, pairs: Iterable[tuple[bytes, bytes]]) -> frozenset[tuple[bytes, bytes]]:
        every = frozenset(pairs)
        used = frozenset(self.below)
        for _ in range(3):
            used |= {old for old, new in every if new in used}
        return frozenset(pair for pair in every if pair[1] in used)

    def exchanged(self, classes: Iterable[str], attr: str) -> bool:
        """A method of one of these classes may be another one, by what is written somewhere in the checkout."""
        asked = frozenset(classes), attr
        if asked not in self.asked:
            self.asked[asked] = self._exchanged(*asked)
        return self.asked[asked]

    def _exchanged(self, classes: frozenset[str], attr: str) -> bool:
        names = {name for one in classes for name in self.names_of(one.encode())}
        if any(name[:1].islower() for name in names):
            return True  # what is set of these is not looked for
        wanted = {attr.encode(), b"*"}
        if any(holder in names and one in wanted for text in self.texts.values() for holder, one in text.patches):
            return True
        if any(self.defines(module, attr) for module in self.odd):
            return True
        return any(self.mentions(module, names) or self.defines(module, attr) for module in self.making)

    @cached_property
    def making(self) -> tuple[str, ...]:
        """Modules that make classes by calls, or patch them under names that are not written out."""
        return tuple(module for module, text in self.texts.items() if text.makes or (b"*", b"*") in text.patches)

    def source(self, module: str) -> bytes:
        if module not in self.sources:
            file = self.files.get(module)
            self.sources[module] = (content(file)[0] if file else None) or b""
        return self.sources[module]

    def mentions(self, module: str, words: set[bytes]) -> bool:
        source = self.source(module)
        return any(word in source and re.search(rb"\b%s\b" % word, source) for word in words)

    def defines(self, module: str, attr: str) -> bool:
        """The body of a class may bind the name, or do so in a way that is not written out."""
        source, name = self.source(module), attr.encode()
        if name not in source:
            return False
        bound = (
            rb"(?:def|class|as|import|for)\s+%s\b|[\s,;(]%s\s*(?:[,:=)]|$)|['\"]%s['\"]|\b(?:locals|vars|exec)\b"
            rb"|\.%s\s*(?::[^=\n]*)?=(?!=)" % ((name,) * 4)
        )
        return re.search(rb"\b%s\b" % name, source) is not None and re.search(bound, source) is not None


def world_of(top: Path) -> tuple[World, Looked]:
    """All classes below a folder, which lies in the folder in which imports begin, and what was looked at."""
    texts: dict[str, Text] = {}
    files: dict[str, Path] = {}
    parts: list[tuple[str, str]] = []
    for file in python_files(top):
        source, seen = content(file)
        parts.append((str(file), seen))
        dotted, _ = dotted_of(file, top.parent)
        texts[dotted], files[dotted] = text_of(source or b""), file
    world = World(texts, files)
    return world, Looked("classes", str(top), together(parts), _means(world, dict(parts)))


def _means(world: World, seen: dict[str, str]) -> str:
    """All that a question about classes may depend on, by its digest."""
    asked = sorted({*world.odd, *world.making})
    patches = sorted(patch for text in world.texts.values() for patch in text.patches)
    told = (sorted(world.below.items()), sorted(world.renames), patches, world.making)
    return digest(repr((told, [(module, seen[str(world.files[module])]) for module in asked])).encode())
