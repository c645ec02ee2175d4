"""make_inplace: write the result of an operator into its left operand.

    x = torch.full((n,), 2)            x = torch.full((n,), 2)
    x = x - 1                    ->    x.sub_(1)
    x = x.clamp(min=0)                 x.clamp_(min=0)

For + - * / // % ** & | ^ << >> where the name on the left is the left operand, for methods, chains of
methods and functions of torch that have a form with an underscore: x = torch.add(x, y, alpha=2).

Saves an allocation each time. Safe when nothing but that name holds the memory, when the result has
the same dtype, shape and strides, and when no gradient is recorded: for floats this is assumed, under the
name no-autograd, unless the function is decorated with no_grad or inference_mode.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from codemods.core.edit import Edit, Replace, rename_callee
from codemods.core.event import Birth, Flow, Read
from codemods.core.proposal import Proposal
from codemods.core.span import Span, between, span
from codemods.core.syntax import walk
from codemods.core.update import Update
from codemods.core.verdict import Saves
from codemods.ops.in_place import in_place
from codemods.prove.editable import Editable
from codemods.prove.no_autograd import NoAutograd
from codemods.prove.same_meta import SameMeta
from codemods.prove.same_result import SameResult
from codemods.prove.sole_owner import SoleOwner
from codemods.prove.unhandled import Unhandled

BIRTHS = frozenset(
    f"{owner}{name}{end}"
    for name in ("zeros", "ones", "full", "empty")
    for owner, end in (("torch.", ""), ("torch.", "_like"), ("Tensor.new_", ""))
)
QUIET = frozenset(f"torch.{name}{end}" for name in ("no_grad", "inference_mode") for end in ("", "()"))
RESUMES = re.compile(rb"enable_grad|set_grad_enabled|inference_mode\s*\(\s*[^)\s]")


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each statement that gives a tensor made here a new value computed from it."""
    for update in flow.updates:
        statement = flow.parents.get(update.node)
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            yield _proposal(flow, update, statement)


def _proposal(flow: Flow, update: Update, statement: ast.Assign) -> Proposal:
    births = [event for event in flow.events if isinstance(event, Birth) and event.buffer is update.left.buffer]
    keywords = [word for event in births if event.api in BIRTHS for word in getattr(event.node, "keywords", ())]
    named = tuple((word.arg or "**", ast.unparse(word.value)) for word in keywords)
    reads = [event for event in flow.events if isinstance(event, Read) and event.node in update.nodes]
    edits = _edits(flow, update, statement)
    obligations = (
        *(() if edits else (Editable(b"?", b""),)),
        SoleOwner(update, any(_contexts(flow, event.node) - _contexts(flow, statement) for event in births)),
        SameResult(update, dict(named).get("pin_memory", "False") != "False"),
        SameMeta(named),
        *(Unhandled(event) for event in reads),
        NoAutograd(update, _quiet(flow, update, statement)),
    )
    return Proposal("make_inplace", statement, update.name, edits, obligations, Saves(allocations=1, per=flow.once))


# the edits


def _edits(flow: Flow, update: Update, statement: ast.Assign) -> tuple[Edit, ...]:
    """The name is no longer bound; what is computed takes its name with an underscore, and its operands stay."""
    method = in_place(update.rows[0][0]) or ""
    node = update.node
    if isinstance(node, ast.BinOp):
        return _around(statement, f"{update.name}.{method}(", node.right)
    if _is_function(update, node):
        rest: list[ast.expr | ast.keyword] = [*node.args[1:], *node.keywords]
        if not rest:
            return (Replace(span(statement), f"{update.name}.{method}()"),)
        return _arguments(flow, statement, f"{update.name}.{method}(", node, min(rest, key=span))
    joint = between(flow.source, statement.targets[0], node)
    front = _upto(statement, statement.targets[0], node, joint, rb"\s*=[ \t]*")
    links = zip((*update.inner, node), update.rows, strict=True)
    return (
        (Replace(front, ""), *(rename_callee(link, in_place(row) or "") for link, (row, _) in links)) if front else ()
    )


def _upto(statement: ast.stmt, before: ast.expr, kept: ast.AST, joint: bytes, sign: bytes) -> Span | None:
    """From the start of the statement to what is kept; to the sign in the text in between where a parenthesis follows
    it. None where that is not written as usual."""
    whole, old, new = span(statement), span(before), span(kept)
    if b"(" not in joint and b"#" not in joint:
        return Span(whole.line, whole.column, new.line, new.column)
    found = re.match(sign, joint)
    if found is None or re.search(rb"[\r\n]", found[0]) or joint[found.end() : found.end() + 1] != b"(":
        return None
    return Span(whole.line, whole.column, old.end_line, old.end_column + found.end())


def _arguments(
    flow: Flow, statement: ast.stmt, front: str, call: ast.Call, first: ast.expr | ast.keyword
) -> tuple[Edit, ...]:
    """All from the second argument to the end of the call stays."""
    joint = between(flow.source, call.args[0], first)
    place = _upto(statement, call.args[0], first, joint, rb"[)\s]*,[ \t]*")
    whole, last = span(statement), span(call)
    end = Span(last.end_line, last.end_column, whole.end_line, whole.end_column)
    return (Replace(place, front), Replace(end, "")) if place else ()


def _is_function(update: Update, call: ast.Call) -> bool:
    """`torch.add(x, y)`, not `x.add(x)`."""
    callee = call.func.value if isinstance(call.func, ast.Attribute) else None
    return not update.inner and not (isinstance(callee, ast.Name) and callee.id == update.name)


def _around(statement: ast.stmt, front: str, kept: ast.expr) -> tuple[Edit, ...]:
    """One operand stays of the statement."""
    whole, place = span(statement), span(kept)
    lone = isinstance(kept, ast.Yield | ast.YieldFrom)  # needs parentheses of its own
    return (
        Replace(Span(whole.line, whole.column, place.line, place.column), front + ("(" if lone else "")),
        Replace(Span(place.end_line, place.end_column, whole.end_line, whole.end_column), "))" if lone else ")"),
    )


def _contexts(flow: Flow, node: ast.AST | None) -> set[ast.AST]:
    """The `with` statements around a node."""
    found: set[ast.AST] = set()
    while node is not None:
        if isinstance(node, ast.With | ast.AsyncWith):
            found.add(node)
        node = flow.parents.get(node)
    return found


def _quiet(flow: Flow, update: Update, statement: ast.AST) -> bool:
    """All of the function runs without gradients: the decorator next to it says so, nothing in the file takes it back,
    and the memory is not read in a `with` statement of its own, which may do so too."""
    node: ast.AST | None = statement
    while node is not None and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        node = flow.parents.get(node)
    if not isinstance(node, ast.FunctionDef) or RESUMES.search(flow.source):  # a coroutine runs after the call of it
        return False
    others = {inner for inner in walk(node) if isinstance(inner, ast.With)} - _contexts(flow, statement)
    within = {inner for other in others for inner in walk(other)}
    reads = [event.node for event in flow.events if isinstance(event, Read) and event.buffer is update.left.buffer]
    return any(ast.unparse(last) in QUIET for last in node.decorator_list[-1:]) and within.isdisjoint(reads)
