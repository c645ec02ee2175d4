"""Where a line of an edited text was before the edits."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from codemods.core.span import Span, Step, lines_of
from codemods.core.verdict import Decision, Proved


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
        return replace(
            decision,
            span=self._span(decision.span),
            verdicts=tuple(
                replace(verdict, because=tuple(self._step(step, decision.path) for step in verdict.because))
                if isinstance(verdict, Proved)
                else verdict
                for verdict in decision.verdicts
            ),
        )

    def _span(self, place: Span) -> Span:
        return Span(self.line(place.line), place.column, self.line(place.end_line), place.end_column)

    def _step(self, step: Step, path: str) -> Step:
        return replace(step, span=self._span(step.span)) if step.path == path and step.span.line else step


def origin(before: bytes, after: bytes) -> Origin:
    """From `after` back to `before`."""
    matcher = SequenceMatcher(None, lines_of(before), lines_of(after), autojunk=False)
    codes = [(new + 1, old + 1, high - old) for _, old, high, new, upto in matcher.get_opcodes() if upto > new]
    return Origin(tuple(codes) or ((1, 1, 1),))
