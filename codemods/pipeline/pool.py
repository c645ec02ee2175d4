"""Files are decided in processes where that pays."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from codemods.core.report import Notice

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from codemods import Found, Item, Progress

ENOUGH = 256  # files; below it starting processes costs more than it gives
CHUNK = 8  # files that a worker is handed at a time


def each(
    work: Callable[[Item], Found], items: Sequence[Item], most: int, progress: Progress | None = None
) -> Iterator[Found]:
    """The results, in the order of the items. `work` must not raise, and must be something that can be pickled. `most`:
    processes."""
    tell = progress or (lambda done, total: None)
    tell(0, len(items))
    workers = min(processors(), most)
    apart = workers > 1 and len(items) >= ENOUGH
    for done, found in enumerate(_apart(work, items, workers) if apart else map(work, items), 1):
        yield found
        tell(done, len(items))


def _apart(work: Callable[[Item], Found], items: Sequence[Item], workers: int) -> Iterator[Found]:
    """In processes. One that is killed, as for its memory, takes the others with it: what is left then is handed out
    anew, to one process and a file at a time, until it is known which file it was."""
    from concurrent.futures.process import BrokenProcessPool

    for module in ("read.host", "read.summary", *_names()):
        importlib.import_module(f"codemods.{module}")  # once, before the processes part
    done, chunk = 0, CHUNK
    while done < len(items):
        try:
            for found in _mapped(work, items[done:], workers, chunk):
                yield found
                done += 1
        except BrokenProcessPool:
            if workers == chunk == 1:
                from codemods import Found

                name = items[done][0].name
                yield Found(failed=(Notice(name, 1, "the process that read it was killed", internal=True),))
                done += 1
            workers = chunk = 1


def _mapped(work: Callable[[Item], Found], items: Sequence[Item], workers: int, chunk: int) -> Iterator[Found]:
    import signal
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(workers, _context(), initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))
    try:
        if chunk == 1:  # only one is under way, or it could not be said which one broke
            yield from (pool.submit(work, item).result() for item in items)
        else:
            yield from pool.map(work, items, chunksize=chunk)
    finally:
        pool.shutdown(cancel_futures=True)


def _context() -> BaseContext | None:
    """A fork costs least: nothing is imported again, and what was read so far is small and shared. It is safe where no
    thread runs, and not on macOS."""
    import multiprocessing

    alone = threading.active_count() == 1 and sys.platform == "linux"
    return multiprocessing.get_context("fork") if alone else None


def _names() -> tuple[str, ...]:
    from codemods import names

    return names()


def processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
