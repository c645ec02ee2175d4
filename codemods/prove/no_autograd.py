"""NoAutograd: no gradient is recorded that needs the old values."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from codemods.core.event import Flow, Read, Write
from codemods.core.meta import INTEGERS
from codemods.core.update import Update
from codemods.core.verdict import Proved, Verdict


@dataclass(frozen=True, slots=True)
class NoAutograd:
    """Integers and truth values have no gradient; but where one was read before, say as an index, a gradient of
    something else may need it. `quiet`: none is recorded in all of the function. Else it is assumed, by the name
    `no-autograd`."""

    update: Update
    quiet: bool = False

    def check(self, flow: Flow) -> Verdict:
        left = self.update.left
        events = [event for event in flow.events if event is not None and event.buffer is left.buffer]
        own = {node for update in flow.updates for node in update.nodes} | {
            event.node for event in events if isinstance(event, Write)
        }
        reads = [event for event in events if isinstance(event, Read) and event.region is not None]
        read = any(event.node not in own and not isinstance(event.node, ast.Compare) for event in reads)
        exact = left.meta.dtype in INTEGERS | {"torch.bool"} and not read
        return Proved() if exact or self.quiet else Proved(assumes=("no-autograd",))
