"""All classes of a checkout by the text of its files: which stand below one, and what else may exchange a method."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from codemods.read.bases import Text

Read = Callable[[str], bytes]  # the source of a module; empty where there is none
Place = tuple[str, str]  # module, class


@dataclass(eq=False)
class World:
    """`texts`: by module."""

    texts: dict[str, Text]
    read: Read
    found: dict[str, bytes] = field(default_factory=dict)  # sources that were looked into

    @cached_property
    def below(self) -> dict[bytes, tuple[Place, ...]]:
        """Classes that name this one among their bases."""
        found: dict[bytes, list[Place]] = {}
        for module, text in self.texts.items():
            for name, bases in text.classes:
                for base in bases:
                    found.setdefault(base, []).append((module, name.decode()))
        return {name: tuple(every) for name, every in found.items()}

    @cached_property
    def renames(self) -> frozenset[tuple[bytes, bytes]]:
        """Other names of what a class names as a base."""
        return self._kept(pair for text in self.texts.values() for pair in text.renames)

    @cached_property
    def odd(self) -> frozenset[str]:
        """Modules with a class that may stand below any other."""
        computed = frozenset().union(*(text.computed for text in self.texts.values()))
        todo = [
            (module, name)
            for module, text in self.texts.items()
            for name, bases in text.above
            if name in text.wild or bases & computed
        ]
        for _, name in todo:
            todo += sorted({(module, one.encode()) for module, one in self.below.get(name, ())} - set(todo))
        return frozenset(module for module, _ in todo)

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
        names = {name for one in classes for name in self.names_of(one.encode())}
        wanted = {attr.encode(), b"*"}
        if any(holder in names and one in wanted for text in self.texts.values() for holder, one in text.patches):
            return True
        if any(self.defines(module, attr) for module in self.odd):
            return True
        return any(
            (text.makes or (b"*", b"*") in text.patches)
            and (self.mentions(module, names) or self.defines(module, attr))
            for module, text in self.texts.items()
        )

    def source(self, module: str) -> bytes:
        if module not in self.found:
            self.found[module] = self.read(module)
        return self.found[module]

    def mentions(self, module: str, words: set[bytes]) -> bool:
        return not words.isdisjoint(re.findall(rb"\w+", self.source(module)))

    def defines(self, module: str, attr: str) -> bool:
        """The body of a class may bind the name, or do so in a way that is not written out."""
        source, name = self.source(module), re.escape(attr.encode())
        bound = (
            rb"(?:def|class|as|import|for)\s+%s\b|[\s,;(]%s\s*(?:[,:=)]|$)|['\"]%s['\"]|\b(?:locals|vars|exec)\b"
            % ((name,) * 3)
        )
        return re.search(rb"\b%s\b" % name, source) is not None and re.search(bound, source) is not None
