"""cat_to_pad: pad a tensor instead of joining it with a constant one.

    x = torch.cat([x.new_zeros(1), x])        x = torch.nn.functional.pad(x, (1, 0))
                                          ->

Also for concat, concatenate, hstack and vstack, for constants in front, behind or both, made by any
of zeros, ones and full, in the call or under a name that goes with the edit.

Saves an allocation and a call for each constant, and no kernel: pad fills its result and copies
into it, which on the CPU is no faster, mostly slower, below some ten million elements. Safe when
nothing else sees the constant, when the result keeps its dtype, shape and memory format, and when
the lengths are known numbers: pad crops where one is negative.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from codemods.core.call import Call, Operand, padding
from codemods.core.edit import Edit, Import, Remove, Replace
from codemods.core.event import Birth, Buffer, Event, Flow, Read, Write
from codemods.core.proposal import Proposal
from codemods.core.span import Span, span
from codemods.core.syntax import effects, subject, walk
from codemods.core.verdict import Saves
from codemods.prove.same_meta import SameMeta
from codemods.prove.same_pad import SamePad
from codemods.prove.seen_only_by import SeenOnlyBy
from codemods.prove.silent import Silent
from codemods.prove.unhandled import Unhandled

SLOWER = "on the CPU no faster, mostly slower, below some ten million elements"  # benchmarks/rewrites.py
VIEWS = frozenset("unsqueeze view reshape".split())


@dataclass(frozen=True, slots=True)
class _Part:
    """One constant tensor of the list. `lost`: expressions that are no longer evaluated."""

    birth: Birth
    fill: Write
    operand: Operand
    places: tuple[ast.AST, ...]
    lost: tuple[ast.AST, ...]
    statement: ast.stmt | None
    goes: bool


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each call that joins a tensor with constants that are made here."""
    if not flow.calls:
        return
    births = {event.buffer: event for event in flow.events if isinstance(event, Birth)}
    fills = {event.node: event for event in flow.events if isinstance(event, Write) and event.node in _nodes(births)}
    for call in flow.calls:
        elements = _elements(call)
        parts: dict[int, _Part] = {}
        for place, (operand, element) in enumerate(zip(call.operands, elements, strict=False)):
            birth = births.get(operand.buffer) if operand.buffer else None
            if birth is not None and birth.node in fills and isinstance(birth.node, ast.Call):
                parts[place] = _part(flow, birth, fills[birth.node], operand, element)
        others = [place for place in range(len(elements)) if place not in parts]
        if parts and len(others) == 1 and len(elements) == len(call.operands):
            yield _proposal(flow, call, elements, parts, others[0])


def _nodes(births: dict[Buffer, Birth]) -> frozenset[ast.AST]:
    return frozenset(birth.node for birth in births.values())


def _elements(call: Call) -> list[ast.expr]:
    match call.node.args:
        case [ast.List(elts=parts) | ast.Tuple(elts=parts), *_] if not any(isinstance(p, ast.Starred) for p in parts):
            return parts
    return []


def _part(flow: Flow, birth: Birth, fill: Write, operand: Operand, element: ast.expr) -> _Part:
    assert isinstance(birth.node, ast.Call)
    lost: list[ast.AST] = []
    inner = _unwrapped(element, birth.node, lost)
    statement: ast.Assign | ast.AnnAssign | None = None
    if isinstance(inner, ast.Name):
        statement = _assignment(flow, birth.node, inner.id)
        if statement is not None and statement.value is not None:
            inner = _unwrapped(statement.value, birth.node, lost)
    goes = inner is birth.node
    lost += [*birth.node.args, *birth.node.keywords]
    if birth.api.startswith("Tensor.") and isinstance(birth.node.func, ast.Attribute):
        lost.append(birth.node.func.value)
    places = (*walk(element), *(walk(statement) if statement is not None else ()))
    return _Part(birth, fill, operand, places, tuple(lost), statement if goes else None, goes)


def _unwrapped(node: ast.expr, birth: ast.Call, lost: list[ast.AST]) -> ast.expr:
    """What views are taken of; their arguments are added to `lost`."""
    while node is not birth:
        match node:
            case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in VIEWS:
                lost += [*node.args, *node.keywords]
            case ast.Subscript(value=inner, slice=index):
                lost.append(index)
            case _:
                break
        node = inner
    return node


