"""zeros_to_empty: do not fill memory that is overwritten before anyone looks at it.

    out = torch.zeros(n, d)            out = torch.empty(n, d)
    out.copy_(x)                 ->    out.copy_(x)

Also for ones, full, their _like forms, new_zeros, new_ones and new_full.

Saves one fill kernel each time. Safe when every element is overwritten on every path before it is
read, returned, stored away or handed to code that cannot be seen, and when the empty tensor has the
same shape, dtype and device: `full` without a dtype takes it from its fill value, `empty` does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.core.edit import Edit, Replace, after, rename_callee
from codemods.core.event import Birth, Flow, Write
from codemods.core.proposal import Proposal
from codemods.core.size import ZERO
from codemods.core.span import between, span
from codemods.core.syntax import effects, subject
from codemods.core.traffic import filled
from codemods.core.verdict import Saves
from codemods.prove.any_of import AnyOf
from codemods.prove.editable import Editable
from codemods.prove.no_elements import NoElements
from codemods.prove.same_meta import SameMeta
from codemods.prove.silent import Silent
from codemods.prove.unobserved import Unobserved

EMPTY = {
    "torch.zeros": "empty",
    "torch.ones": "empty",
    "torch.full": "empty",
    "torch.zeros_like": "empty_like",
    "torch.ones_like": "empty_like",
    "torch.full_like": "empty_like",
    "Tensor.new_zeros": "new_empty",
    "Tensor.new_ones": "new_empty",
    "Tensor.new_full": "new_empty",
}


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each allocation that also fills: its fill is told behind its birth."""
    births: dict[ast.AST, Birth] = {}
    for event in flow.events:
        if isinstance(event, Birth):
            births[event.node] = event
        elif isinstance(event, Write) and event.api in EMPTY and isinstance(event.node, ast.Call):
            yield _proposal(flow, event, event.node, births[event.node])


def _proposal(flow: Flow, fill: Write, call: ast.Call, birth: Birth) -> Proposal:
    edits: list[Edit] = []
    reachable = isinstance(call.func, ast.Attribute)
    if reachable:
        edits.append(rename_callee(call, EMPTY[fill.api]))
    value = _fill_argument(call) if "full" in fill.api else None
    before = _before(call, value) if value is not None else None
    if value is not None:
        reachable = reachable and before is not None
        if before is not None:
            edits.append(Replace(after(before, value), ""))
    keywords = tuple((keyword.arg or "**", ast.unparse(keyword.value)) for keyword in call.keywords)
    from_fill = fill.api == "torch.full" and not birth.typed and not _is_float(value, flow)
    if value is None and "full" in fill.api:
        keywords = (*keywords, ("*", "the fill value is behind a star"))
    empty = birth.shape is not None and ZERO in birth.shape
    obligations = (
        SameMeta(keywords, from_fill, reachable),
        *((Editable(between(flow.source, before, value), b","),) if before is not None and value is not None else ()),
        Silent(effects(value, flow.builtins, flow.changing, flow.handles(fill)) if value is not None else ()),
        AnyOf((Unobserved(fill), NoElements(birth))),
    )
    saves = Saves(
        launches=0 if empty else 1, bytes="0" if empty else filled(birth.shape, dict(keywords)), per=flow.once
    )
    return Proposal("zeros_to_empty", call, subject(call, flow.parents), tuple(edits), obligations, saves)


def _fill_argument(call: ast.Call) -> ast.expr | ast.keyword | None:
    if len(call.args) > 1:
        return call.args[1]
    return next((keyword for keyword in call.keywords if keyword.arg == "fill_value"), None)


def _before(call: ast.Call, value: ast.AST) -> ast.AST | None:
    """The argument in front of one, so that the comma between them goes too."""
    arguments: list[ast.AST] = [*call.args, *call.keywords]
    arguments.sort(key=span)
    place = arguments.index(value)
    return arguments[place - 1] if place else None


def _is_float(value: ast.AST | None, flow: Flow) -> bool:
    """A literal float: the dtype is then the default one, as for empty."""
    match value:
        case ast.keyword(value=inner) | ast.UnaryOp(op=ast.USub(), operand=inner):
            return _is_float(inner, flow)
        case ast.Constant(value=float()):
            return True
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str())]):
            return "float" in flow.builtins
    return False
