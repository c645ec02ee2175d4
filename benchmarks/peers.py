"""CPU time of a check next to that of other tools, on one tree: whole processes with all their children.

Every tool runs in one process where it has an option for that. The tools take turns, so that a machine that slows down
slows all of them; medians are compared. One that takes more than 20 CPU seconds runs `--slow-runs` times.

`--install` puts TorchFix, ast-grep and ruff into environments of their own below the user cache (TorchFix pins libcst);
a tool that is not there is named and left out. Without TREE it is sglang 0.4.6.post5, fetched once.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measure import CORPORA, check, corpus, cpu, lines, machine, middle, publish, sources, table
from platformdirs import user_cache_path

SLOW = 20.0  # CPU seconds
LIBCST = (sys.executable, "-m", "libcst.tool", "codemod", "-x", "--jobs=1", "--no-format", "--hide-progress")
COMMANDS = "libcst.codemod.commands"


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool, and how it looks at a tree: the tree is the last argument."""

    name: str
    command: tuple[str, ...]
    version: tuple[str, ...]
    package: str = ""  # what pip installs; "": it is there
    writes: bool = False  # works in place: it gets a fresh copy for each run

    def there(self) -> bool:
        return shutil.which(self.command[0]) is not None


def peers(home: Path) -> tuple[Peer, ...]:
    def tool(package: str, program: str) -> str:
        return str(home / package / "bin" / program)

    fix, grep, ruff = tool("torchfix", "torchfix"), tool("ast-grep-cli", "ast-grep"), tool("ruff", "ruff")
    rename = (f"{COMMANDS}.rename.RenameCommand", "--old_name=torch.zeros", "--new_name=torch.empty")
    libcst = (sys.executable, "-c", "from importlib.metadata import version; print(version('libcst'))")
    zeros = ("run", "-j", "1", "-l", "python", "-p", "torch.zeros($$$A)", "-r", "torch.empty($$$A)")
    return (
        Peer("TorchFix, all rules", (fix, "-j", "1", "--select=ALL"), (fix, "--version"), "torchfix"),
        Peer("libcst codemod, a rename", (*LIBCST, *rename), libcst, writes=True),
        Peer("libcst codemod, no change", (*LIBCST, f"{COMMANDS}.noop.NOOPCommand"), libcst, writes=True),
        Peer("ast-grep, a rename", (grep, *zeros), (grep, "--version"), "ast-grep-cli"),
        Peer("ruff check", (ruff, "check", "--isolated", "--no-cache", "--exit-zero"), (ruff, "--version"), "ruff"),
    )


def install(wanted: tuple[Peer, ...], home: Path) -> None:
    """An environment for each package. Raises CalledProcessError where pip fails."""
    for package in sorted({peer.package for peer in wanted if peer.package and not peer.there()}):
        venv.create(home / package, clear=True, with_pip=True)
        python = home / package / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)


def version(peer: Peer) -> str:
    answer = subprocess.run(peer.version, capture_output=True, text=True, check=True).stdout.split()
    return next((word for word in answer if word[0].isdigit()), "")


@contextmanager
def given(peer: Peer, tree: Path) -> Iterator[Path]:
    if not peer.writes:
        yield tree
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(tree, Path(folder) / tree.name))


def measured(wanted: tuple[Peer, ...], tree: Path, runs: int, slow: int) -> tuple[list[float], dict[Peer, list[float]]]:
    """CPU seconds of the check and of each peer, one entry a run."""
    ours: list[float] = []
    theirs: dict[Peer, list[float]] = {peer: [] for peer in wanted}
    check(tree)  # byte code and file caches are warm from here on
    for _ in range(runs):
        ours.append(check(tree))
        for peer, seconds in theirs.items():
            if seconds and seconds[0] > SLOW and len(seconds) >= slow:
                continue
            with given(peer, tree) as place:
                seconds.append(cpu((*peer.command, str(place))))
            print(f"{peer.name}: {seconds[-1]:.2f} s", file=sys.stderr)
    return ours, theirs


def report(tree: Path, ours: list[float], theirs: dict[Peer, list[float]]) -> str:
    rows = [("torch-codemods check", "", middle(ours), str(len(ours)), "1")]
    for peer, seconds in theirs.items():
        ratio = statistics.median(seconds) / statistics.median(ours)
        times = f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"
        rows.append((peer.name, version(peer), middle(seconds), str(len(seconds)), times))
    size = f"{sum(1 for _ in sources(tree)):,} files, {lines(tree):,} lines"
    return f"{size}. {machine()}.\n\n{table(('tool', 'version', 'CPU seconds', 'runs', 'times ours'), rows)}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", nargs="?", type=Path, help="a directory of Python files")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow-runs", type=int, default=3)
    parser.add_argument("--install", action="store_true", help="install the peers that are missing")
    parser.add_argument("--home", type=Path, default=user_cache_path("torch-codemods") / "peers", help="where they are")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    wanted = peers(options.home)
    if options.install:
        install(wanted, options.home)
    missing = [peer.name for peer in wanted if not peer.there()]
    if missing:
        print(f"not installed: {', '.join(missing)} (--install)", file=sys.stderr)
    tree = options.tree or corpus(CORPORA[0])
    there = tuple(peer for peer in wanted if peer.there())
    text = report(tree, *measured(there, tree, options.runs, options.slow_runs))
    print(text)
    if options.write:
        publish("peers", text)


if __name__ == "__main__":
    main()
