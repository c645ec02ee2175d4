"""SoleOwner: nobody else holds the memory, and nobody looks at its old content again."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.span import Step, span
from codemods.core.update import Update
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import assumed_of


@dataclass(frozen=True, slots=True)
class SoleOwner:
    """The memory of the left operand was made by one allocation of this function, all of it is what the name stands
    for, and no other name, view, container or callee can reach it."""

    update: Update
    outside: bool = False  # it was made inside a `with` statement that is over by now

    def check(self, flow: Flow) -> Verdict:
        update = self.update
        here = (Step(flow.path, span(update.node), f"{update.name} would be overwritten"),)
        if update.holders:
            message = f"{update.holders[0]} may be a view of {update.name}, or hold it, and would see the new values"
            return Refused("held-elsewhere", message, here, needs=f"that only {update.name} holds the memory")
        if update.left.buffer is None:
            message = f"{update.name} may be a part of some memory, or one of several"
            return Refused("held-elsewhere", message, here, needs=f"one allocation that makes {update.name}")
        if update.waits:
            message = "a copy in this function may still be reading when the statement runs"
            return Refused("stream", message, here)
        if self.outside:
            message = f"{update.name} is made under a context manager that is left by now"
            needs = "that this is not inference_mode, whose tensors cannot be changed outside of it"
            return Refused("not-understood", message, here, needs=needs)
        because = Step(flow.path, span(update.node), f"only {update.name} holds the memory")
        return Proved((because,), assumed_of(flow, update.left.buffer))
