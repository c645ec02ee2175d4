"""Fuzz for as long as asked: `python tests/fuzz/run.py --seconds 600 --seed 1`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from fuzz.campaign import Outcome, attempt, differs, rewrite, shrink, tally  # noqa: E402
from fuzz.generate import program  # noqa: E402
from fuzz.oracle import INPUTS, POISONS, Input, Program, observe, prepare  # noqa: E402


@dataclass(frozen=True)
class Kind:
    """What is fuzzed."""

    attempt: Callable[[int], Outcome]
    program: Callable[[int], str]
    inputs: tuple[Input, ...]


EVERY = 30  # seconds between two lines that tell how far it is


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, help="print the program of one seed and what becomes of it")
    parser.add_argument("--kernels", action="store_true", help="Triton kernels and launches of them")
    options = parser.parse_args()
    kind = kernels() if options.kernels else Kind(attempt, program, INPUTS)
    prepare()
    warnings.simplefilter("ignore")  # of programs that are hardly Python
    if options.show is not None:
        return show(kind, options.show)
    counts: Counter[str] = Counter()
    started, seed = time.monotonic(), options.seed * 10_000_000
    told = started
    while (left := options.seconds - (time.monotonic() - started)) > 0:
        for made in apart(kind, seed, left):
            counts.update(made)
            seed += 1
            if time.monotonic() - told > EVERY:
                told = time.monotonic()
                print(f"{told - started:.0f} s, seed {seed}:", dict(counts), file=sys.stderr, flush=True)
    seconds = time.monotonic() - started
    print(f"{counts['programs'] / seconds:.0f} programs a second", dict(counts))
    return 1 if counts["differences"] or counts["failed"] else 0


def apart(kind: Kind, seed: int, seconds: float) -> Iterator[Counter[str]]:
    """The tally of each program in a row, run in a process of its own: torch may crash."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.close(ours)
        work(kind, seed, seconds, theirs)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as lines:
        for line in lines:
            seed += 1
            yield Counter(json.loads(line))
    if os.waitpid(child, 0)[1]:
        alone = crashes(kind, seed)
        print(
            f"# seed {seed}: a crash, {'of the original' if alone else 'only of what it is rewritten to'}", flush=True
        )
        yield Counter(drawn=1, crashed=alone, differences=not alone)


def work(kind: Kind, seed: int, seconds: float, theirs: int) -> None:
    started, failures = time.monotonic(), {""}
    with os.fdopen(theirs, "w") as lines:
        while time.monotonic() - started < seconds:
            counts: Counter[str] = Counter()
            outcome = kind.attempt(seed)
            tally(counts, outcome)
            if outcome.difference or outcome.rewritten.failed not in failures:
                tell(kind, outcome)
            failures.add(outcome.rewritten.failed)
            print(json.dumps(counts), file=lines, flush=True)
            seed += 1


def crashes(kind: Kind, seed: int) -> bool:
    """The program as it was drawn crashes on one of the inputs."""
    child = os.fork()
    if not child:
        before = Program.of(kind.program(seed))
        for place, given in enumerate(kind.inputs):
            observe(before, given, POISONS[place % len(POISONS)])
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def kernels() -> Kind:
    from fuzz.kernels import kernel_program
    from fuzz.launches import INPUTS, attempt_kernel

    return Kind(attempt_kernel, kernel_program, INPUTS)


def show(kind: Kind, seed: int) -> int:
    source = kind.program(seed)
    print(source, rewrite(source).text, sep="# becomes\n")
    return 0


def tell(kind: Kind, outcome: Outcome) -> None:
    """A difference as small as it gets."""
    print(f"# seed {outcome.seed}: {outcome.rewritten.failed or outcome.difference} {outcome.rewritten.applied}")
    if outcome.difference:
        broken = partial(differs, inputs=(outcome.difference.given,))
        small = shrink(outcome.source, broken) or outcome.source
        print(small, "# becomes", rewrite(small).text, sep="\n")
    else:
        print(outcome.source)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
