"""What a run costs, in CPU time of whole processes, as a multiple of what it cannot avoid, and in memory.

- `check CORPUS` against the floor (floor.py), which is reading and parsing the same files: without a cache, with one in
  which all is known, and with one since which a line was added to one file, another one in each run.
- The most memory that the processes of a check have together, shared pages counted once (Linux).
- `--help` against importing typer and rich.
- what a check imports: nothing that only other commands and formats need, and neither torch nor numpy.

The two sides take turns, so that a machine that slows down slows both; medians are compared.
CORPUS is a folder, or the name of one that tests/corpora.py fetches.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
# an installed tool has its byte code: both sides have theirs, kept apart from the checkout
FOLDER = tempfile.TemporaryDirectory()
OURS = {name: os.path.join(FOLDER.name, name) for name in ("bytecode", "results", "corpus")}
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "PYTHONPYCACHEPREFIX": OURS["bytecode"],
    "TORCH_CODEMODS_CACHE": OURS["results"],
}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
COLD = {"sglang-0.4.6.post5": 6.0, "vllm-0.10.0": 8.0, "sglang-0.5.23": 10.0}  # what a check may cost
WARM, CHANGED, MEMORY = 1.0, 1.5, 500  # MB
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


def compare(
    name: str,
    ours: Sequence[str],
    floor: Sequence[str],
    target: float,
    runs: int,
    before: Callable[[int], None] = lambda run: None,
) -> Cost:
    """`before` each run of ours something may be done that is not measured."""
    for command in (ours, floor):
        cpu(command)  # so that byte code and file caches are warm on both sides
    pairs = []
    for run in range(runs):
        before(run)
        pairs.append((cpu(ours), cpu(floor)))
    return Cost(name, tuple(ours for ours, _ in pairs), tuple(floor for _, floor in pairs), target)


def change(root: str, run: int, runs: int) -> None:
    """Add a line to one of the files in which there is something to decide."""
    from codemods.read.discover import File, discover, interesting

    found = [item.path for item in discover([Path(root)]) if isinstance(item, File)]
    known = [path for path in found if interesting(path.read_bytes())]
    with known[(2 * run + 1) * len(known) // (2 * runs)].open("ab") as file:
        file.write(b"\nADDED = 1\n")


def peak(command: Sequence[str]) -> float:
    """MB that a process and all that it started have at most, looked at ten times a second."""
    most = 0
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, sum(map(share, [process.pid, *below(process.pid)])))
            time.sleep(0.1)
    return most / 1024


def below(process: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(inner for child in children for inner in below(child))]


def share(process: int) -> int:
    """kB of memory, of shared pages the part of one of those who share them."""
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def imported(command: Sequence[str]) -> frozenset[str]:
    """Top-level packages that a command of the tool imports."""
    command = [sys.executable, "-X", "importtime", *command]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return frozenset(re.findall(r"^import time:.*\|\s*(\w+)[\w.]*$", result.stderr, re.MULTILINE))


def corpus(name: str) -> str:
    if os.path.isdir(name):
        return name
    command = [sys.executable, str(ROOT / "tests" / "corpora.py"), name]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", default="sglang-0.4.6.post5", help="a folder of Python files, or a name")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--assert", dest="strict", action="store_true", help="exit 1 when a target is missed")
    return parser.parse_args()


def main() -> None:
    from codemods.read.discover import CANDIDATE

    options = arguments()
    runs, root = options.runs, OURS["corpus"]
    shutil.copytree(corpus(options.corpus), root)
    warm = [sys.executable, "-m", "codemods", "check", "--output-format", "concise", root]
    check = [*warm, "--no-cache"]
    floor = [sys.executable, str(Path(__file__).with_name("floor.py")), root, CANDIDATE.pattern.decode()]
    usage, toolkit = ["-m", "codemods", "--help"], ["-c", "import typer, rich"]
    python = sys.executable
    costs = [
        compare("check / read and parse", check, floor, COLD.get(options.corpus, 10), runs),
        compare("nothing changed", warm, floor, WARM, runs),
        compare("one file changed", warm, floor, CHANGED, runs, lambda run: change(root, run, runs)),
        compare("--help / typer and rich", [python, *usage], [python, *toolkit], 2.5, runs),
    ]
    memory = peak(check)
    stray = imported(check[1:]) & FORBIDDEN

    print(f"{platform.machine()}, {os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}")
    print(f"medians of {options.runs} runs, CPU seconds of whole processes: ours, floor, ratio")
    for cost in costs:
        print(cost)
    print(f"{'memory of a check':24} {memory:8.0f} MB (at most {MEMORY})")
    print(f"a check imports, of {', '.join(sorted(FORBIDDEN))}: {', '.join(sorted(stray)) or 'none'}")
    if options.strict and (stray or memory > MEMORY or any(cost.ratio > cost.target for cost in costs)):
        sys.exit(1)


if __name__ == "__main__":
    main()
