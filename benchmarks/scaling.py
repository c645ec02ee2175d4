"""CPU time of a cold check against lines of Python, drawn as docs/scaling.svg.

The trees are directories of released packages, from a few hundred lines to a whole package, each at least 2.5 times as
long as the one before. Each is checked in place: what its files import from the rest of the package is looked into, as
it would be for a user. Without TREE it is three packages, fetched once.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import CORPORA, ROOT, check, corpus, lines, machine, publish, table

LEAST = 500  # lines: below it there is nothing but starting up
PICTURE = ROOT / "docs" / "scaling.svg"


@dataclass(frozen=True, slots=True)
class Point:
    """One tree of a package and what a check of it costs."""

    package: str
    tree: str
    lines: int
    seconds: float


def ladder(root: Path, step: float = 2.5) -> list[tuple[Path, int]]:
    """Directories of a package and their lines, each `step` times as long as the one before or more; last all."""
    places = {path.parent for path in root.rglob("*.py")} | {root}
    every = {parent for place in places for parent in (place, *place.parents) if parent.is_relative_to(root)}
    sizes = sorted(((lines(place), place) for place in every - {root}), key=lambda pair: (pair[0], str(pair[1])))
    whole = lines(root)
    chosen: list[tuple[Path, int]] = []
    floor = float(LEAST)
    for size, place in sizes:
        if floor <= size <= whole / step:
            chosen.append((place, size))
            floor = size * step
    return [*chosen, (root, whole)]


def points(package: str, root: Path, runs: int) -> list[Point]:
    found = []
    trees = ladder(root)
    check(trees[0][0])  # the byte code is there from here on
    for place, size in trees:
        seconds = [check(place) for _ in range(runs)]
        name = place.relative_to(root.parent).as_posix()
        found.append(Point(package, name, size, statistics.median(seconds)))
        print(f"{package}: {name}: {size} lines, {found[-1].seconds:.2f} s", file=sys.stderr)
    return found


def rates(measured: Sequence[Point]) -> dict[str, float]:
    """CPU seconds for 100,000 lines, from the longest tree of each package."""
    longest = {point.package: point for point in sorted(measured, key=lambda point: point.lines)}
    return {name: point.seconds / point.lines * 1e5 for name, point in sorted(longest.items())}


def draw(measured: Sequence[Point], picture: Path) -> None:
    """A point a tree, and a line in proportion to lines, on logarithmic axes; the file's name tells the format."""
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "scaling"})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    for package, marker in zip(dict.fromkeys(point.package for point in measured), "os^Dv", strict=False):
        mine = [point for point in measured if point.package == package]
        axes.plot([p.lines for p in mine], [p.seconds for p in mine], marker, markersize=5, label=package)
    rate = statistics.median(rates(measured).values())
    ends = [min(p.lines for p in measured), max(p.lines for p in measured)]
    guide = f"in proportion: {rate:.1f} s for 100,000 lines"
    axes.plot(ends, [rate * end / 1e5 for end in ends], "--", color="0.6", zorder=0, label=guide)
    axes.set(xscale="log", yscale="log", xlabel="lines of Python", ylabel="CPU seconds", title="A cold check")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None)
    pyplot.close(figure)


def report(measured: Sequence[Point], runs: int) -> str:
    rows = [(point.package, point.tree, f"{point.lines:,}", f"{point.seconds:.2f}") for point in measured]
    whole = ", ".join(f"{rate:.1f} s ({name})" for name, rate in rates(measured).items())
    return (
        f"{machine()}. CPU seconds of whole processes, medians of {runs} runs. For 100,000 lines, by the longest tree "
        f"of each package: {whole}.\n\n" + table(("package", "tree", "lines", "CPU seconds"), rows)
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", nargs="*", type=Path, help="the directory of a package")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md, too")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    trees = {tree.name: tree for tree in options.tree} or {name: corpus(name) for name in CORPORA}
    measured = [point for name, tree in trees.items() for point in points(name, tree.resolve(), options.runs)]
    text = report(measured, options.runs)
    print(text)
    draw(measured, options.picture)
    if options.write:
        publish("scaling", text)


if __name__ == "__main__":
    main()
