"""hoist_buffer: allocate a scratch tensor once in front of a loop instead of in every turn.

    for i in range(n):                 scratch = torch.empty(4, d)
        scratch = torch.empty(4, d)    for i in range(n):
        scratch.copy_(xs[i])     ->        scratch.copy_(xs[i])
        out[i] = scratch.sum()             out[i] = scratch.sum()

Where the allocation also fills, the fill stays: `scratch = torch.zeros(4)` leaves `scratch.zero_()`.

Saves an allocation in every turn but the first. Safe when shape, dtype and device are the same in every turn,
nothing of the memory is held when the next turn begins, every turn overwrites what it reads, and allocating
raises nothing where the loop does not get to it. The memory lives as long as the function.
"""

from __future__ import annotations

import ast
import codecs
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from codemods.core.edit import Edit, Insert, Remove, Replace, after, rename_callee
from codemods.core.event import Birth, Flow, Front, Write
from codemods.core.proposal import Proposal
from codemods.core.span import Span, span
from codemods.core.verdict import Saves
from codemods.prove.contained import Contained
from codemods.prove.not_deliberate import NotDeliberate
from codemods.prove.same_meta import SameMeta
from codemods.prove.steady import Steady
from codemods.prove.unhandled import Unhandled
from codemods.prove.unobserved import Unobserved

FILLS = {"zeros": "zero_()", "ones": "fill_(1)"}


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each allocation in a loop that is given to a name."""
    for event in flow.events:
        if isinstance(event, Birth) and isinstance(event.node, ast.Call) and event.node in flow.fronts:
            yield _proposal(flow, event, event.node, flow.fronts[event.node])


def _proposal(flow: Flow, birth: Birth, call: ast.Call, front: Front) -> Proposal:
    fill = next((event for event in flow.events if isinstance(event, Write) and event.node is call), None)
    kind = birth.api.rpartition(".")[2].removeprefix("new_").removesuffix("_like")
    value = _fill_value(call) if kind == "full" else None
    keywords = [(keyword.arg or "**", ast.unparse(keyword.value)) for keyword in call.keywords]
    if kind == "full" and (value is None or fill is None or fill.value is None):
        keywords.append(("of the fill", "its value is not a constant"))
    from_fill = birth.api == "torch.full" and not birth.typed and not _is_float(value)
    reachable = fill is None or isinstance(call.func, ast.Attribute)
    obligations = (
        Contained(birth),
        SameMeta(tuple(keywords), from_fill, reachable),
        Steady(birth),
        *((Unobserved(birth),) if fill is None else ()),
        Unhandled(birth),
        NotDeliberate(birth, front.name),
    )
    edits = _edits(flow, call, front, kind if fill is not None else "", value)
    saves = Saves(allocations=1, per="iteration")
    return Proposal("hoist_buffer", front.statement, front.name, edits, obligations, saves)


def _fill_value(call: ast.Call) -> ast.expr | ast.keyword | None:
    if len(call.args) > 1 and not any(isinstance(argument, ast.Starred) for argument in call.args):
        return call.args[1]
    return next((keyword for keyword in call.keywords if keyword.arg == "fill_value"), None)


def _is_float(value: ast.AST | None) -> bool:
    match value:
        case ast.keyword(value=inner) | ast.UnaryOp(op=ast.USub(), operand=inner):
            return _is_float(inner)
        case ast.Constant(value=float()):
            return True
    return False


# the edits


def _edits(
    flow: Flow, call: ast.Call, front: Front, fill: str, value: ast.expr | ast.keyword | None
) -> tuple[Edit, ...]:
    """The statement goes in front of the loop; where it fills, the fill stays."""
    place = span(front.statement)
    if not fill:
        text = _text(flow.source, front, (), front.statement)
        return Insert(span(front.loop), text + _comment(flow.source, place)), Remove(place)
    if not isinstance(call.func, ast.Attribute):
        return ()
    name = call.func.attr.replace(fill, "empty")
    changes = [rename_callee(call, name)]
    filled = FILLS.get(fill, "")
    if value is not None:
        before = _before(call, value)
        if before is None:
            return ()
        changes.append(Replace(after(before, value), ""))
        filled = f"fill_({ast.unparse(value.value if isinstance(value, ast.keyword) else value)})"
    made = _without_fill(front, call, ast.Attribute(call.func.value, name, ast.Load()), value)
    return Insert(span(front.loop), _text(flow.source, front, changes, made)), Replace(place, f"{front.name}.{filled}")


def _before(call: ast.Call, value: ast.AST) -> ast.AST | None:
    """The argument in front of one, so that the comma between them goes too."""
    arguments: list[ast.AST] = [*call.args, *call.keywords]
    arguments.sort(key=span)
    place = arguments.index(value)
    return arguments[place - 1] if place else None


def _without_fill(front: Front, call: ast.Call, callee: ast.expr, value: ast.AST | None) -> ast.stmt:
    args = [argument for argument in call.args if argument is not value]
    made = ast.Call(callee, args, [keyword for keyword in call.keywords if keyword is not value])
    match front.statement:
        case ast.AnnAssign(target=target, annotation=annotation, simple=simple):
            return ast.AnnAssign(target, annotation, made, simple)
    return ast.Assign([ast.Name(front.name, ast.Store())], made, lineno=0)


def _text(source: bytes, front: Front, changes: Sequence[Replace], made: ast.stmt) -> str:
    """`made` in the layout that the statement has, less deep by as much as the loop is; in one line where the changed
    text does not read as `made`."""
    place, column = span(front.statement), span(front.loop).column
    lines = source.removeprefix(codecs.BOM_UTF8).split(b"\n")[place.line - 1 : place.end_line]
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    text, upto, pieces = b"\n".join(lines), place.column, list[bytes]()
    for change in sorted(changes, key=lambda change: change.span):
        pieces += [text[upto : starts[change.span.line - place.line] + change.span.column], change.text.encode()]
        upto = starts[change.span.end_line - place.line] + change.span.end_column
    pieces.append(text[upto : starts[place.end_line - place.line] + place.end_column])
    first, *rest = b"".join(pieces).split(b"\n")
    deeper = lines[0][column : place.column]
    try:
        written = b"\n".join([first, *(line.removeprefix(deeper) for line in rest)]).decode()
        if ast.dump(ast.parse(written)) == ast.dump(ast.Module([made], [])):
            return written
    except (SyntaxError, ValueError):
        pass  # other line ends or another coding than the ones that are read here
    return ast.unparse(made)


def _comment(source: bytes, place: Span) -> str:
    """The comment behind a statement that has its line for itself."""
    lines = source.removeprefix(codecs.BOM_UTF8).split(b"\n")[place.line - 1 : place.end_line]
    found = re.fullmatch(rb"[ \t]*#[^\r\n]*", lines[-1][place.end_column :].rstrip()) if lines else None
    alone = lines and not lines[0][: place.column].strip()
    return found[0].decode(errors="ignore") if found and alone and found[0].isascii() else ""
