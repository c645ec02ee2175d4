"""Silent: what goes with the edit does nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.verdict import Proved, Refused, Verdict


@dataclass(frozen=True, slots=True)
class Silent:
    """`effects`: the expressions that would no longer run and may do more than give a value."""

    effects: tuple[str, ...]

    def check(self, flow: Flow) -> Verdict:
        if self.effects:
            return Refused("side-effect", f"{self.effects[0]} would no longer run, and it may have an effect")
        return Proved()
