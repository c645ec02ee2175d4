"""stdout for findings and diffs, stderr for everything else."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path
from typing import TextIO

from codemods.core.errors import UsageError
from codemods.core.report import Report


def emit(text: str | bytes) -> None:
    """Write to stdout. A reader that has gone away (`| head`) is no error."""
    data = text if isinstance(text, bytes) else text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):  # or Python complains once more when it leaves
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(line: str) -> None:
    """One line on stderr."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(line.encode(errors="backslashreplace").decode() + "\n")
        sys.stderr.flush()


def tell(report: Report) -> None:
    """The files that failed and the notices, on stderr."""
    for notice in report.failed:
        say(f"error: {notice.path}:{notice.line}: {notice.message}")
        if notice.bundle:
            from codemods.write.bundle import kept

            say(f"what to send along: {kept(notice)}")
    for notice in report.notices:
        say(f"notice: {notice.path}:{notice.line}: {notice.message}")


def looking(stream: TextIO) -> bool:
    """Someone reads it in a terminal, or wants it to look like that."""
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def in_words(error: Exception) -> str:
    """One line; with the place in the source where it is an error of the tool itself."""
    if isinstance(error, OSError):
        name = os.fsdecode(error.filename) + ": " if error.filename else ""
        return name + (error.strerror.lower() if error.strerror else str(error))
    if isinstance(error, UsageError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"internal error: {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
