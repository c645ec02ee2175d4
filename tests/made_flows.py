"""Flows that are made by hand, event by event, and what a prover says about one in a word."""

from __future__ import annotations

import ast
from typing import Any

from codemods.core.event import Birth, Buffer, Escape, Event, Flow, Read, Rebound, Write
from codemods.core.region import ALL, Box, Run
from codemods.core.size import as_size
from codemods.core.verdict import Proved, Verdict

OLDER = Buffer("older")
B, OTHER = Buffer("b", OLDER), Buffer("other")
FRONT, BACK = (Box(((0, Run(as_size(low), high)),)) for low, high in ((0, as_size(2)), (2, None)))
SOMETIMES = frozenset({(2, 1)})  # came into the join at point 2 by its edge 1


def at(line: int) -> ast.stmt:
    return ast.parse("\n" * (line - 1) + "here").body[0]


def birth(line: int = 1, buffer: Buffer = B) -> Birth:
    return Birth(buffer, ALL, at(line), "made")


def write(line: int, buffer: Buffer = B, region: Box | None = ALL, **more: Any) -> Write:
    return Write(buffer, region, at(line), "filled", **{"sure": True, "value": "0", **more})


def read(line: int, buffer: Buffer = B, region: Box | None = ALL, why: str = "read", **more: Any) -> Read:
    return Read(buffer, region, at(line), why, **more)


def escape(line: int, buffer: Buffer = B, **more: Any) -> Escape:
    return Escape(buffer, None, at(line), "passed on", **more)


def rebound(line: int, buffer: Buffer = B) -> Rebound:
    return Rebound(buffer, None, at(line), "bound again")


def flow(*events: Event | None, to: dict[int, tuple[int, ...]] | None = None, **more: Any) -> Flow:
    """The events one after the other, behind the entry, but where `to` says what follows."""
    steps = [(point + 1,) for point in range(len(events))] + [()]
    for point, targets in (to or {}).items():
        steps[point] = targets
    return Flow("f", "m.py", "call", (None, *events), tuple(steps), **more)


def short(verdict: Verdict) -> str:
    """`proved`, or the reason; with the lines that are told."""
    steps = verdict.because if isinstance(verdict, Proved) else verdict.witness
    word = "proved" if isinstance(verdict, Proved) else verdict.code
    return " ".join([word, *(str(step.span.line) for step in steps)])
