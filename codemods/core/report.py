"""The result of a run over some files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codemods.core.span import Span, Step
from codemods.core.verdict import Decision

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell about a file: that it could not be parsed, that a suppression is unused."""

    path: str
    line: int
    message: str
    internal: bool = False  # an error of this tool, not of the file
    bundle: str = ""  # JSON that whoever reports the error should send along


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of memory that no codemod has a word to say on, such as that of an `empty`."""

    path: str
    span: Span  # of the allocation
    function: str
    subject: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Decisions are sorted by path, line, column and codemod."""

    decisions: tuple[Decision, ...]
    scanned: int  # files whose bytes were read
    parsed: int
    failed: tuple[Notice, ...] = ()
    notices: tuple[Notice, ...] = ()
    seconds: float = 0.0  # wall time
    lives: tuple[Life, ...] = ()  # for `explain` only


def exit_status(failed: Sequence[Notice], *, found: bool = False, forgiving: bool = False) -> int:
    """2 after an error of the tool itself, 1 where something was found or, unless it is forgiven, a file failed."""
    if any(notice.internal for notice in failed):
        return 2
    return int(found or bool(failed) and not forgiving)
