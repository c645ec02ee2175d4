"""Mutants of the tool itself, and whether its tests notice them: `python tests/mutation/run.py prove`.

Each mutant is one small change in one function of a folder below `codemods/`; a test that runs the changed lines must
fail. What none of them notices is given to mypy. Survivors are printed with their change. What was found is kept in
`.mutants/`: the next time each mutant meets the test that found it first, and a survivor only the tests that are new.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]  # this checkout, not an installed one

import pytest  # noqa: E402
from judge import Judge, Known  # noqa: E402
from mutants import ROOT, mutants  # noqa: E402
from type_errors import type_error, without_a_change  # noqa: E402

# those that need no torch
TESTS = "already_holds callees candidates cases compiled config contracts contradiction core cover".split()
TESTS += "cover_drawn discover effect_drawn hoist_buffer host_facts kernel launch marks patterns prove".split()
TESTS += "prove_flows prove_kernels prove_settle prove_unobserved reexport regions schemas seen_drawn suppress".split()
LEFT_OUT = "test_the_rows_are_in_the_wheel or test_a_second_run or test_every_rewrite_tells_why"  # slow, or said twice
LEFT_OUT += " or test_no_mutant_keeps_a_proof"  # a minute
QUIET = ["-q", "-s", "-n0", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-k", f"not ({LEFT_OUT})"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("areas", nargs="+", help="folders below codemods/, or files of one: prove, cover/tiles.py")
    parser.add_argument("--sample", type=int, help="so many of all mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    places = [ROOT / "codemods" / area for area in chosen.areas]
    files = [file for place in places for file in ([place] if place.suffix else sorted(place.rglob("*.py")))]
    drawn = [mutant for file in files for mutant in mutants(file)]
    if chosen.sample:
        drawn = random.Random(chosen.seed).sample(drawn, chosen.sample)
    known = Known(ROOT / ".mutants" / f"{'+'.join(chosen.areas).replace('/', '.')}.json")
    judge = Judge(drawn, known, chosen.processes)
    os.chdir(ROOT)
    pytest.main([*QUIET, *(f"tests/test_{name}.py" for name in TESTS)], plugins=[judge])
    without_a_change(judge.survived)
    survived = [mutant for mutant in judge.survived if not type_error(mutant)]
    for mutant in sorted(survived, key=lambda mutant: (mutant.path, mutant.lines.start, mutant.name)):
        print(f"\n{mutant.name}, line {mutant.lines.stop - 1}\n{mutant.diff()}")
    done, by_tests, by_mypy = len(drawn), len(judge.killed), len(judge.survived) - len(survived)
    told = f"{by_tests} killed by tests, {by_mypy} by mypy, {len(survived)} survive"
    print(f"\n{' '.join(chosen.areas)}: {done} mutants, {told}: {(by_tests + by_mypy) / done:.1%}")


if __name__ == "__main__":
    main()
