"""Steady: an allocation in a loop gives the same tensor in every turn, and in front of the loop."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Birth, Flow
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import step


@dataclass(frozen=True, slots=True)
class Steady:
    """It runs in every turn that gets so far, its arguments never differ, and in front of the loop it raises only
    where the loop would raise."""

    birth: Birth

    def check(self, flow: Flow) -> Verdict:
        front, here = flow.fronts[self.birth.node], (step(flow, self.birth),)
        if front.unsteady:
            needs = "that shape, dtype and device are the same in every turn"
            return Refused("unsteady", front.unsteady, here, needs=needs)
        if front.place:
            return Refused("not-every-turn", front.place, here)
        if front.raises:
            message = f"{front.raises}, and the loop may end before it gets there"
            return Refused("may-raise", message, here, needs="that the loop runs, or that this cannot raise")
        return Proved(here)
