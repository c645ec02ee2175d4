"""The command `batch`: what is read, what is told meanwhile, and what is said at the end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from codemods import names
from codemods.batch import rows
from codemods.batch.manifest import Wanted, load
from codemods.batch.result import Result
from codemods.batch.run import Batch, Tell, run
from codemods.core.errors import UsageError
from codemods.read.config import check_names
from codemods.write.streams import emit, looking, say


def batch(manifest: Path, wanted: Wanted, output: Path, jobs: int, *, resume: bool, write: bool) -> int:
    """The exit status: the highest of the entries. A table is on stdout, what happens meanwhile on stderr.

    Raises UsageError and OSError for what cannot be used.
    """
    if wanted.timeout is not None and not wanted.timeout > 0:
        raise UsageError("--timeout: must be above 0")
    check_names(wanted.select or (), names(), "--select")
    check_names(wanted.ignore or (), names(), "--ignore")
    entries = load(manifest, names(), wanted)
    with _progress(len(entries)) as tell:
        results = run(Batch(entries, output, jobs, write, resume), tell)
    rows.write_summary(output, results)
    lines = rows.table(results, write=write)
    if looking(sys.stdout):
        from codemods.write.terminal import table

        emit(table(lines, rows.NAMES))
    else:
        emit(rows.aligned(lines))
    say(f"the results are in {output}")
    return max(one.status for one in results)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Tell]:
    """A bar in a terminal; otherwise a line for each entry that ended."""
    if not sys.stderr.isatty():
        yield lambda running, ended: say(rows.told(ended)) if ended else None
        return
    from codemods.write.terminal import entries

    done = 0
    with entries(total) as draw:

        def tell(running: Sequence[str], ended: Result | None) -> None:
            nonlocal done
            done += ended is not None
            draw(done, running, rows.told(ended) if ended else "")

        yield tell
