"""FlagAlone: a flag serves one guard and nothing else, and what the guard binds is used nowhere behind it."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.kernel import Assign, Branch, Kernel, Loop, every, places
from codemods.core.span import Step, span
from codemods.core.syntax import walk
from codemods.core.verdict import Proved, Refused, Verdict


@dataclass(frozen=True, slots=True)
class FlagAlone:
    guard: Branch

    def check(self, flow: Flow) -> Verdict:
        kernel = flow.kernel
        if kernel is None:
            return Refused("not-understood", "there is no kernel")
        asked = set(walk(self.guard.node.test))
        within = set(walk(self.guard.node))
        for read, value in kernel.reads:
            if read in within and read.id != self.guard.unset:
                continue
            where = (Step(flow.path, span(read), f"{read.id} is used"),)
            if read.id == self.guard.unset and read not in asked:
                return Refused("flag-used", f"{read.id} is used elsewhere, too", where)
            if _from(kernel, value, self.guard):
                return Refused("flag-used", f"{read.id} is bound under the guard and used behind it", where)
        return Proved()


def _from(kernel: Kernel, value: int, guard: Branch) -> bool:
    """The value may be one that a name was given under the guard."""
    out = {(node.ident, name): end for node in every(kernel.body) if isinstance(node, Loop) for name, end in node.out}
    place = next(place for place in places(kernel.body) if place.node is guard)
    around = {here.node.ident for here in place.up() if isinstance(here.node, Loop)}
    given = {node.name for node in every(guard.then) if isinstance(node, Assign)}
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
                if loop in around and name in given:
                    return True
                todo += [*term.parts, out[loop, name]]
    return False
