"""A second opinion on accepted sites of released packages: both forms of their functions are run under poison.

`python tests/second_opinion/run.py [--only TEXT] [--tries N]` prints a line a site, and counts.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ["TRITON_INTERPRET"] = "1"
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from second_opinion.sites import Opinion, opinions  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="sites whose line holds this text")
    parser.add_argument("--tries", type=int, default=1500, help="runs that look for inputs of one function")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    started = time.monotonic()
    for opinion in opinions(options.only, options.tries, options.seed):
        counts[opinion.word] += 1
        print(opinion, flush=True)
    print(f"{time.monotonic() - started:.0f} seconds", dict(counts))
    return 1 if counts[Opinion.DIFFERS] else 0


if __name__ == "__main__":
    sys.exit(main())
