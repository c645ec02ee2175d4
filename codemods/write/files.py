"""Changes -> disk. At every moment each file is either the old one or the new one."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from codemods.write.patch import Change


class ChangedError(Exception):
    """The file is no longer the one that was read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`failed` files are as they were; each with one line that says why."""

    written: tuple[Change, ...]
    failed: tuple[tuple[Change, str], ...]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while files were written; `outcome` is what stands on disk now."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def commit(changes: Sequence[Change], done: Callable[[Change], None] | None = None) -> Outcome:
    """Write each change, in order; one that fails does not stop the rest. `done` hears of each as it is written.

    Raises Interrupted, a KeyboardInterrupt with the outcome so far, on Ctrl-C.
    """
    written: list[Change] = []
    failed: list[tuple[Change, str]] = []
    try:
        for change in changes:
            try:
                _replace(change)
            except ChangedError:
                failed.append((change, "changed meanwhile"))
            except OSError as error:
                failed.append((change, error.strerror or str(error)))
            else:
                written.append(change)
                if done:
                    done(change)
    except KeyboardInterrupt:
        # it may have come between a rename and the note of it: ask the disk
        now = tuple(change for change in changes if change in written or _holds(change.path, change.after))
        raise Interrupted(Outcome(now, tuple(failed))) from None
    return Outcome(tuple(written), tuple(failed))


def write_atomically(path: Path, data: bytes) -> None:
    """Make `path` hold `data`, or leave it as it was. A link is followed, a device is written to.

    Raises OSError.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        _swap(target, data, None)
        return
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # renaming over a directory raises
        _swap(target, data, target.stat())
    else:
        target.write_bytes(data)


def _replace(change: Change) -> None:
    target = Path(os.path.realpath(change.path))
    with target.open("r+b") as file:  # for writing, so that a file that may not be written is not replaced either
        status = os.fstat(file.fileno())
        if not status.st_mode & 0o222:
            raise PermissionError(0, "the file is read-only")  # also for root, who could write it
        if file.read() != change.before:
            raise ChangedError
    _swap(target, change.after, status)


def _swap(target: Path, data: bytes, like: os.stat_result | None) -> None:
    """Through a temporary file beside the target, gone again whatever happens."""
    temporary = target.with_name(f".torch-codemods-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            if like is not None:
                _make_like(temporary, like)
            os.fsync(file.fileno())
        os.replace(temporary, target)  # noqa: PTH105 (Path.replace of Python 3.10 cannot be made to fail by a test)
    finally:
        temporary.unlink(missing_ok=True)


def _make_like(path: Path, like: os.stat_result) -> None:
    mine = path.stat()
    if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
        with suppress(OSError, AttributeError):  # only root may give a file away; the contents matter more
            os.chown(path, like.st_uid, like.st_gid)
    path.chmod(stat.S_IMODE(like.st_mode))


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False