def _assignment(flow: Flow, birth: ast.Call, name: str) -> ast.Assign | ast.AnnAssign | None:
    """The statement around the allocation, where it gives it this name and no other."""
    node: ast.AST | None = birth
    while node is not None and not isinstance(node, ast.stmt):
        node = flow.parents.get(node)
    match node:
        case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)) if target == name:
            return node
    return None


def _proposal(flow: Flow, call: Call, elements: list[ast.expr], parts: dict[int, _Part], other: int) -> Proposal:
    before = [parts[place].operand for place in range(other)]
    after = [parts[place].operand for place in range(other + 1, len(elements))]
    given, strange = _along(call.node)
    pad = padding(call.api, given, before, after) if not strange else None
    values = {part.fill.value for part in parts.values()}
    value = values.pop() if len(values) == 1 else None
    callee, imports = _callee(flow, call)
    keywords = [word for part in parts.values() for word in part.birth.node.keywords]  # type: ignore[attr-defined]
    named = tuple((word.arg or "**", ast.unparse(word.value)) for word in keywords)
    reads = [event for event in flow.events if isinstance(event, Read) and event.node is call.node]
    handled: list[Event] = [*(part.birth for part in parts.values()), *reads]
    places = frozenset((call.node, *(node for part in parts.values() for node in part.places)))
    lost = [effect for part in parts.values() for node in part.lost for effect in _effects(flow, node)]
    operands = tuple(part.operand for part in parts.values())
    stacks, pinned = call.api.endswith("stack"), dict(named).get("pin_memory", "False") != "False"
    obligations = (
        SameMeta((*named, *strange), reachable=callee is not None),
        SamePad(call.node, operands, call.operands[other], pad, value, stacks, pinned),
        *(SeenOnlyBy(part.birth, places, part.goes) for part in parts.values()),
        Silent(tuple(lost)),
        *(Unhandled(event) for event in handled),
    )
    edits = (
        *_edits(call.node, elements[other], callee or "", pad.entries if pad else (), value or "", parts),
        *imports,
    )
    saves = Saves(allocations=len(parts), per=flow.once, but=SLOWER)
    return Proposal("cat_to_pad", call.node, subject(call.node, flow.parents), edits, obligations, saves)


def _effects(flow: Flow, node: ast.AST) -> tuple[str, ...]:
    return effects(node, flow.builtins, flow.changing)


def _along(call: ast.Call) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    """The dimension that a call names, and the arguments that are not understood."""
    strange = [(word.arg or "**", ast.unparse(word.value)) for word in call.keywords if word.arg not in ("dim", "axis")]
    strange += [("*", ast.unparse(arg)) for arg in call.args[2:]]
    named = [word.value for word in call.keywords if word.arg in ("dim", "axis")]
    match [*call.args[1:2], *named]:
        case []:
            return 0, tuple(strange)
        case [ast.Constant(value=int() as place)]:
            return place, tuple(strange)
        case [ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as place))]:
            return -place, tuple(strange)
    return None, tuple(strange)


def _callee(flow: Flow, call: Call) -> tuple[str | None, tuple[Import, ...]]:
    """How pad is called here, and the import that it needs. Whoever says `torch.cat` can say `torch.nn.functional.pad`
    without one."""
    if flow.functional is not None:
        return f"{flow.functional}.pad", ()
    match call.node.func:
        case ast.Attribute(value=ast.Name(id=name)):
            return f"{name}.nn.functional.pad", ()
        case ast.Name() if flow.importable is not None:
            place, name = flow.importable
            return f"{name}.pad", (Import(place, f"import torch.nn.functional as {name}"),)
    return None, ()


def _edits(
    call: ast.Call, other: ast.expr, callee: str, pad: tuple[str, ...], value: str, parts: dict[int, _Part]
) -> tuple[Edit, ...]:
    """What stands around the tensor that stays is exchanged; the statements that made the constants go."""
    whole, kept = span(call), span(other)
    front = Span(whole.line, whole.column, kept.line, kept.column)
    back = Span(kept.end_line, kept.end_column, whole.end_line, whole.end_column)
    lone = isinstance(other, ast.Yield | ast.YieldFrom)  # needs parentheses of its own
    filling = "" if value == "0" else f", value={value}"
    gone = dict.fromkeys(part.statement for part in parts.values() if part.statement is not None)
    return (
        Replace(front, f"{callee}({'(' if lone else ''}"),
        Replace(back, f"{')' if lone else ''}, ({', '.join(pad)}){filling})"),
        *(Remove(span(statement)) for statement in gone),
    )
