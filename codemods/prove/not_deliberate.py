"""NotDeliberate: the allocation is not there for its own sake."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Birth, Flow
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import step


@dataclass(frozen=True, slots=True)
class NotDeliberate:
    """A name such as `_` says that nobody wants the memory: it sets up a device, or reserves room."""

    birth: Birth
    name: str

    def check(self, flow: Flow) -> Verdict:
        if self.name.startswith("_"):
            message = f"{self.name} says that the memory is not wanted: it may be allocated for its side effect"
            return Refused("never-used", message, (step(flow, self.birth),))
        return Proved()
