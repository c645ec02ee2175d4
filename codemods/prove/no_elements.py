"""NoElements: the memory holds nothing at all."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Birth, Flow
from codemods.core.size import ZERO
from codemods.core.span import Step, span
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import step


@dataclass(frozen=True, slots=True)
class NoElements:
    """One extent is literally 0."""

    birth: Birth

    def check(self, flow: Flow) -> Verdict:
        if self.birth.shape is not None and ZERO in self.birth.shape:
            return Proved((Step(flow.path, span(self.birth.node), "an extent of it is 0"),))
        return Refused("has-elements", "no extent is literally 0", (step(flow, self.birth),))
