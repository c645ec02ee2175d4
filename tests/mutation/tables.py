"""Wrong rows of the operator table, and whether the tests of the table notice: `python tests/mutation/tables.py`.

One row at a time promises something else: another kind, or a flag more or less. A row that still holds when it is
measured, and breaks no rule of the table, survives.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "ops"), str(HERE.parents[1])]

import test_rows  # noqa: E402
import torch  # noqa: E402
from op_by_hand import by_hand  # noqa: E402
from test_rows import KINDS, ROWS, TABLES  # noqa: E402

RULES: tuple[Callable[[], None], ...] = (
    test_rows.test_rows_are_made_of_known_words,
    test_rows.test_functions_and_methods_agree,
    test_rows.test_in_place_rows_end_in_an_underscore,
    test_rows.test_out_is_written_whole_or_not_marked,
    test_rows.test_the_loader_reads_flags,
)
MEASURED = {"overwrite", "partial", "view", "restride"}  # as in test_rows.QUICK
PREFIXES = {"functions": "", "methods": "Tensor.", "functional": "nn.functional.", "init": "nn.init."}


TRAPS: dict[str, set[str]] = dict(test_rows.test_known_traps.pytestmark[0].args[1])


def trap(table: str, name: str, kinds: set[str]) -> None:
    assert ROWS[table][name].split()[0] in kinds


def changed(row: str) -> Iterator[str]:
    kind, *flags = row.split()
    for other in sorted(KINDS - {kind}):
        yield " ".join([other, *flags])
    for flag in ("out", "inplace", "shape-only"):
        rest = [one for one in flags if one != flag]
        yield " ".join([kind, *(rest if flag in flags else [*flags, flag])])


def noticed(table: str, name: str) -> str:
    """The test that fails, or nothing."""
    checks = [(rule.__name__, rule) for rule in RULES]
    key = PREFIXES.get(table, "") + name
    if f"torch.{key}" in TRAPS:
        checks.append(("test_known_traps", lambda: trap(table, name, TRAPS[f"torch.{key}"])))
    if key in by_hand():
        checks.append(("test_calls_made_by_hand", lambda: test_rows.test_calls_made_by_hand(key)))
    if table == "attributes" or (table == "methods" and ROWS[table][name].split()[0] in MEASURED):
        checks.append(("test_rows_that_promise_most", lambda: test_rows.test_rows_that_promise_most(table, name)))
    if "shape-only" in ROWS[table][name] or ROWS[table][name] == "meta":
        checks.append(("test_rows_that_read_no_element", lambda: test_rows.test_rows_that_read_no_element(table, name)))
    for label, check in checks:
        try:
            check()
        except AssertionError:
            return label
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    draw = random.Random(chosen.seed)
    rows = [(table, name) for table in TABLES for name in ROWS[table]]
    counts: Counter[str] = Counter()
    for table, name in draw.sample(rows, chosen.rows):
        row = ROWS[table][name]
        ROWS[table][name] = draw.choice(list(changed(row)))
        found = noticed(table, name)
        counts[found or "survived"] += 1
        if not found:
            print(f"{table} {name}: {row} -> {ROWS[table][name]}", flush=True)
        ROWS[table][name] = row
    print(dict(counts), f"{1 - counts['survived'] / chosen.rows:.0%} noticed")


if __name__ == "__main__":
    main()
