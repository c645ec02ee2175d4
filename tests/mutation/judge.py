"""Which test notices a mutant: each is tried in a process of its own, forked when the tests are collected."""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import os
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage
import pytest
from mutants import ROOT, Mutant, apply

LEAST_SECONDS, AT_MOST = 3.0, 10  # a test may take so many CPU seconds, or so many times what it takes without a change
SAVED_EVERY = 50


@dataclass(slots=True)
class Known:
    """What has been found before, of a mutant by its key: the test that noticed it, or those that did not.

    The key is the text of the function. What has survived is not tried again with a test that is the same, so where
    other code has changed a score may be too low, but what is killed is killed each time."""

    path: Path
    killers: dict[str, str] = field(default_factory=dict)
    passed: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path.exists():
            kept = json.loads(self.path.read_text("utf-8"))
            self.killers, self.passed = kept["killers"], kept["passed"]

    def save(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(json.dumps({"killers": self.killers, "passed": self.passed}), "utf-8")


class Judge:
    """A plugin of pytest that runs mutants instead of tests. After that `killed` says by which test, and `survived`."""

    def __init__(self, mutants: list[Mutant], known: Known, workers: int) -> None:
        self.mutants, self.known, self.workers = mutants, known, workers
        self.killed: dict[Mutant, str] = {}
        self.survived: list[Mutant] = []
        self.kills: dict[str, Counter[int]] = defaultdict(Counter)  # of a function, by test
        self.running: dict[int, tuple[Mutant, list[int], int]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        assert not session.testsfailed, "the tests could not be collected"
        self.session = session
        self.prints = [_print(item) for item in session.items]
        gc.freeze()
        self.measure()
        cost = {mutant: sum(self.seconds[test] for test in self.tests(mutant)) for mutant in self.mutants}
        for mutant in sorted(self.mutants, key=cost.__getitem__):
            self.start(mutant)
            if len(self.running) == self.workers:
                self.finish()
        while self.running:
            self.finish()
        self.known.save()
        return True

    def measure(self) -> None:
        """Which test runs which lines, and how long it takes, in processes that are thrown away."""
        files = sorted({str(ROOT / mutant.path) for mutant in self.mutants})
        parts = []
        for worker in range(self.workers):
            into = self.known.path.with_suffix(f".{worker}")
            parts.append((_forked(self.measured, worker, files, into), into))
        self.seconds = [0.0] * len(self.session.items)
        self.ran: dict[tuple[str, int], set[int]] = defaultdict(set)
        for pid, into in parts:
            if os.waitpid(pid, 0)[1]:
                sys.exit("a test fails without a change, or cannot be measured")
            part = json.loads(into.read_text())
            into.unlink()
            for test, seconds in part["seconds"]:
                self.seconds[test] = seconds
            for path, line, tests in part["ran"]:
                self.ran[path, line] |= set(tests)

    def measured(self, worker: int, files: list[str], into: Path) -> int:
        items = self.session.items
        seconds, tracer = [], coverage.Coverage(data_file=None, config_file=False, include=files)
        tracer.start()
        for test in range(worker, len(items), self.workers):
            tracer.switch_context(str(test))
            start = time.process_time()
            items[test].config.hook.pytest_runtest_protocol(item=items[test], nextitem=None)
            seconds.append((test, time.process_time() - start))
        tracer.stop()
        data = tracer.get_data()
        ran = [
            (Path(path).relative_to(ROOT).as_posix(), line, [int(test) for test in tests if test])
            for path in data.measured_files()
            for line, tests in data.contexts_by_lineno(path).items()
        ]
        into.parent.mkdir(exist_ok=True)
        into.write_text(json.dumps({"seconds": seconds, "ran": ran}))
        return self.session.testsfailed

    def tests(self, mutant: Mutant) -> set[int]:
        return set().union(*(self.ran.get((mutant.path, line), ()) for line in mutant.lines))

    def order(self, mutant: Mutant) -> list[int]:
        """First what has found it before, then what has found others of its function, then the fastest."""
        passed, killer = set(self.known.passed.get(mutant.key, ())), self.known.killers.get(mutant.key)
        kills = self.kills[f"{mutant.path}:{mutant.function}"]
        return sorted(
            (test for test in self.tests(mutant) if self.prints[test] not in passed),
            key=lambda test: (self.session.items[test].nodeid != killer, -kills[test], self.seconds[test]),
        )

    def start(self, mutant: Mutant) -> None:
        order = self.order(mutant)
        answer, told = os.pipe()
        pid = _forked(self.tried, mutant, order, told)
        os.close(told)
        self.running[pid] = mutant, order, answer

    def tried(self, mutant: Mutant, order: list[int], told: int) -> int:
        """In the process of the mutant: 1 and the number of the test that fails or takes too long, or 0."""
        apply(mutant)
        here = [-1]

        def found(*_: object) -> None:
            os.write(told, str(here[0]).encode())
            os._exit(1)

        signal.signal(signal.SIGVTALRM, found)
        for test, following in itertools.zip_longest(order, order[1:]):
            here[0], item = test, self.session.items[test]
            signal.setitimer(signal.ITIMER_VIRTUAL, max(LEAST_SECONDS, AT_MOST * self.seconds[test]))
            after = None if following is None else self.session.items[following]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if self.session.testsfailed:
                found()
        return 0

    def finish(self) -> None:
        pid, status = os.wait()
        mutant, order, answer = self.running.pop(pid)
        with os.fdopen(answer) as read:
            text = read.read()
        if status == 0:
            self.survived.append(mutant)
            self.known.killers.pop(mutant.key, None)
            self.known.passed.setdefault(mutant.key, []).extend(self.prints[test] for test in order)
        else:  # a process that crashes says nothing
            self.killed[mutant] = self.session.items[int(text)].nodeid if text else "crashed"
            self.known.killers[mutant.key] = self.killed[mutant]
            if text:
                self.kills[f"{mutant.path}:{mutant.function}"][int(text)] += 1
        done = len(self.killed) + len(self.survived)
        if done % SAVED_EVERY == 0:
            self.known.save()
            os.write(2, f"{done} of {len(self.mutants)}, {len(self.survived)} survive\n".encode())


def _forked(work: Callable[..., int], *given: object) -> int:
    """The process that does it, and ends with what comes out."""
    if (pid := os.fork()) == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 2
        try:
            code = min(work(*given), 1)
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def _print(item: Any) -> str:
    """It changes when the test may: the file, or what a page gives it."""
    given = repr(getattr(getattr(item, "callspec", None), "params", None))
    source = "" if item.name.startswith("test_case[") else item.path.read_text("utf-8")
    return hashlib.sha256(f"{item.nodeid}{given}{source}".encode()).hexdigest()[:12]
