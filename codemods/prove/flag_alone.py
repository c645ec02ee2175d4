"""FlagAlone: a flag serves one guard and nothing else, and what the guard binds is used nowhere behind it."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.kernel import Branch, Kernel, Loop, every
from codemods.core.span import Step, span
from codemods.core.syntax import walk
from codemods.core.verdict import Proved, Refused, Verdict


@dataclass(frozen=True, slots=True)
class FlagAlone:
    guard: Branch

    def check(self, flow: Flow) -> Verdict:
        kernel = flow.kernel
        assert kernel is not None, "such a branch is in a kernel"
        asked = set(walk(self.guard.node.test))
        for read, value in kernel.reads:
            where = (Step(flow.path, span(read), f"{read.id} is used"),)
            if read.id == self.guard.unset and read not in asked:
                return Refused("flag-used", f"{read.id} is used elsewhere, too", where)
            if _from(kernel, value, self.guard):
                return Refused("flag-used", f"{read.id} is bound under the guard and used behind it", where)
        return Proved()


def _from(kernel: Kernel, value: int, guard: Branch) -> bool:
    """The value may be one that a name was given under the guard."""
    out = {(node.ident, name): end for node in every(kernel.body) if isinstance(node, Loop) for name, end in node.out}
    todo, seen = [value], set[int]()
    while todo:
        number = todo.pop()
        if number in seen:
            continue
        seen.add(number)
        term = kernel.terms[number]
        match term.op, term.data:
            case "join", ident:
                if ident == guard.ident:
                    return True
                todo += term.parts
            case (("after" | "carried"), (int(loop), str(name))):
                todo += [*term.parts, out[loop, name]]
    return False
