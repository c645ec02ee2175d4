"""Rewrites that are right one at a time and wrong together: each may be the reason why the other is right."""

from __future__ import annotations

from collections.abc import Iterable

from codemods.core.span import Span
from codemods.core.verdict import Decision


def independent(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """The first of those that lean on each other, and all others; what is left out can be decided again afterwards.

    `x = zeros(n); x.zero_()`: the call makes the second line needless, the second line the fill of the first.
    """
    kept: list[Decision] = []
    for decision in decisions:
        if not any(_leans(decision, other) or _leans(other, decision) for other in kept):
            kept.append(decision)
    return tuple(kept)


def _leans(one: Decision, other: Decision) -> bool:
    """A line that makes the first right is changed by the second."""
    return one.path == other.path and any(_meet(step.span, other.span) for step in one.because)


def _meet(one: Span, other: Span) -> bool:
    starts_before_end = (one.line, one.column) < (other.end_line, other.end_column)
    return starts_before_end and (other.line, other.column) < (one.end_line, one.end_column)
