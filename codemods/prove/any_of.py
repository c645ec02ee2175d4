"""AnyOf: one of several obligations is enough."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.verdict import Proved, Verdict
from codemods.prove import Obligation


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The first that holds proves it; where none does, the first one's refusal is the reason."""

    options: tuple[Obligation, ...]

    def check(self, flow: Flow) -> Verdict:
        verdicts = []
        for option in self.options:
            verdict = option.check(flow)
            if isinstance(verdict, Proved):
                return verdict
            verdicts.append(verdict)
        return verdicts[0]
