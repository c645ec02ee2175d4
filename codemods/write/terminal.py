"""What is drawn in a terminal. The only file that knows rich; it is imported where a terminal is looking."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from codemods.write.show import Line, plain
from codemods.write.streams import looking

COLOURS = {"proved": "green", "assumed": "cyan", "unknown": "yellow", "refuted": "red"}
INDENTS = {"head": "", "source": "    ", "caret": "    ", "note": "    "}
STYLES = {"head": "bold", "source": "", "caret": "cyan", "note": "dim"}
MARKS = {"-": "bold red", "+": "bold green"}
WIDE = 1000  # columns: a name is not cut short
SLOW = 0.5  # seconds after which a progress bar is shown


@contextlib.contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, once it takes long."""
    started = shown = time.monotonic()
    # without its refreshing thread: processes are started meanwhile
    bar = Progress(console=Console(stderr=True), auto_refresh=False, transient=True)
    task = bar.add_task("reading")

    def tell(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - started > SLOW and now - shown > 0.1:
            bar.start()
            bar.update(task, completed=done, total=total, refresh=True)
            shown = now

    try:
        yield tell
    finally:
        bar.stop()


@contextlib.contextmanager
def entries(total: int) -> Iterator[Callable[[int, Sequence[str], str], None]]:
    """A bar on stderr: how many are done, which are in work, and a line above it for one that ended, if any."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False),
        console=console, auto_refresh=False, transient=True,
    )  # fmt: skip
    task = bar.add_task("", total=total)

    def tell(done: int, running: Sequence[str], line: str) -> None:
        if line:
            bar.console.print(line, soft_wrap=True, style="red" if line.startswith("error:") else "")
        bar.update(task, completed=done, description=", ".join(running), refresh=True)

    with bar:
        yield tell


def table(lines: Sequence[Sequence[str]], names: int) -> str:
    """A heading, lines and sums as text for stdout; all columns but the first `names` hold numbers."""
    drawn = Table(box=SIMPLE_HEAD, show_footer=True, pad_edge=False)
    for index, (head, foot) in enumerate(zip(lines[0], lines[-1], strict=True)):
        drawn.add_column(
            head, foot, justify="left" if index < names else "right", style=COLOURS.get(head, ""), no_wrap=True
        )
    for line in lines[1:-1]:
        drawn.add_row(*map(Text, line), style="red" if "failed" in line[:names] else "")
    text = StringIO()
    looks = looking(sys.stdout)
    Console(file=text, force_terminal=looks, width=WIDE, highlight=False, markup=False, emoji=False).print(drawn)
    return text.getvalue()


def drawn(lines: Iterable[Line]) -> str:
    """Findings in colours, as text for stdout."""
    console = Console(file=StringIO(), force_terminal=looking(sys.stdout), highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        for line in lines:
            console.print(_text(line), soft_wrap=True)
    return capture.get()


def diff(parts: Iterable[tuple[Sequence[Line], Sequence[bytes]]]) -> str:
    """Hunks with their source in colours, each under the lines that say why, as text for stdout."""
    console = Console(file=StringIO(), force_terminal=True, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        for lines, pieces in parts:
            _show(console, lines, pieces)
    return capture.get()


def show(lines: Sequence[Line], pieces: Sequence[bytes]) -> None:
    """The same on stderr."""
    _show(Console(stderr=True, highlight=False, markup=False, emoji=False), lines, pieces)


def ask(question: str) -> str:
    """The line that is typed, with its end; "" at the end of the input."""
    Console(stderr=True, highlight=False, markup=False, emoji=False).print(question, end="", style="bold blue")
    return sys.stdin.readline()


def _show(console: Console, lines: Sequence[Line], pieces: Sequence[bytes]) -> None:
    for line in lines:
        console.print(_text(line), soft_wrap=True)
    for piece in pieces:
        for text in _hunk(piece):
            console.print(text, soft_wrap=True)


def _hunk(piece: bytes) -> Iterator[Text]:
    """Old and new side are coloured each as one source."""
    head, *rest = [plain(line.rstrip("\r")) for line in piece.decode(errors="replace").rstrip("\n").split("\n")]
    yield Text(head, style="cyan")
    sides = {mark: iter(_coloured([line[1:] for line in rest if line[:1] in (" ", mark)])) for mark in "-+"}
    for line in rest:
        mark = line[:1]
        if mark == "\\":
            yield Text(line, style="dim")
            continue
        texts = [next(sides[side]) for side in ("-+" if mark == " " else mark)]
        text = Text(mark or " ", style=MARKS.get(mark, ""))
        text.append_text(texts[-1])
        text.rstrip()
        yield text


def _coloured(lines: Sequence[str]) -> list[Text]:
    found = Syntax("", "python", theme="ansi_dark").highlight("\n".join(lines)).split("\n", allow_blank=True)
    return [found[index] if index < len(found) else Text() for index in range(len(lines))]


def _text(line: Line) -> Text:
    text = Text((INDENTS[line.kind] + line.text).rstrip(), style=STYLES[line.kind])
    if line.kind == "head":
        for name, colour in COLOURS.items():
            text.highlight_regex(rf"(?<= ){name}(?=[\[:,])", colour)
    return text
