"""What the provers answer, and the decision on a site that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from codemods.core.edit import Edit
from codemods.core.span import Span, Step

Name = Literal["proved", "assumed", "unknown", "refuted"]
VERDICTS: tuple[Name, ...] = ("proved", "assumed", "unknown", "refuted")


@dataclass(frozen=True, slots=True)
class Proved:
    """The obligation holds; `because` names the lines that make it hold."""

    because: tuple[Step, ...] = ()
    assumes: tuple[str, ...] = ()  # named assumptions, such as "contract:vllm"


@dataclass(frozen=True, slots=True)
class Refused:
    """The obligation was not shown to hold.

    `certain`: the witness is a path on which the rewrite changes a result. Otherwise it is the
    place where the tool could no longer see, and `needs` says which fact would settle it. `then`: what
    would still be in the way if that were settled.
    """

    code: str  # stable kebab-case word; docs/reasons.md has a section on each
    message: str
    witness: tuple[Step, ...] = ()
    certain: bool = False
    needs: str = ""
    then: Refused | None = None


Verdict = Proved | Refused


@dataclass(frozen=True, slots=True)
class Saves:
    """What the rewrite saves each time its site runs."""

    launches: int = 0  # fill kernels on a GPU, memset-like loops on a CPU
    allocations: int = 0
    bytes: str | None = None  # of memory traffic, a formula in the names of the source; None when the shape is unknown
    per: Literal["call", "instance", "import", "iteration"] = "call"
    stores: int = 0  # statements of a kernel that each of its programs runs for nothing
    but: str = ""  # where the rewrite was measured to cost more than it saves

    def __bool__(self) -> bool:
        return bool(self.launches or self.allocations or self.stores)


@dataclass(frozen=True, slots=True)
class Decision:
    """One candidate site and what was decided about it. Plain data: it crosses process borders."""

    codemod: str
    path: str
    span: Span  # the call or the statement that would change
    function: str  # "Class.method", "<module>"
    subject: str  # the name or expression whose memory this is about
    edits: tuple[Edit, ...]
    verdicts: tuple[Verdict, ...]
    saves: Saves = field(default_factory=Saves)
    fix: str | None = None  # the statement after the rewrite, "" when it goes; None where there is no edit
    life: tuple[Step, ...] = ()  # every event on the buffer as control passes; filled in for `explain` only

    @property
    def reason(self) -> Refused | None:
        """The refusal to show: a certain one before an uncertain one."""
        refused = [verdict for verdict in self.verdicts if isinstance(verdict, Refused)]
        return min(refused, key=lambda verdict: not verdict.certain, default=None)

    @property
    def because(self) -> tuple[Step, ...]:
        return tuple(step for verdict in self.verdicts if isinstance(verdict, Proved) for step in verdict.because)

    @property
    def assumes(self) -> tuple[str, ...]:
        names = {name for verdict in self.verdicts if isinstance(verdict, Proved) for name in verdict.assumes}
        return tuple(sorted(names))

    @property
    def verdict(self) -> Name:
        if reason := self.reason:
            return "refuted" if reason.certain else "unknown"
        return "assumed" if self.assumes else "proved"
