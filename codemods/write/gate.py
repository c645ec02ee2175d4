"""The last look before a file is written: is the new file the old one with exactly the promised changes?

The promised tree is made from the old tree, node by node; only the text of the exchanged node itself is parsed
anew. So an edit that reads differently in its place (`a` -> `b + c` in `a * 2`) does not pass.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from codemods.core.edit import Import, Insert, Remove, Replace
from codemods.core.span import Span, span
from codemods.core.verdict import Decision
from codemods.write.edits import Applied, Splice, insertions
from codemods.write.source import Source, decode

_BETWEEN = re.compile(rb"(?:[ \t\f;]|\\?(?:\r\n|\r|\n))*(?:#[^\r\n]*)?(?:\r\n|\r|\n)?")


class GateError(Exception):
    """The edited file is not what was promised: an internal error, and none of its edits may be written."""


@dataclass(frozen=True, slots=True)
class _Promise:
    """What the old tree turns into."""

    exchanged: dict[ast.AST, ast.AST] = field(default_factory=dict)
    gone: set[Span] = field(default_factory=set)  # of statements
    new: dict[Span, list[ast.stmt]] = field(default_factory=dict)  # by the statement that it stands in front of
    behind: dict[Span, dict[str, ast.stmt]] = field(default_factory=dict)  # imports, by the one that they stand behind


def check(source: bytes, result: Applied) -> None:
    """Raises GateError unless `result.text` is `source` with the edits of `result.applied` and nothing else."""
    text = decode(source)
    _check_bytes(text, result)
    old, new = _parse(source), _parse(result.text)
    _compare(old, new, _promise(text, old, result.applied))


def _parse(source: bytes | str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in strings, which are not our business
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise GateError(f"the edited file cannot be parsed: {error}") from None


# --- bytes


def _check_bytes(text: Source, result: Applied) -> None:
    edits = [edit for decision in result.applied for edit in decision.edits]
    replaced = {
        Splice(*text.raw_stretch(edit.span), text.encode(edit.text)) for edit in edits if isinstance(edit, Replace)
    }
    replaced |= set(insertions(text, edits))
    removed = sorted(text.raw_stretch(edit.span) for edit in edits if isinstance(edit, Remove))
    cuts = [splice for splice in result.splices if splice not in replaced]
    if len(result.splices) - len(cuts) != len(replaced):
        raise GateError("an edit was left out")
    for cut in cuts:
        _check_cut(text.raw, cut, removed)
    if any(not any(cut.start <= start and end <= cut.end for cut in cuts) for start, end in removed):
        raise GateError("a statement was left in")
    if not _only(text.raw, result):
        raise GateError("bytes outside the edits have changed")


def _check_cut(raw: bytes, cut: Splice, removed: Sequence[tuple[int, int]]) -> None:
    """A cut takes removed statements, and between them only blanks, semicolons, line ends and a comment."""
    upto = cut.start
    for start, end in (*(place for place in removed if cut.start <= place[0] < cut.end), (cut.end, cut.end)):
        if cut.text not in (b"", b"pass") or not _BETWEEN.fullmatch(raw, upto, start):
            line = raw.count(b"\n", 0, cut.start) + 1
            raise GateError(f"line {line}: more than the statement was taken out")
        upto = end


def _only(raw: bytes, result: Applied) -> bool:
    """The new bytes are the old ones with the splices, found by walking through both."""
    old = new = 0
    for splice in result.splices:
        kept = splice.start - old
        if kept < 0 or raw[old : splice.start] != result.text[new : new + kept]:
            return False
        new += kept
        if result.text[new : new + len(splice.text)] != splice.text:
            return False
        old, new = splice.end, new + len(splice.text)
    return raw[old:] == result.text[new:]


# --- the promised tree


def _promise(text: Source, tree: ast.Module, decisions: Sequence[Decision]) -> _Promise:
    promise = _Promise()
    replaces = [edit for decision in decisions for edit in decision.edits if isinstance(edit, Replace)]
    for decision in decisions:
        for edit in decision.edits:
            match edit:
                case Remove(place):
                    promise.gone.add(place)
                case Insert(place, written):
                    promise.new.setdefault(place, []).append(_inserted(place, written, decision.span))
                case Import(place, written):
                    promise.behind.setdefault(place, {})[written] = _imported(place, written)
                case Replace():
                    old, new = _exchange(text, tree, edit, decision.span, replaces)
                    promise.exchanged[old] = new
    statements = {span(node) for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    top = {span(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
    if missing := (promise.gone | promise.new.keys()) - statements | promise.behind.keys() - top:
        raise GateError(f"line {min(missing).line}: there is no such statement to take out, or to put another before")
    return promise


def _inserted(place: Span, written: str, site: Span) -> ast.stmt:
    """The simple statement that is put in front of the one around the site."""
    body = _parse(written).body
    if not _covers(place, site) or len(body) != 1 or hasattr(body[0], "body") or hasattr(body[0], "cases"):
        raise GateError(f"line {place.line}: what is put in front of it is not one simple statement for what is in it")
    return body[0]


def _imported(place: Span, written: str) -> ast.stmt:
    """The import that is put behind another one."""
    body = _parse(written).body
    if len(body) != 1 or not isinstance(body[0], ast.Import):
        raise GateError(f"line {place.line}: what is put behind it is not one import")
    return body[0]


def _exchange(
    text: Source, tree: ast.Module, edit: Replace, site: Span, replaces: Sequence[Replace]
) -> tuple[ast.AST, ast.AST]:
    """The smallest node around the edit that stays one node, and what it turns into."""
    if not _covers(site, edit.span):
        raise GateError(f"line {edit.span.line}: an edit lies outside its site")
    for node in reversed(list(_around(tree, edit.span))):
        if not _covers(site, span(node)):
            break
        if (new := _reread(text, node, replaces)) is not None:
            return node, new
    raise GateError(f"line {edit.span.line}: an edit does not exchange an expression or a simple statement")


def _around(tree: ast.AST, target: Span) -> Iterator[ast.AST]:
    """The expressions and statements that cover a place, from the outside in."""
    candidates = list(ast.iter_child_nodes(tree))
    while candidates:
        node = candidates.pop()
        if not isinstance(node, (ast.expr, ast.stmt)):
            candidates += ast.iter_child_nodes(node)
            continue
        candidates += getattr(node, "decorator_list", ())  # they stand outside the span of their function
        if _covers(span(node), target):
            yield node
            candidates = list(_parts(node))


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.JoinedStr):
        return ast.iter_child_nodes(node)
    # before Python 3.12 the literal parts of an f-string claim to cover all of it
    return (part.value for part in node.values if isinstance(part, ast.FormattedValue))


def _covers(outer: Span, inner: Span) -> bool:
    begins = (outer.line, outer.column) <= (inner.line, inner.column)
    return begins and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def _reread(text: Source, node: ast.AST, replaces: Sequence[Replace]) -> ast.AST | None:
    """The node parsed from its edited text; None when that is no expression or simple statement of its own."""
    if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
        return None
    if isinstance(node, ast.stmt) and (hasattr(node, "body") or hasattr(node, "cases")):
        return None
    start, end = text.stretch(span(node))
    new, upto = b"", start
    for edit in sorted(replaces, key=lambda edit: edit.span):
        low, high = text.stretch(edit.span)
        if start <= low and high <= end:
            new += text.utf8[upto:low] + edit.text.encode()
            upto = high
    written = (new + text.utf8[upto:end]).decode()
    try:
        body = _parse(written if isinstance(node, ast.stmt) else f"({written}\n)").body
    except GateError:
        return None
    if len(body) != 1:
        return None
    if isinstance(node, ast.stmt):
        return body[0]
    value = body[0].value if isinstance(body[0], ast.Expr) else None
    return value if value and value.col_offset else None  # at 0 it is a tuple that our parentheses made


# --- comparison


def _compare(old: ast.Module, new: ast.Module, promise: _Promise) -> None:
    """Walk both trees side by side; a stack, because a long sum nests deeper than Python recurses."""
    pairs: list[tuple[object, object, int]] = [(old, new, 1)]
    while pairs:
        one, other, line = pairs.pop()
        if isinstance(one, ast.AST):
            one = promise.exchanged.get(one, one)
            line = getattr(one, "lineno", line)
            if type(one) is not type(other):
                raise _differs(line)
            pairs += [(_value(one, name, promise), getattr(other, name, None), line) for name in one._fields]
        elif isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                raise _differs(line)
            pairs += [(left, right, line) for left, right in zip(one, other, strict=True)]
        elif type(one) is not type(other) or repr(one) != repr(other):
            raise _differs(line)


def _differs(line: int) -> GateError:
    return GateError(f"line {line}: the edited file differs from what was promised")


def _value(node: ast.AST, name: str, promise: _Promise) -> object:
    """A field of the promised node."""
    value = getattr(node, name, None)
    if not (promise.new or promise.behind) or not isinstance(value, list):
        return _kept(node, value, promise)
    added: list[object] = []
    for one in _kept(node, value, promise):
        if isinstance(one, ast.stmt) and span(one) in promise.new:
            added += promise.new[span(one)]
        added.append(one)
        if isinstance(node, ast.Module) and isinstance(one, ast.stmt):
            added += promise.behind.get(span(one), {}).values()
    return added


def _kept(node: ast.AST, value: Any, promise: _Promise) -> Any:
    """A field without the statements that are gone."""
    if not isinstance(value, list) or not any(isinstance(one, ast.stmt) and span(one) in promise.gone for one in value):
        return value
    kept = [one for one in value if span(one) not in promise.gone]
    if not kept:
        return [] if isinstance(node, ast.Module) else [ast.Pass()]
    documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    if documented and kept[0] is not value[0] and _is_string(kept[0]):
        return [ast.Pass(), *kept]  # or the string would turn into a docstring
    return kept


def _is_string(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Constant(value=str())):
            return True
    return False
