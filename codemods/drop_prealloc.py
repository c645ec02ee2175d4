"""drop_prealloc: remove an allocation whose name is bound again before it is used.

    w = torch.empty(m, k)              w = torch.softmax(logits, -1)
    w = torch.softmax(logits, -1)  ->

Saves an allocation, and a fill kernel where the memory was also filled. Safe when on every path the
name is bound again and until then neither the memory nor the name is used, when the arguments of
the allocation do nothing else, and when nobody here handles an exception that it may raise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.core.edit import Remove
from codemods.core.event import Birth, Escape, Event, Flow, Rebound, Write
from codemods.core.proposal import Proposal
from codemods.core.span import span
from codemods.core.syntax import effects, walk
from codemods.core.verdict import Saves
from codemods.prove.not_deliberate import NotDeliberate
from codemods.prove.silent import Silent
from codemods.prove.unhandled import Unhandled
from codemods.prove.untouched import Untouched

KINDS = ("zeros", "ones", "full", "empty")
ALLOCATES = frozenset(name for kind in KINDS for name in (f"torch.{kind}", f"torch.{kind}_like", f"Tensor.new_{kind}"))


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each allocation given to a name that another statement binds again, maybe before it is used. One
    that stands in a `finally` is told once for each way into that, and has to go from all of them."""
    found: dict[ast.Call, list[tuple[Birth, ast.stmt, ast.Name]]] = {}
    for event in flow.events:
        if not (isinstance(event, Birth) and event.api in ALLOCATES and isinstance(event.node, ast.Call)):
            continue
        match flow.parents.get(event.node):
            case ast.Assign(targets=[ast.Name() as target]) as statement:
                pass
            case ast.AnnAssign(target=ast.Name() as target) as statement:
                pass
            case _:
                continue
        found.setdefault(event.node, []).append((event, statement, target))
    for call, births in found.items():
        if any(_bound_again(flow, birth, target) for birth, _, target in births):
            yield from (_proposal(flow, birth, call, statement, target.id) for birth, statement, target in births)


def _bound_again(flow: Flow, birth: Birth, target: ast.Name) -> bool:
    """On some path the name is bound again, and the memory was not used by then. Where every path fills it, reads it
    or passes it on, nobody would call it a pre-allocation."""
    if not any(_binds_again(event, birth, target) for event in flow.events):
        return False
    todo = [after for point, event in enumerate(flow.events) if event is birth for after in flow.next[point]]
    seen: set[int] = set()
    while todo:
        point = todo.pop()
        if point in seen:
            continue
        seen.add(point)
        event = flow.events[point]
        if event is not None and event.buffer is birth.buffer:
            if _binds_again(event, birth, target):
                return True
            if event is birth or _plainly_used(event, birth, target.id):
                continue
        todo += flow.next[point]
    return False


def _binds_again(event: Event | None, birth: Birth, target: ast.Name) -> bool:
    return (
        isinstance(event, Rebound)
        and event.buffer is birth.buffer
        and event.name == target.id
        and event.node is not target
    )


def _plainly_used(event: Event, birth: Birth, name: str) -> bool:
    """A statement that names it uses what it holds, not its shape or identity only, and on every path."""
    if event.when or event.region is None or event.node is birth.node:
        return False
    if isinstance(event, Escape) and event.how != "unseen-call":
        return False
    return any(isinstance(part, ast.Name) and part.id == name for part in walk(event.node))


def _proposal(flow: Flow, birth: Birth, call: ast.Call, statement: ast.stmt, name: str) -> Proposal:
    lost = [*call.args, *(keyword.value for keyword in call.keywords)]
    if isinstance(call.func, ast.Attribute):
        lost.append(call.func.value)
    filled = any(isinstance(event, Write) and event.node is call for event in flow.events)
    obligations = (
        Untouched(birth),
        Unhandled(birth),
        NotDeliberate(birth, name),
        Silent(tuple(effect for part in lost for effect in effects(part, flow.builtins, flow.changing))),
    )
    saves = Saves(launches=int(filled), allocations=1, per=flow.once)
    return Proposal("drop_prealloc", statement, name, (Remove(span(statement)),), obligations, saves)
