"""One entry, in a process of its own. It may be killed at any time: its results are in a folder of its own, too."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codemods import VERSION, Fixed, Options, Scan, names, plan, scan
from codemods.batch import result, rows
from codemods.batch.clone import clone
from codemods.batch.manifest import Entry
from codemods.batch.result import PATCH, ROWS, Result, fingerprint
from codemods.core.errors import UsageError
from codemods.core.report import Notice, exit_status
from codemods.core.verdict import VERDICTS, Decision
from codemods.pipeline.settings import options_of
from codemods.read.config import load
from codemods.read.discover import Exclude
from codemods.read.looked import now
from codemods.review.hunks import applied
from codemods.write import files, markdown, report, summary
from codemods.write.patch import render, root_of
from codemods.write.rows import rows as sites
from codemods.write.streams import in_words, say, tell

KEPT = 10  # the exit status for: what is there still holds
CHECKOUTS = "checkouts"


@dataclass(frozen=True, slots=True)
class Job:
    """`place`: the folder with the results of an earlier run, if any; `folder`: the one for those of this run."""

    entry: Entry
    place: Path
    folder: Path
    parent: int  # the process that asks for it
    processes: int
    write: bool
    resume: bool

    @property
    def checkout(self) -> Path:
        return self.entry.path or self.place.parent / CHECKOUTS / self.place.name


def main() -> None:
    """Reads a Job from stdin. Nothing is on stdout; stderr is the log."""
    job: Job = pickle.load(sys.stdin.buffer)
    started = time.monotonic()
    try:
        if job.resume and _holds(job):
            sys.exit(KEPT)
        done = _work(job)
    except Exception as error:
        say(f"error: {in_words(error)}")
        done = Result(job.entry.name, "failed", in_words(error))
    replace(done, write=job.write, seconds=round(time.monotonic() - started, 3)).save(job.folder)


def _holds(job: Job) -> bool:
    before = result.load(job.place)
    if before is None or before.state != "done" or before.key != result.key(job.entry, write=job.write):
        return False
    try:
        return before.fingerprint == fingerprint(job.checkout) and all(now(one) == one for one in before.looked)
    except OSError:
        return False


def _work(job: Job) -> Result:
    if job.entry.git:
        clone(job.entry.git, job.entry.rev, job.checkout)
    root = job.checkout
    before = fingerprint(root)
    options = _options(job, root)
    found = scan([root], options, lambda done, total: _still_wanted(job))
    planned = list(plan(found.files, [root], options))
    fixed = [item for item in planned if isinstance(item, Fixed)]
    failed = (*found.report.failed, *(item for item in planned if isinstance(item, Notice)))
    found = replace(found, report=replace(found.report, failed=failed))
    _tell(job, found, fixed)
    if fingerprint(root) != before:
        raise UsageError(f"{root}: changed while it was read")
    not_written = _write(job, fixed) if job.write else ""
    looked = sorted({(one.kind, one.place): one for _, found in found.files for one in found.looked}.items())
    return Result(
        job.entry.name,
        "failed" if not_written else "done",
        not_written,
        2 if not_written else exit_status(failed, found=bool(fixed) and not job.write),
        found.report.scanned,
        len(failed),
        tuple(sum(one.verdict == verdict for one in found.report.decisions) for verdict in VERDICTS),
        sum(len(decisions) for one in fixed for decisions in one.rounds),
        root=str(root_of(root)),
        key=result.key(job.entry, write=job.write),
        fingerprint=fingerprint(root),
        looked=tuple(now(one) for _, one in looked),
    )


def _options(job: Job, root: Path) -> Options:
    """What the entry wants before what the configuration of the checkout says."""
    wanted = job.entry.wanted
    exclude = None if wanted.exclude is None else Exclude(root, wanted.exclude)
    chosen = options_of(load(root, names()), wanted.select, wanted.ignore, exclude, wanted.assume)
    return replace(chosen, every=bool(wanted.all), processes=job.processes)


def _still_wanted(job: Job) -> None:
    """Raises UsageError where nobody waits for it any more."""
    if os.getppid() != job.parent:
        raise UsageError("the process that asked for it has gone")


def _tell(job: Job, found: Scan, fixed: Sequence[Fixed]) -> None:
    """Everything but whether it is done."""
    tell(found.report)
    say(summary.counts(found.report))
    rewrites = [(one.change.path, decision) for one in fixed for decision in applied(one)]
    done = {(path, *_site(decision)) for path, decision in rewrites}
    refused = [decision for decision in found.report.decisions if decision.reason]
    table = sites((file.path, one.decisions) for file, one in found.files)
    files.write_atomically(job.folder / PATCH, render([one.change for one in fixed]))
    texts = {
        "report.json": report.to_json(found.report, VERSION, [row.text for row in table]) + "\n",
        "report.md": markdown.report([decision for _, decision in rewrites], refused),
        ROWS: "".join(
            rows.line(job.entry.name, row.decision, rewritten=(row.file, *_site(row.decision)) in done) for row in table
        ),
    }
    for name, text in texts.items():
        files.write_atomically(job.folder / name, text.encode("utf-8", "backslashreplace"))


def _site(decision: Decision) -> tuple[str, str, str, int]:
    return decision.codemod, decision.function, decision.subject, decision.span.line


def _write(job: Job, fixed: Sequence[Fixed]) -> str:
    """What went wrong, "" when all of it is in place. From here on nothing but SIGKILL stops this process."""
    _still_wanted(job)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    changes = [one.change for one in fixed]
    outcome = files.commit(changes)
    if len(outcome.written) == len(changes):
        return ""
    files.write_atomically(job.folder / PATCH, render(outcome.written))
    for change, why in outcome.failed:
        say(f"error: {change.path}: not written, the old file is in place: {why}")
    return f"{len(outcome.written)} of {summary.count(len(changes), 'file')} rewritten, the others are as they were"
