"""What benchmarks have in common: CPU time of a command, the machine in words, sections of docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
# an installed tool has its byte code: this one gets it, too, apart from the checkout, by a first run
BYTECODE = tempfile.TemporaryDirectory()
CORPORA = ("sglang-0.4.6.post5", "vllm-0.10.0", "sglang-0.5.23")


def cpu(command: Sequence[str], *, fine: Sequence[int] = (0, 1), variables: Mapping[str, str] | None = None) -> float:
    """CPU seconds, user and system, of a process and of all that it started and waited for.

    Exits with the output of a command whose status is not one of `fine`.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, **(variables or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode not in fine or "Traceback" in result.stderr:
        sys.exit(f"{' '.join(command)}: status {result.returncode}\n{result.stdout[-1000:]}{result.stderr[-3000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def check(tree: Path) -> float:
    """CPU seconds of a cold check of a tree. The first one compiles the tool, too."""
    command = [sys.executable, "-m", "codemods", "check", "--no-cache", "--output-format", "concise", str(tree)]
    return cpu(command, variables={"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": BYTECODE.name})


def sources(tree: Path) -> Iterator[Path]:
    """The Python files of a tree."""
    return (path for path in sorted(tree.rglob("*.py")) if path.is_file())


def lines(tree: Path) -> int:
    """Lines of Python in a tree."""
    return sum(path.read_bytes().count(b"\n") for path in sources(tree))


def corpus(name: str) -> Path:
    """The directory of a released package, which is fetched once."""
    command = [sys.executable, str(ROOT / "tests" / "corpora.py"), name]
    return Path(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def machine() -> str:
    """The processor, its cores, the system and Python; nothing that names the machine."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    model = found[1] if found else platform.processor() or platform.machine()
    python = f"Python {platform.python_version()}"
    return f"{model} ({platform.machine()}), {os.cpu_count()} CPUs, {platform.system()}, {python}"


def middle(values: Sequence[float]) -> str:
    """The median, and behind it the least and the greatest where there are several."""
    median = f"{statistics.median(values):.2f}"
    return median if len(values) == 1 else f"{median} ({min(values):.2f} to {max(values):.2f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def publish(section: str, text: str, page: Path = PAGE) -> None:
    """Exchange what stands between the marks of a section. Raises ValueError where the page has no such marks."""
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    before, found, rest = page.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page.name} has no section {section}")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", "utf-8")
