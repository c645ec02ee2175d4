"""Changes to disk and their patch to its place, telling what was done."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from codemods.core.errors import UsageError
from codemods.write import files, summary
from codemods.write.patch import Change, render
from codemods.write.streams import emit, in_words, say


def check_place(option: str, place: str) -> None:
    """Raises UsageError where no file can be written; asked before anything else is written."""
    folder = Path(place).parent
    if place == "-" and option == "--patch":
        return
    if Path(place).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"{option}: {place} cannot be written")


def deliver(changes: Sequence[Change], sites: int, patch: str) -> int:
    """Write the files, and the patch of exactly what was written: also when something stopped it half-way.

    The exit status: 0 when all of it is in place.
    """
    try:
        outcome, status = files.commit(changes), 2
    except files.Interrupted as stopped:
        outcome, status = stopped.outcome, 130
    written = outcome.written
    with _uninterrupted():
        where = _write_patch(render(written), patch) if written else patch
    for line in summary.written(outcome, changes, sites):
        say(line)
    if len(written) < len(changes):
        return status
    say(f"the patch is in {where}" if where else "the patch is on stdout")
    return 0 if where else 2


def _write_patch(data: bytes, patch: str) -> str:
    """Where it is; "" for a patch that could not be put there: it is on stdout, not lost."""
    try:
        if patch != "-":
            files.write_atomically(Path(patch), data)
            return patch
    except OSError as error:
        say(f"error: {patch}: {in_words(error)}; the patch goes to stdout")
        patch = ""
    emit(data)
    return patch and "stdout"


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Against a second Ctrl-C while the patch of what is already done is written."""
    import signal

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
