"""What a run costs, in CPU time of whole processes, as a multiple of what it cannot avoid.

- `check --no-cache CORPUS` against the floor (floor.py): reading and parsing the same files.
- `--help` against importing typer and rich.
- what a check imports: nothing that only other commands and formats need, and neither torch nor numpy.

The two sides take turns, so that a machine that slows down slows both; medians are compared.
Without CORPUS it is sglang 0.4.6.post5, fetched once.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
# an installed tool has its byte code: both sides have theirs, kept apart from the checkout
BYTECODE = tempfile.TemporaryDirectory()
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": BYTECODE.name}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
FORBIDDEN = frozenset({"torch", "triton", "numpy", "libcst", "rich", "sarif_pydantic", "unidiff", "bowler"})


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of both sides, one entry a run."""

    name: str
    ours: tuple[float, ...]
    floor: tuple[float, ...]
    target: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.floor)

    def __str__(self) -> str:
        ours, floor = statistics.median(self.ours), statistics.median(self.floor)
        return f"{self.name:24} {ours:8.3f} s {floor:8.3f} s {self.ratio:6.2f} (at most {self.target})"


def cpu(command: Sequence[str]) -> float:
    """CPU seconds of one process and all that it started; 0 and 1 are statuses of a check that worked."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode not in (0, 1) or "Traceback" in result.stderr:
        sys.exit(f"{' '.join(command)}: status {result.returncode}\n{result.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name: str, ours: Sequence[str], floor: Sequence[str], target: float, runs: int) -> Cost:
    for command in (ours, floor):
        cpu(command)  # so that byte code and file caches are warm on both sides
    pairs = [(cpu(ours), cpu(floor)) for _ in range(runs)]
    return Cost(name, tuple(ours for ours, _ in pairs), tuple(floor for _, floor in pairs), target)


def imported(command: Sequence[str]) -> frozenset[str]:
    """Top-level packages that a command of the tool imports."""
    command = [sys.executable, "-X", "importtime", *command]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return frozenset(re.findall(r"^import time:.*\|\s*(\w+)[\w.]*$", result.stderr, re.MULTILINE))


def corpus() -> str:
    command = [sys.executable, str(ROOT / "tests" / "corpora.py"), "sglang-0.4.6.post5"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", help="a directory of Python files")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--assert", dest="strict", action="store_true", help="exit 1 when a target is missed")
    return parser.parse_args()


def main() -> None:
    from codemods.read.discover import CANDIDATE

    options = arguments()
    root = options.corpus or corpus()
    check = ["-m", "codemods", "check", "--no-cache", "--output-format", "concise", root]
    floor = [str(Path(__file__).with_name("floor.py")), root, CANDIDATE.pattern.decode()]
    usage, toolkit = ["-m", "codemods", "--help"], ["-c", "import typer, rich"]
    python = sys.executable
    costs = [
        compare("check / read and parse", [python, *check], [python, *floor], 6, options.runs),
        compare("--help / typer and rich", [python, *usage], [python, *toolkit], 2.5, options.runs),
    ]
    stray = imported(check) & FORBIDDEN

    print(f"{platform.machine()}, {os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}")
    print(f"medians of {options.runs} runs, CPU seconds of whole processes: ours, floor, ratio")
    for cost in costs:
        print(cost)
    print(f"a check imports, of {', '.join(sorted(FORBIDDEN))}: {', '.join(sorted(stray)) or 'none'}")
    if options.strict and (stray or any(cost.ratio > cost.target for cost in costs)):
        sys.exit(1)


if __name__ == "__main__":
    main()
