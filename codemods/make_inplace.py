"""make_inplace: write the result of an operator into its left operand.

    x = torch.full((n,), 2)            x = torch.full((n,), 2)
    x = x - 1                    ->    x.sub_(1)

For + - * / // % ** & | ^ << >> where the name on the left is the left operand.

Saves an allocation each time. Safe when nothing but that name holds the memory, when the result has
the same dtype and shape, and when no gradient is recorded: for floats this is assumed, under the
name no-autograd, unless the function is decorated with no_grad or inference_mode.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.core.edit import Replace
from codemods.core.event import Birth, Flow, Read
from codemods.core.proposal import Proposal
from codemods.core.span import Span, span
from codemods.core.update import Update
from codemods.core.verdict import Saves
from codemods.ops.in_place import in_place
from codemods.prove.no_autograd import NoAutograd
from codemods.prove.same_meta import SameMeta
from codemods.prove.same_result import SameResult
from codemods.prove.sole_owner import SoleOwner
from codemods.prove.unhandled import Unhandled

QUIET = frozenset(f"torch.{name}{end}" for name in ("no_grad", "inference_mode") for end in ("", "()"))
RESUMES = (b"enable_grad", b"set_grad_enabled", b"inference_mode(False", b"inference_mode(mode")


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each statement that gives a tensor made here a new value computed from it."""
    for update in flow.updates:
        statement = flow.parents.get(update.node)
        method = in_place(type(update.node.op).__name__)
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and method is not None:
            yield _proposal(flow, update, statement, method)


def _proposal(flow: Flow, update: Update, statement: ast.Assign, method: str) -> Proposal:
    whole, right = span(statement), span(update.node.right)
    lone = isinstance(update.node.right, ast.Yield | ast.YieldFrom)
    edits = (
        Replace(
            Span(whole.line, whole.column, right.line, right.column), f"{update.name}.{method}({'(' if lone else ''}"
        ),
        Replace(Span(right.end_line, right.end_column, whole.end_line, whole.end_column), "))" if lone else ")"),
    )
    births = [event for event in flow.events if isinstance(event, Birth) and event.buffer is update.left.buffer]
    keywords = [word for event in births if isinstance(event.node, ast.Call) for word in event.node.keywords]
    named = tuple((word.arg or "**", ast.unparse(word.value)) for word in keywords)
    reads = [event for event in flow.events if isinstance(event, Read) and event.node is update.node]
    obligations = (
        SoleOwner(update, any(_contexts(flow, event.node) - _contexts(flow, statement) for event in births)),
        SameResult(update, type(update.node.op).__name__),
        SameMeta(named),
        *(Unhandled(event) for event in reads),
        NoAutograd(update, _quiet(flow, statement)),
    )
    return Proposal("make_inplace", statement, update.name, edits, obligations, Saves(allocations=1, per=flow.once))


def _contexts(flow: Flow, node: ast.AST | None) -> set[ast.AST]:
    """The `with` statements around a node."""
    found: set[ast.AST] = set()
    while node is not None:
        if isinstance(node, ast.With | ast.AsyncWith):
            found.add(node)
        node = flow.parents.get(node)
    return found


def _quiet(flow: Flow, statement: ast.AST) -> bool:
    """All of the function runs without gradients: a decorator says so, and nothing in the file takes it back."""
    node: ast.AST | None = statement
    while node is not None and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        node = flow.parents.get(node)
    decorators = getattr(node, "decorator_list", [])
    said = any(ast.unparse(decorator) in QUIET for decorator in decorators)
    return said and not any(word in flow.source for word in RESUMES)
