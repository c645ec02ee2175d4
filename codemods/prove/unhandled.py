"""Unhandled: where the statement raises, so does the function."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Event, Flow
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import step


@dataclass(frozen=True, slots=True)
class Unhandled:
    """No handler, and no context manager that may swallow it, catches an exception of the statement that goes."""

    event: Event

    def check(self, flow: Flow) -> Verdict:
        if flow.handles(self.event):
            message = "it may raise, and this function handles the exception: without it another path is taken"
            return Refused("may-raise", message, (step(flow, self.event),), needs="that it cannot raise here")
        return Proved()
