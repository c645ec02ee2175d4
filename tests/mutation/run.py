"""Mutants of the tool itself, made and judged by mutmut: `python tests/mutation/run.py prove`.

Each mutant is one small change in one function of a folder below `codemods/`. The tests that call the function
must notice it. Survivors are printed with their change, and kept in `mutants/` for `mutmut browse`.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation import diff_apply, file_mutation, trampoline
from mutmut.mutation.data import SourceFileMutationData
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.workers import isolation
from operators import operators

WORK = Path("mutants")
TIMEOUT = 36  # what mutmut takes for one
LEAST_SECONDS, AT_MOST = 3.0, 10  # a test may take so many CPU seconds, or so many times what it takes without a change


def seconds(test: str) -> float:
    """What it takes without a change."""
    return float(state().duration_by_test.get(test, 0.0))


class Collected(PytestRunner):
    """Tests that were collected once, run until one fails: first those that found other mutants, then the fastest."""

    collected: pytest.Session | None = None  # outside of the server there is none

    def warm_up(self) -> None:
        """It is warm: the server runs inside of the collected session."""

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        if self.collected is None:
            return super().run_tests(mutant_name=mutant_name, tests=[])
        wanted = set(tests)
        items = [item for item in self.collected.items if item.nodeid in wanted]
        notes = Path("killers")  # what has found others is likely to find this one
        kills = Counter(notes.read_text().splitlines() if notes.exists() else ())
        items.sort(key=lambda item: (-kills[item.nodeid], seconds(item.nodeid)))
        signal.signal(signal.SIGVTALRM, lambda *_: os._exit(TIMEOUT))
        for item, following in itertools.zip_longest(items, items[1:]):
            signal.setitimer(signal.ITIMER_VIRTUAL, max(LEAST_SECONDS, AT_MOST * seconds(item.nodeid)))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.collected.testsfailed:
                with notes.open("a") as kept:
                    kept.write(f"{item.nodeid}\n")
                return 1
        return 0


class Server(isolation.ForkServerRunner):
    """It forks a process for each mutant when the tests are collected, and before any of them has run."""

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        """They have passed a moment ago, when it was noted which functions each of them calls."""
        return 0

    def run_forced_fail(self) -> int:
        return 1

    def _forkserver_main(self, work: int, answers: int) -> None:
        serve = super()._forkserver_main

        class Within:
            def pytest_runtestloop(self, session: pytest.Session) -> bool:
                Collected.collected = session
                gc.freeze()
                serve(work, answers)
                return True

        os.chdir(WORK)
        # mutmut leaves files open: that must not fail the next test
        quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
        chosen = [*config().pytest_add_cli_args, *config().pytest_add_cli_args_test_selection]
        pytest.main([*quiet, *chosen], plugins=[Within()])


def patched(share: float, seed: int) -> None:
    """mutmut with our operators and our way to run tests."""
    file_mutation.mutation_operators = operators()
    create = file_mutation.create_mutations

    def some(filename: str, *rest: Any) -> tuple[Any, ...]:
        module, mutations, *ignored = create(filename, *rest)
        draw = random.Random(f"{seed} {filename}")
        return module, [one for one in mutations if draw.random() < share], *ignored

    file_mutation.create_mutations = some  # type: ignore[assignment]
    isolation.ForkServerRunner = Server  # type: ignore[misc]
    isolation.PytestRunner = Collected  # type: ignore[misc]
    trampoline.get_mutant_under_test = lambda: trampoline._mutant_under_test or ""


def fresh(made_for: str) -> None:
    """A folder that was made for another area holds files without mutants, which mutmut would take for done."""
    note = WORK / "made_for"
    if not note.exists() or note.read_text() != made_for:
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir()
        note.write_text(made_for)


def results() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        found |= {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}
    return found


def shown(name: str) -> str:
    """The lines that the mutant changes."""
    diff: Any = diff_apply.get_diff_for_mutant(name)
    return "\n".join(line for line in diff.splitlines() if line[:1] in "-+" and line[:3] not in ("---", "+++"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("area", help="a folder below codemods/, or a file of one: prove, cover/tiles.py")
    parser.add_argument("--again", action="store_true", help="only those that survived the last time")
    parser.add_argument("--share", type=float, default=1.0, help="a part of all mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    fresh(f"{chosen.area} {chosen.share} {chosen.seed}")
    patched(chosen.share, chosen.seed)
    config().only_mutate = [f"codemods/{chosen.area}" + ("" if chosen.area.endswith(".py") else "/*")]
    names: list[str] = []
    if chosen.again:
        names = [name for name, status in results().items() if status not in ("killed", "timeout")]
    mutmut._run(names, os.cpu_count())
    judged = results()
    for name, status in sorted(judged.items()):
        if status not in ("killed", "timeout", "not checked"):
            print(f"\n{name}: {status}\n{shown(name)}")
    counts = Counter(judged.values())
    done = sum(count for status, count in counts.items() if status != "not checked")
    print(
        f"\n{chosen.area}: {done} mutants, {dict(counts)}, {(counts['killed'] + counts['timeout']) / done:.1%} killed"
    )


if __name__ == "__main__":
    main()
