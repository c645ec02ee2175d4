"""SameMeta: the other call makes a tensor of the same shape, dtype, layout, device and flags."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.verdict import Proved, Refused, Verdict

UNDERSTOOD = frozenset("size input dtype device pin_memory layout memory_format requires_grad fill_value self".split())


@dataclass(frozen=True, slots=True)
class SameMeta:
    """`keywords`: those of the call with their source. `dtype_from_fill`: the fill value's type decides the dtype."""

    keywords: tuple[tuple[str, str], ...]
    dtype_from_fill: bool = False
    reachable: bool = True  # the other function can be named in the same way

    def check(self, flow: Flow) -> Verdict:
        given = dict(self.keywords)
        strange = sorted(given.keys() - UNDERSTOOD)
        if strange:
            return Refused("unknown-arguments", f"the argument {strange[0]} is not understood")
        if given.get("layout", "torch.strided") != "torch.strided":
            return Refused("unknown-arguments", f"the layout may not be strided: {given['layout']}")
        if given.get("requires_grad", "False") != "False":
            return Refused("requires-grad", "it may require a gradient: then others can hold on to its value")
        if self.dtype_from_fill:
            return Refused("dtype-from-fill", "its dtype comes from the fill value, which empty does not have")
        if not self.reachable:
            return Refused("not-imported", "torch.empty cannot be named here in the way that this call is")
        return Proved()
