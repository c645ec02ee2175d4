"""SeenOnlyBy: the memory holds what it was filled with, and one call alone looks at it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from codemods.core.event import Birth, Escape, Flow, Read, Rebound, Write
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.walk import step


@dataclass(frozen=True, slots=True)
class SeenOnlyBy:
    """`places`: the nodes of that call, and those that go with the allocation. Nothing else reads the memory or uses
    its name, and nothing but the allocation writes it, on any path. `goes`: all that makes it can be taken out."""

    birth: Birth
    places: frozenset[ast.AST]
    goes: bool = True

    def check(self, flow: Flow) -> Verdict:
        birth = self.birth
        both = (birth.buffer, birth.buffer.older)
        for event in flow.events:
            if event is None or event.buffer not in both or event.node is birth.node:
                continue
            match event:
                case Rebound():
                    continue
                case Read() if event.node in self.places:
                    continue
                case Write():
                    message = f"it may not hold what it was filled with: {event.why}"
                case Escape() | Read():
                    message = f"it is used elsewhere, too: {event.why}"
                case _:
                    message = "it is allocated in another place, too"
            return Refused("seen-elsewhere", message, (step(flow, event),), needs="that nothing else uses it")
        if not self.goes:
            message = "what allocates it does more than give it this one name"
            return Refused("seen-elsewhere", message, (step(flow, birth),), needs="an assignment to one name")
        return Proved((step(flow, birth),))
