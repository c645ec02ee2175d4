"""What each rewrite saves, measured: before and after over sizes from 1 K to 64 M elements.

On the CPU in eager mode, in CPU time of one thread, which other programs disturb least. Where there is a GPU, or with
`--device cuda`, also in eager mode (torch.utils.benchmark, which waits for the device) and under replay of a CUDA graph
(CUDA events). Both sides take turns. Before anything is timed both are run on poisoned memory, and must give
equal tensors.

A ratio is before / after: above 1 the rewrite is faster. It counts as faster (slower) from where three quarters of the
rounds say so.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from measure import machine, publish, table
from snippets import SNIPPETS, Run, Snippet, stores
from torch.utils.benchmark import Timer
from torch.utils.benchmark.utils.timer import timer as wall  # waits for the device, where there is one

SIZES = tuple(4**power for power in range(5, 14))  # 1 K to 64 M
IN_A_GRAPH = 10  # calls: the replay of one small kernel is mostly the replay
Mode = Literal["eager", "graph"]


@dataclass(frozen=True, slots=True)
class Row:
    """One snippet at one size: seconds a call, one entry a round."""

    snippet: Snippet
    mode: Mode
    size: int
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, float, float]:
        """Quartiles of before / after over the rounds."""
        return quartiles([before / after for before, after in zip(self.before, self.after, strict=True)])

    @property
    def verdict(self) -> str:
        low, _, high = self.ratios
        return "faster" if low > 1 else "slower" if high < 1 else "same"


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    return low, middle, high


@contextlib.contextmanager
def poisoned() -> Iterator[None]:
    """Memory without a value is filled with NaN, or with the greatest number."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def same(snippet: Snippet, before: torch.Tensor, after: torch.Tensor) -> None:
    """Raises AssertionError where the two sides differ in anything but memory that nobody gave a value."""
    for what in ("shape", "dtype", "device"):
        assert getattr(before, what) == getattr(after, what), f"{snippet.name}: another {what}"
    assert before.stride() == after.stride(), f"{snippet.name}: other strides"
    assert not snippet.equal or torch.equal(before, after), f"{snippet.name}: other values"


def seconds(call: Run, number: int, timer: Callable[[], float]) -> float:
    """One call, averaged over `number` of them."""
    return Timer("call()", globals={"call": call}, timer=timer).timeit(number).median


def enough(once: Callable[[int], float], block: float) -> int:
    """How many calls take at least `block` seconds."""
    number = 1
    while (taken := once(number) * number) < block:
        number = max(2 * number, min(int(number * block / max(taken, 1e-9)), 100 * number))
    return number


def compare(
    before: Callable[[int], float], after: Callable[[int], float], rounds: int, block: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds a call of both sides, which take turns; each is told how many calls a round has."""
    numbers = enough(before, block), enough(after, block)
    pairs = [(before(numbers[0]), after(numbers[1])) for _ in range(rounds)]
    return tuple(one for one, _ in pairs), tuple(other for _, other in pairs)


def captured(call: Run) -> tuple[torch.cuda.CUDAGraph, torch.Tensor]:
    """A graph of some calls and the result of the last one. Lazy set-up happens before, on a stream of its own."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(IN_A_GRAPH - 1):
            call()
        result = call()
    graph.replay()
    torch.cuda.synchronize()
    return graph, result


def replayed(graph: torch.cuda.CUDAGraph) -> Callable[[int], float]:
    """Seconds of one call in the graph, by events on the device."""

    def run(number: int) -> float:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        graph.replay()
        start.record()
        for _ in range(number):
            graph.replay()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / number / IN_A_GRAPH

    return run


def measured(snippet: Snippet, size: int, device: str, rounds: int, block: float) -> Iterator[Row]:
    """Eager, and on a GPU under replay. Raises AssertionError where the sides are not the same."""
    before, after = snippet.sides(size, device)
    with poisoned():
        same(snippet, before(), after())
    timer = time.process_time if device == "cpu" else wall

    def eager(call: Run) -> Callable[[int], float]:
        return lambda number: seconds(call, number, timer)

    yield Row(snippet, "eager", size, *compare(eager(before), eager(after), rounds, block))
    if device == "cuda":
        graphs = [captured(call) for call in (before, after)]
        same(snippet, graphs[0][1], graphs[1][1])
        yield Row(snippet, "graph", size, *compare(replayed(graphs[0][0]), replayed(graphs[1][0]), rounds, block))


def rows(device: str, sizes: Sequence[int], rounds: int, block: float) -> list[Row]:
    found: list[Row] = []
    with torch.inference_mode():
        for snippet in (*SNIPPETS, *(stores() if device == "cuda" else ())):
            for size in sizes:
                try:
                    found += measured(snippet, size, device, rounds, block)
                except torch.OutOfMemoryError:
                    print(f"{snippet.name}: {size} elements do not fit", file=sys.stderr)
                if device == "cuda":
                    torch.cuda.empty_cache()
            print(snippet.name, *(f"{row.ratios[1]:.2f}" for row in found if row.snippet == snippet), file=sys.stderr)
    return found


def short(size: int) -> str:
    return f"{size >> 20} M" if size >= 1 << 20 else f"{size >> 10} K" if size >= 1 << 10 else str(size)


def times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:.0f}"


def micro(values: Sequence[float]) -> str:
    """Median and quartiles, in microseconds."""
    low, middle, high = (f"{value * 1e6:.3g}" if value < 1e-3 else f"{value * 1e6:.0f}" for value in quartiles(values))
    return f"{middle} ({low} to {high})"


def ratio_table(found: Sequence[Row]) -> str:
    """A row a snippet, a column a size; in brackets what is neither faster nor slower."""
    sizes = sorted({row.size for row in found})
    cells = {(row.snippet, row.size): row for row in found}
    body = []
    for snippet in dict.fromkeys(row.snippet for row in found):
        mine = [cells.get((snippet, size)) for size in sizes]
        texts = ["" if row is None else times(row.ratios[1]) for row in mine]
        marked = [f"({text})" if row and row.verdict == "same" else text for row, text in zip(mine, texts, strict=True)]
        body.append((f"{snippet.codemod}: {snippet.name}", *marked))
    return table(("before / after", *map(short, sizes)), body)


def time_table(found: Sequence[Row]) -> str:
    body = [
        (f"{row.snippet.codemod}: {row.snippet.name}", short(row.size), micro(row.before), micro(row.after),
         "{1} ({0} to {2})".format(*map(times, row.ratios)), row.verdict)
        for row in found
    ]  # fmt: skip
    return table(("rewrite", "elements", "before, µs", "after, µs", "before / after", "after is"), body)


def report(found: Sequence[Row], device: str, rounds: int) -> str:
    where = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, " if device == "cuda" else ""
    parts = [f"{where}{machine()}, torch {torch.__version__}, float32. Medians of {rounds} rounds."]
    for mode in dict.fromkeys(row.mode for row in found):
        mine = [row for row in found if row.mode == mode]
        title = {"eager": "Eager mode", "graph": "Replay of a CUDA graph"}[mode]
        times = f"<details>\n<summary>Times: median (quartiles)</summary>\n\n{time_table(mine)}\n\n</details>"
        parts += [f"{title}, before / after:", ratio_table(mine), times]
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="ELEMENTS")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--block", type=float, default=0.005, help="seconds that a round takes at least")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    text = report(rows(options.device, options.sizes, options.rounds, options.block), options.device, options.rounds)
    print(text)
    if options.write:
        publish(f"rewrites on {options.device}", text)


if __name__ == "__main__":
    main()
