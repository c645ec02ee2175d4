"""Comments that take a site out: `# torch-codemods: ignore[zeros_to_empty] reason`."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from codemods.core.report import Notice

COMMENT = re.compile(
    r"#\s*torch-codemods:\s*ignore(?:\s*\[(?P<names>[^\]]*)\])?(?![\w-]|\s*\[)\s*[:-]*\s*(?P<reason>.*)"
)
OURS = re.compile(r"#\s*torch-codemods:")
MARKER = b"torch-codemods:"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment on `line`. No `names`: every codemod."""

    line: int
    names: tuple[str, ...]
    reason: str
    understood: bool = True

    def takes(self, codemod: str, lines: Collection[int]) -> bool:
        return self.understood and self.line in lines and (not self.names or codemod in self.names)


Used = set[tuple[int, str]]  # (line of the comment, codemod) of every site that was taken out


def suppressions(source: bytes) -> tuple[Suppression, ...]:
    """The suppressions of a file that parses, in source order."""
    if MARKER not in source:
        return ()
    return tuple(_suppression(line, text) for line, text in _comments(source) if OURS.match(text))


def notices(
    found: Sequence[Suppression], used: Used, known: Sequence[str], selected: Sequence[str], path: str
) -> list[Notice]:
    """What to tell about them: not understood, no such codemod, nothing to suppress, no reason given.

    Whether a codemod that was not selected would have had something to say is not known.
    """
    return [Notice(path, one.line, text) for one in found for text in _told(one, used, known, selected)]


def _told(one: Suppression, used: Used, known: Sequence[str], selected: Sequence[str]) -> Iterator[str]:
    if not one.understood:
        yield "suppression not understood: write `# torch-codemods: ignore[codemod] reason`"
        return
    for name in one.names:
        if name not in known:
            yield f"suppression of an unknown codemod {name!r}"
        elif name in selected and (one.line, name) not in used:
            yield f"unused suppression of {name}"
    if not one.names and set(known) <= set(selected) and not any(line == one.line for line, _ in used):
        yield "unused suppression"
    if not one.reason:
        yield "suppression without a reason"


def _suppression(line: int, text: str) -> Suppression:
    match = COMMENT.match(text)
    names = match["names"] if match else None
    listed = tuple(name.strip() for name in (names or "").split(",") if name.strip())
    if match is None or (names is not None and not listed):
        return Suppression(line, (), "", understood=False)
    return Suppression(line, listed, match["reason"].strip())


def _comments(source: bytes) -> Iterator[tuple[int, str]]:
    """Real comments only: a string that looks like one is not."""
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return
