"""Changes -> a patch that plain `git apply` takes and `git apply -R` undoes, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# moreorless and difflib.unified_diff split text like str.splitlines, so a \r or a form feed would end a line,
# and unidiff only reads patches: lines are made here, difflib matches them
from difflib import SequenceMatcher
from pathlib import Path

CONTEXT = 3
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


@dataclass(frozen=True, slots=True)
class Change:
    """One file; `name` is its path inside the patch, with forward slashes, relative to where the patch applies."""

    path: Path
    name: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Hunk:
    """A piece of a patch with its `@@` line. It covers `line` to `end_line` of the old file, context included."""

    line: int
    end_line: int
    text: bytes


def render(changes: Sequence[Change]) -> bytes:
    """The whole patch, files in the order given; empty when nothing changes."""
    return b"".join(
        header(change) + b"".join(hunk.text for hunk in hunks(change))
        for change in changes
        if change.before != change.after
    )


def header(change: Change) -> bytes:
    """The lines that name the file."""
    old, new = _quote("a/" + change.name), _quote("b/" + change.name)
    end = b"\t" if b" " in old and not old.startswith(b'"') else b""  # as git does, or the name would end at the space
    return b"diff --git %s %s\n--- %s%s\n+++ %s%s\n" % (old, new, old, end, new, end)


def hunks(change: Change) -> tuple[Hunk, ...]:
    """In file order."""
    old, new = _lines(change.before), _lines(change.after)
    matcher = SequenceMatcher(None, old, new)
    return tuple(_hunk(old, new, codes) for codes in matcher.get_grouped_opcodes(CONTEXT))


def root_of(path: Path) -> Path:
    """Where the patch applies: the root of the git repository around `path`; outside git the path itself
    (for a file, the directory it lies in)."""
    place = path.resolve()
    if not place.is_dir():
        place = place.parent
    for candidate in (place, *place.parents):
        if os.path.lexists(candidate / ".git"):  # a file in worktrees and submodules
            return candidate
    return place


def _lines(data: bytes) -> list[bytes]:
    """With their ends; only \\n ends a line for git."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _hunk(old: Sequence[bytes], new: Sequence[bytes], codes: Sequence[tuple[str, int, int, int, int]]) -> Hunk:
    first, last = codes[0], codes[-1]
    body: list[bytes] = []
    for tag, low, high, new_low, new_high in codes:
        if tag == "equal":
            body += _marked(b" ", old[low:high])
        else:
            body += [*_marked(b"-", old[low:high]), *_marked(b"+", new[new_low:new_high])]
    head = f"@@ -{_extent(first[1], last[2])} +{_extent(first[3], last[4])} @@\n".encode()
    return Hunk(first[1] + 1, max(last[2], first[1] + 1), head + b"".join(body))


def _marked(mark: bytes, lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"


def _extent(low: int, high: int) -> str:
    count = high - low
    if count == 1:
        return str(low + 1)
    return f"{low + 1 if count else low},{count}"


def _quote(name: str) -> bytes:
    """As git writes names: in quotes with C escapes where a byte is not plain ASCII."""
    raw = os.fsencode(name)
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in raw):
        return raw
    return b'"' + "".join(_escaped(byte) for byte in raw).encode() + b'"'


def _escaped(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
