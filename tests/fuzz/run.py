"""Fuzz for as long as asked: `python tests/fuzz/run.py --seconds 600 --seed 1`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from fuzz.campaign import Outcome, attempt, differs, rewrite, shrink, tally  # noqa: E402
from fuzz.generate import program  # noqa: E402
from fuzz.oracle import prepare  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, help="print the program of one seed and what becomes of it")
    options = parser.parse_args()
    prepare()
    if options.show is not None:
        return show(options.show)
    counts: Counter[str] = Counter()
    failures = {""}
    started, seed = time.monotonic(), options.seed * 10_000_000
    while time.monotonic() - started < options.seconds:
        outcome = attempt(seed)
        tally(counts, outcome)
        if outcome.difference or outcome.rewritten.failed not in failures:
            tell(outcome)
        failures.add(outcome.rewritten.failed)
        seed += 1
    seconds = time.monotonic() - started
    print(f"{counts['programs'] / seconds:.0f} programs a second", dict(counts))
    return 1 if counts["differences"] or counts["failed"] else 0


def show(seed: int) -> int:
    source = program(seed)
    print(source, rewrite(source).text, sep="# becomes\n")
    return 0


def tell(outcome: Outcome) -> None:
    """A difference as small as it gets."""
    print(f"# seed {outcome.seed}: {outcome.rewritten.failed or outcome.difference} {outcome.rewritten.applied}")
    if outcome.difference:
        small = shrink(outcome.source, partial(differs, inputs=(outcome.difference.given,)))
        after = rewrite(small).text
        print(small[small.find("def f") :], "# becomes", after[after.find("def f") :], sep="\n")
    else:
        print(outcome.source)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
