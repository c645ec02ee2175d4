"""A decision as lines to read: what was decided, and the source that decided it with carets under the places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from codemods.core.span import Span, Step
from codemods.core.verdict import Decision
from codemods.write.evidence import saved
from codemods.write.source import CannotEdit, Source, decode

ReadLine = Callable[[str, int], str]  # path as in the report, line from 1 -> its text, "" where it cannot be had
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line on the screen; a caret line stands under the source line that it points into."""

    kind: Literal["head", "source", "caret", "note"]
    text: str


def blocks(decision: Decision, read_line: ReadLine) -> tuple[Line, ...]:
    """The headline, the place, then the covering lines or the path against it, and what would follow."""
    reason = decision.reason
    place = Step(decision.path, decision.span, reason.message if reason else "")
    steps = [place, *(reason.witness if reason else decision.because)]
    lines = [Line("head", headline(decision)), *trail(list(dict.fromkeys(steps)), decision.path, read_line)]
    return (*lines, *(Line("note", plain(note)) for note in _notes(decision)))


def headline(decision: Decision) -> str:
    """`12:9 drop_fill refuted[gap]: out in Class.method`, the column counted from 1 in bytes."""
    where = f"{decision.span.line}:{decision.span.column + 1}"
    return plain(f"{where} {decision.codemod} {ruling(decision)}: {decision.subject} in {decision.function}")


def ruling(decision: Decision) -> str:
    """The verdict with the reason for it in brackets, or the assumptions."""
    names = decision.reason.code if decision.reason else ", ".join(decision.assumes)
    return f"{decision.verdict}[{names}]" if names else decision.verdict


def trail(steps: Sequence[Step], path: str, read_line: ReadLine) -> Iterator[Line]:
    """Each step as its source line with carets; `path` is not named again. A step without a place is a note."""
    width = max((len(_label(step, path)) for step in steps), default=0)
    for step in steps:
        text = read_line(step.path, step.span.line) if step.span.line else ""
        said = plain(step.text)
        if not text.strip():
            where = f"{_label(step, path)}: " if step.span.line else ""
            if said:
                yield Line("note", where + said)
        else:
            yield Line("source", f"{_label(step, path):>{width}} | {plain(text)}")
            yield Line("caret", f"{'':>{width}} | {_carets(text, step.span)} {said}".rstrip())
        if step.left:
            yield Line("note", f"left: {plain(step.left)}")


def plain(text: str) -> str:
    """Without what would move a terminal's cursor or cannot be encoded."""
    return _UNPRINTABLE.sub("?", text)


def line_reader(read: Callable[[str], bytes]) -> ReadLine:
    """Lines of files by report path; each file is read once, and one that cannot be read has no lines."""
    cache: dict[str, Source | None] = {}

    def read_line(path: str, line: int) -> str:
        if path not in cache:
            try:
                cache[path] = decode(read(path))
            except (OSError, LookupError, CannotEdit):
                cache[path] = None
        source = cache[path]
        return source.line(line) if source else ""

    return read_line


def _label(step: Step, path: str) -> str:
    return str(step.span.line) if step.path == path else plain(f"{step.path}:{step.span.line}")


def _carets(text: str, place: Span) -> str:
    """Under the place's first line; columns are UTF-8 bytes, carets are cells on the screen."""
    raw = text.encode("utf-8", "surrogatepass")
    start = len(raw[: place.column].decode("utf-8", "ignore"))
    end = len(raw[: place.end_column].decode("utf-8", "ignore")) if place.end_line == place.line else len(text.rstrip())
    before = "".join(character if character == "\t" else " " * _cells(character) for character in plain(text[:start]))
    return before + "^" * max(sum(map(_cells, plain(text[start:end]))), 1)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _notes(decision: Decision) -> Iterator[str]:
    reason = decision.reason
    if reason:
        if reason.needs:
            yield f"needs: {reason.needs}"
        if reason.then:
            yield f"and then: {reason.then.message} [{reason.then.code}]"
        return
    yield from chain((f"assumes {name}" for name in decision.assumes), (f"saves {saved(decision.saves)}",))
    if decision.fix:
        first, *rest = decision.fix.splitlines()
        yield f"becomes: {first}" + (" ..." if rest else "")
    elif decision.fix == "":
        yield "goes away"
