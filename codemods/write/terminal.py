"""What is drawn in a terminal. The only file that knows rich; it is imported where a terminal is looking."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from io import StringIO

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from codemods.write.show import Line
from codemods.write.streams import looking

COLOURS = {"proved": "green", "assumed": "cyan", "unknown": "yellow", "refuted": "red"}
INDENTS = {"head": "", "source": "    ", "caret": "    ", "note": "    "}
STYLES = {"head": "bold", "source": "", "caret": "cyan", "note": "dim"}
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


def drawn(lines: Iterable[Line]) -> str:
    """Findings in colours, as text for stdout."""
    console = Console(file=StringIO(), force_terminal=looking(sys.stdout), highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        for line in lines:
            console.print(_text(line), soft_wrap=True)
    return capture.get()


def _text(line: Line) -> Text:
    text = Text((INDENTS[line.kind] + line.text).rstrip(), style=STYLES[line.kind])
    if line.kind == "head":
        for name, colour in COLOURS.items():
            text.highlight_regex(rf"(?<= ){name}(?=[\[:])", colour)
    return text
