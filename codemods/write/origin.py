"""Where a line of an edited text was before the edits."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from codemods.core.span import NEWLINE, Span
from codemods.core.verdict import Decision


@dataclass(frozen=True, slots=True)
class Origin:
    """Runs of lines in file order: where each begins now, where it began, and how many lines it had."""

    runs: tuple[tuple[int, int, int], ...]

    def line(self, now: int) -> int:
        """A line that an edit put there was where the edited lines were."""
        begins, began, length = self.runs[max(bisect_right(self.runs, (now, float("inf"))) - 1, 0)]
        return began + max(min(now - begins, length - 1), 0)

    def moved(self, decision: Decision) -> Decision:
        """With its lines as they were."""
        place = decision.span
        span = Span(self.line(place.line), place.column, self.line(place.end_line), place.end_column)
        return replace(decision, span=span)


def origin(before: bytes, after: bytes) -> Origin:
    """From `after` back to `before`."""
    matcher = SequenceMatcher(None, NEWLINE.split(before), NEWLINE.split(after), autojunk=False)
    codes = [(new + 1, old + 1, high - old) for _, old, high, new, upto in matcher.get_opcodes() if upto > new]
    return Origin(tuple(codes) or ((1, 1, 1),))
