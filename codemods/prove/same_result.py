"""SameResult: what is computed has the dtype, the shape and the strides of the left operand."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.meta import DEFAULT, FLOATS
from codemods.core.span import Step, span
from codemods.core.update import Update
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.ops.in_place import keeps_dtype


@dataclass(frozen=True, slots=True)
class SameResult:
    """Each row of the update, one after the other, keeps them. `pinned`: the left one may lie in pinned memory; no
    result does."""

    update: Update
    pinned: bool = False

    def check(self, flow: Flow) -> Verdict:
        update, dtype = self.update, self.update.left.meta.dtype
        here = (Step(flow.path, span(update.node), "computed here"),)
        every: tuple[str | None, ...] = (None,)
        if isinstance(dtype, str):
            every = tuple(name.removeprefix("torch.") for name in (sorted(FLOATS) if dtype == DEFAULT else [dtype]))
        if not all(keeps_dtype(row, right, known) for row, right in update.rows for known in every):
            message = f"the result may have another dtype than {update.name}"
            return Refused("another-result", message, here, needs="the dtypes of both operands")
        if not update.fits:
            message = f"the result may have another shape than {update.name}"
            return Refused("another-result", message, here, needs="the shapes of both operands")
        if not update.left.meta.plain:
            message = f"how {update.name} lies in memory is not known: the result may lie there in another way"
            return Refused("another-result", message, here, needs=f"an allocation that makes {update.name}, its shape")
        if self.pinned:
            message = f"{update.name} is in pinned memory, and the result is not"
            return Refused("pinned", message, here, needs="that nobody relies on it")
        return Proved((Step(flow.path, span(update.node), f"the result has the dtype and the shape of {update.name}"),))
