"""The places of a file that may give a name or an attribute another meaning. Every file that is read is asked, so
expressions are looked into only where the text says that something may be in one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeGuard

from codemods.core.syntax import walk

SETTERS = frozenset("setattr delattr __setattr__ __delattr__ object patch multiple setitem".split())
WITHIN = re.compile(
    rb":=|\b(?:setattr|delattr|__setattr__|__delattr__)\b|\b(?:object|patch|multiple|setitem)\s*(?:\\\r?\n\s*)?\("
)
TURNS = re.compile(rb"\bfor\b[^:;]*?\bin\b")
Mark = ast.Attribute | ast.Call | ast.Assign | ast.NamedExpr | ast.Import | ast.ImportFrom | ast.Global


@lru_cache(maxsize=16)
def marks(tree: ast.Module, source: bytes) -> tuple[Mark, ...]:
    """Attributes that are set or deleted, calls that may set one, assignments, imports and `global` statements."""
    within = WITHIN.search(source) is not None or any(b"." in turn for turn in TURNS.findall(source))
    return tuple(node for node in (walk(tree) if within else _outside(tree)) if _marked(node))


def setter(callee: ast.expr) -> bool:
    """A call of it may set an attribute of its first argument."""
    match callee:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in SETTERS
    return False


def _marked(node: ast.AST) -> TypeGuard[Mark]:
    match node:
        case ast.Attribute(ctx=context):
            return not isinstance(context, ast.Load)
        case ast.Call(func=callee):
            return setter(callee)
        case ast.Assign() | ast.NamedExpr() | ast.Import() | ast.ImportFrom() | ast.Global():
            return True
    return False


def _outside(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement, and what it gives a value."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo += getattr(node, part, ())
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
