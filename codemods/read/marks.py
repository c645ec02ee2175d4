"""The places of a file that may give a name or an attribute another meaning. Every file that is read is asked, so
expressions are looked into only on lines whose text says that something may be in one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeGuard

from codemods.core.syntax import children, walk
from codemods.read.places import holds, lines_at

SETTERS = frozenset("setattr delattr __setattr__ __delattr__ object patch multiple setitem".split())
# each alternative begins with letters of its own: the search is several times as fast
WITHIN = re.compile(
    rb":=|setattr|delattr|object\s*(?:\\\r?\n\s*)?\(|patch\s*(?:\\\r?\n\s*)?\("
    rb"|multiple\s*(?:\\\r?\n\s*)?\(|setitem\s*(?:\\\r?\n\s*)?\("
)
TURN = re.compile(rb"for\b([^:;]*?)\bin\b")
PROSE = re.compile(rb"\w[ \t\r\n]+\w")
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
SIMPLE = frozenset(
    {ast.Expr, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.Raise}
)
IDLE = frozenset({ast.Expr, ast.Return, ast.If, ast.FunctionDef, ast.Raise})
KINDS = frozenset({ast.Assign, ast.NamedExpr, ast.Import, ast.ImportFrom, ast.Global})
Mark = ast.Attribute | ast.Call | ast.Assign | ast.NamedExpr | ast.Import | ast.ImportFrom | ast.Global


@lru_cache(maxsize=16)
def marks(tree: ast.Module, source: bytes) -> tuple[Mark, ...]:
    """Attributes that are set or deleted, calls that may set one, assignments, imports and `global` statements."""
    offsets = [match.start() for match in WITHIN.finditer(source)]
    offsets += [match.start() for match in TURN.finditer(source) if _odd_target(match[1])]
    return tuple(node for node in _nodes(tree, lines_at(sorted(offsets), source)) if _marked(node))


def _odd_target(text: bytes) -> bool:
    """What a comprehension gives a value may be an attribute: no two words stand side by side then, but in an index."""
    return b"." in text and (b"[" in text or PROSE.search(text.strip()) is None)


def setter(callee: ast.expr) -> bool:
    """A call of it may set an attribute of its first argument."""
    match callee:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in SETTERS
    return False


def _marked(node: ast.AST) -> TypeGuard[Mark]:
    if isinstance(node, ast.Attribute):
        return not isinstance(node.ctx, ast.Load)
    return setter(node.func) if isinstance(node, ast.Call) else type(node) in KINDS


def _nodes(tree: ast.Module, lines: Sequence[int]) -> Iterator[ast.AST]:
    """Every statement, what it gives a value, and all of its expressions where it holds one of the lines."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        yield node
        if type(node) not in SIMPLE:
            for part in BLOCKS:
                todo += getattr(node, part, ())
        if lines and isinstance(node, ast.stmt) and holds(node, lines):
            for inner in children(node):
                if isinstance(inner, ast.match_case):
                    yield from walk(inner.guard or inner.pattern)
                elif not isinstance(inner, ast.stmt | ast.ExceptHandler):
                    yield from walk(inner)
        elif type(node) not in IDLE:
            yield from targets(node)


def targets(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement gives a value, and all below it, the variables of comprehensions aside."""
    match node:
        case ast.Assign(targets=given) | ast.Delete(targets=given):
            pass
        case ast.AugAssign(target=one) | ast.AnnAssign(target=one) | ast.For(target=one) | ast.AsyncFor(target=one):
            given = [one]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            given = [item.optional_vars for item in items if item.optional_vars is not None]
        case _:
            return
    for one in given:
        yield from walk(one)
