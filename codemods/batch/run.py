"""The processes of a batch: started, waited for, stopped. What one of them does to itself stays with its entry."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from codemods.batch import result
from codemods.batch.entry import KEPT, Job
from codemods.batch.manifest import Entry
from codemods.batch.result import PATCH, Result
from codemods.batch.rows import SUMMARY
from codemods.core.errors import UsageError
from codemods.pipeline.pool import processors

Tell = Callable[[Sequence[str], Result | None], None]  # the entries in work, and one that ended
MARK = ".torch-codemods-batch"  # the folder is ours
UNFINISHED = ".unfinished"
INTERRUPTED = "interrupted.diff"
PAUSE = 0.1  # seconds between two looks at the processes
GRACE = 10.0  # seconds for a process that writes files to come to an end
START = "import sys; sys.path[:] = {path!r}; from codemods.batch.entry import main; main()"


@dataclass(frozen=True, slots=True)
class Batch:
    """How to do the entries. `output` is made where it is not there; `jobs`: how many at a time, 0: one a processor."""

    entries: tuple[Entry, ...]
    output: Path
    jobs: int = 0
    write: bool = False
    resume: bool = False

    @property
    def at_once(self) -> int:
        return self.jobs or min(processors(), len(self.entries))


@dataclass(frozen=True, slots=True)
class Worker:
    job: Job
    process: subprocess.Popen[bytes]
    started: float
    timeout: float

    @property
    def late(self) -> bool:
        return time.monotonic() - self.started > self.timeout


def run(batch: Batch, tell: Tell) -> list[Result]:
    """The results in the order of the entries; all that has ended is in its place, also when this is interrupted.

    Raises UsageError, before anything is done, for a folder of results that cannot be used.
    """
    with _interruptible(), _held(batch):
        unfinished = batch.output / UNFINISHED
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            done = _all(batch, tell)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return [done[entry.name] for entry in batch.entries]


def _all(batch: Batch, tell: Tell) -> dict[str, Result]:
    waiting = deque(batch.entries)
    running: dict[str, Worker] = {}
    done: dict[str, Result] = {}
    try:
        while waiting or running:
            while waiting and len(running) < batch.at_once:
                entry = waiting.popleft()
                running[entry.name] = _start(entry, batch)
            tell(tuple(running), None)
            time.sleep(PAUSE)
            for name, worker in list(running.items()):
                if worker.process.poll() is None and not worker.late:
                    continue
                with _undisturbed():
                    ended = end(worker)
                    del running[name]
                if ended is not None:
                    done[name] = ended
                    tell(tuple(running), ended)
    finally:
        with _undisturbed():
            for worker in running.values():
                worker.process.terminate()
            for worker in running.values():
                end(worker, early=True)
    return done


def _start(entry: Entry, batch: Batch) -> Worker:
    folder = batch.output / UNFINISHED / entry.name
    folder.mkdir()
    share = max(1, processors() // batch.at_once)
    job = Job(entry, batch.output / entry.name, folder, os.getpid(), share, batch.write, batch.resume)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", START.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a group of its own, which is killed as a whole
        )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # has it died already, its status will tell
        pipe.write(pickle.dumps(job))
    return Worker(job, process, time.monotonic(), entry.wanted.timeout or float("inf"))


def end(worker: Worker, *, early: bool = False) -> Result | None:
    """Bring it to its end and its results to their place.

    `early`: it is not its fault; None, and what was there stays, where it has no results.
    """
    process, job = worker.process, worker.job
    late = process.poll() is None
    if late:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    _kill(process)
    if process.returncode == KEPT and (kept := result.load(job.place)):
        return kept
    done = result.load(job.folder)
    if done is None:
        if early and not _was_writing(job):
            return None
        why = (
            "interrupted"
            if early
            else f"stopped after {worker.timeout:g} s (timeout)"
            if late
            else _died(process.returncode)
        )
        done = Result(job.entry.name, "failed", why, write=job.write)
        _clear(job)
        done.save(job.folder)
    _keep_interrupted(job)
    _move(job.folder, job.place)
    return done


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With every process that it started: they are of its group, also after it has gone."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _died(status: int) -> str:
    if status >= 0:
        return f"its process ended with status {status}, see its log"
    try:
        return f"its process was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"its process was killed by signal {-status}"


def _was_writing(job: Job) -> bool:
    return job.write and (job.folder / PATCH).exists()


def _clear(job: Job) -> None:
    """Half of the results of a dead process are none; what it was about to write is kept, under another name."""
    if _was_writing(job):
        (job.folder / PATCH).rename(job.folder / INTERRUPTED)
    for path in job.folder.iterdir():
        if path.name not in ("log", INTERRUPTED):
            path.unlink()


def _keep_interrupted(job: Job) -> None:
    """Of an earlier run, too: part of it may be in the checkout."""
    earlier, now = job.place / INTERRUPTED, job.folder / INTERRUPTED
    if earlier.exists():
        now.write_bytes(earlier.read_bytes() + (now.read_bytes() if now.exists() else b""))


def _move(folder: Path, place: Path) -> None:
    """By renaming: at no moment there is a part of the results."""
    if place.exists():
        place.rename(folder.with_name(folder.name + ".before"))
    folder.rename(place)


@contextlib.contextmanager
def _held(batch: Batch) -> Iterator[None]:
    """The folder of the results, for nobody else. What an earlier run said of all entries goes."""
    _check(batch)
    output = batch.output
    output.mkdir(parents=True, exist_ok=True)
    mark = output / MARK
    if not mark.exists() and any(output.iterdir()):
        raise UsageError(f"--output: {output} is not empty, and not the results of a batch")
    with mark.open("ab") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # not on Windows
            pass
        except BlockingIOError:
            raise UsageError(f"--output: another batch is writing to {output}") from None
        for name in SUMMARY:
            (output / name).unlink(missing_ok=True)
        yield


def _check(batch: Batch) -> None:
    """Raises UsageError where results would lie in a checkout, or two entries would write to the same files."""
    output = Path(os.path.realpath(batch.output))
    places = [(entry.name, Path(os.path.realpath(entry.path))) for entry in batch.entries if entry.path]
    for name, place in places:
        if place == output or place in output.parents:
            raise UsageError(f"--output: {batch.output} lies in the checkout {name}: name a folder outside of it")
    for (name, place), (other, below) in itertools.permutations(places, 2):
        if batch.write and (place == below or place in below.parents):
            raise UsageError(f"--write: {other} lies in the checkout {name}: both would write to it")


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """What ends this process ends it as Ctrl-C does, so that no other process stays behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
