"""drop_fill: remove a zero_() or fill_(c) that nobody sees.

    out = torch.empty(n)               out = torch.empty(n)
    out.zero_()                  ->    out.copy_(x)
    out.copy_(x)

Saves one fill kernel each time. Safe when everything it stored is overwritten on every path before
anyone looks, or when the memory holds that value already.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.core.edit import Edit, Remove, Replace, after
from codemods.core.event import Flow, Write
from codemods.core.proposal import Proposal
from codemods.core.span import between, span
from codemods.core.syntax import effects, subject
from codemods.core.verdict import Saves
from codemods.prove.already_holds import AlreadyHolds
from codemods.prove.any_of import AnyOf
from codemods.prove.editable import Editable
from codemods.prove.silent import Silent
from codemods.prove.unhandled import Unhandled
from codemods.prove.unobserved import Unobserved


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each in-place fill."""
    for event in flow.events:
        match event:
            case Write(api="Tensor.zero_" | "Tensor.fill_", node=ast.Call(func=ast.Attribute() as callee) as call):
                yield _proposal(flow, event, call, callee)


def _proposal(flow: Flow, fill: Write, call: ast.Call, callee: ast.Attribute) -> Proposal:
    parent = flow.parents.get(call)
    lost: list[ast.expr] = [*call.args, *(keyword.value for keyword in call.keywords)]
    handled = flow.handles(fill)
    edit: Edit
    node: ast.AST = call
    if isinstance(parent, ast.Expr):
        edit, node = Remove(span(parent)), parent
        lost.append(callee.value)
    else:
        edit = Replace(after(callee.value, call), "")
    joint = b"." if isinstance(parent, ast.Expr) else _joint(flow, callee, call)
    obligations = (
        Editable(joint, b"."),
        AnyOf((Unobserved(fill), AlreadyHolds(fill))),
        Silent(tuple(effect for part in lost for effect in effects(part, flow.builtins, flow.changing, handled))),
        Unhandled(fill),
    )
    name = ast.unparse(callee.value) if isinstance(parent, ast.Expr) else subject(call, flow.parents)
    return Proposal("drop_fill", node, name, (edit,), obligations, Saves(launches=1, per=flow.once))


def _joint(flow: Flow, callee: ast.Attribute, call: ast.Call) -> bytes:
    """What stands between the receiver and the name of its method, and between that and its arguments."""
    name, end = ast.Pass(), ast.Pass()
    name.lineno = name.end_lineno = callee.end_lineno or callee.lineno
    name.col_offset = name.end_col_offset = (callee.end_col_offset or 0) - len(callee.attr.encode())
    end.lineno, end.col_offset = call.end_lineno or call.lineno, call.end_col_offset or 0
    return between(flow.source, callee.value, name) + between(flow.source, callee, end).partition(b"(")[0]
