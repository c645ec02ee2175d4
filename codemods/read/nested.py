"""Functions that a function defines and does nothing with but call them: what they use of the names around them is
looked up at each call."""

from __future__ import annotations

import ast
from functools import lru_cache

from codemods.core.syntax import children, walk
from codemods.read.uses import TABLES

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)
ELSEWHERE = (*SCOPES, ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal)


@lru_cache(maxsize=32)
def calls_of(node: ast.FunctionDef, scope: ast.AST) -> frozenset[ast.AST] | None:
    """Every call of a nested function; None where it may be called from elsewhere, or later, or reach more than the
    names around it."""
    if not isinstance(scope, ast.FunctionDef) or node.decorator_list:
        return None
    if any(isinstance(inner, ELSEWHERE) for part in node.body for inner in walk(part)):
        return None
    calls: set[ast.AST] = set()
    names: list[ast.AST] = []
    todo: list[ast.AST] = list(scope.body)
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == node.name:
            calls.add(inner)
        if not isinstance(inner, SCOPES):
            todo += children(inner)
    functions = {id(call.func) for call in calls if isinstance(call, ast.Call)}
    for inner in walk(scope):
        if isinstance(inner, ast.Name) and inner.id in (node.name, *TABLES) and id(inner) not in functions:
            return None
        names += [inner] if getattr(inner, "name", None) == node.name or _names(inner, node.name) else []
    last = node.end_lineno or node.lineno
    if names != [node] or any(getattr(call, "lineno", 0) <= last for call in calls):
        return None
    return frozenset(calls)


def _names(node: ast.AST, name: str) -> bool:
    """It gives the name another meaning."""
    match node:
        case ast.arg(arg=other) | ast.alias(asname=str(other)) | ast.MatchMapping(rest=other):
            return other == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
    return False


def rebound_inside(node: ast.AST) -> set[str]:
    return {name for inner in walk(node) if isinstance(inner, ast.Nonlocal) for name in inner.names}
