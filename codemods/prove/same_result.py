"""SameResult: the operator gives a tensor of the dtype and the shape of its left operand."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Birth, Flow
from codemods.core.meta import DEFAULT, FLOATS
from codemods.core.span import Step, span
from codemods.core.update import Update
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.ops.in_place import keeps_dtype


@dataclass(frozen=True, slots=True)
class SameResult:
    """`operator`: its name in the syntax tree."""

    update: Update
    operator: str

    def check(self, flow: Flow) -> Verdict:
        update, dtype = self.update, self.update.left.meta.dtype
        here = (Step(flow.path, span(update.node), "computed here"),)
        births = [event for event in flow.events if isinstance(event, Birth) and event.buffer is update.left.buffer]
        if not births or not all(birth.api.startswith(("torch.", "Tensor.new_")) for birth in births):
            message = f"how {update.name} lies in memory is not known: the result may lie there in another way"
            return Refused("another-result", message, here, needs=f"an allocation that makes {update.name}")
        every: tuple[str | None, ...] = (None,)
        if isinstance(dtype, str):
            every = tuple(name.removeprefix("torch.") for name in (sorted(FLOATS) if dtype == DEFAULT else [dtype]))
        if not all(keeps_dtype(self.operator, update.right, known) for known in every):
            message = f"the result may have another dtype than {update.name}"
            return Refused("another-result", message, here, needs="the dtypes of both operands")
        if not update.fits:
            message = f"the result may have another shape than {update.name}"
            return Refused("another-result", message, here, needs="the shapes of both operands")
        return Proved((Step(flow.path, span(update.node), f"the result has the dtype and the shape of {update.name}"),))
