"""Questions about a piece of syntax that need no knowledge of the program."""

from __future__ import annotations

import ast
from collections.abc import Iterator

PLAIN_CALLS = frozenset(
    "size dim numel view narrow select transpose permute unsqueeze squeeze flatten t detach len".split()
)


# fields that never hold a node, or only one that says nothing of its own: a context, an operator
_BARE = frozenset(
    "id attr asname arg ctx op ops kind type_comment module level simple is_async conversion rest".split()
)
_PARTS = {
    kind: () if kind in (ast.Constant, ast.MatchSingleton) else tuple(f for f in kind._fields if f not in _BARE)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def children(node: ast.AST) -> list[ast.AST]:
    """`ast.iter_child_nodes` without its checks, and without contexts and operators: this is on the hot path."""
    found: list[ast.AST] = []
    for name in _PARTS[type(node)]:
        part = getattr(node, name, None)
        if type(part) is list:
            found += [item for item in part if type(item) in _PARTS]
        elif type(part) in _PARTS:
            found.append(part)  # type: ignore[arg-type]
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, contexts and operators aside, in no particular order."""
    todo = [node]
    while todo:
        here = todo.pop()
        yield here
        if _PARTS[type(here)]:
            todo += children(here)


def effects(
    node: ast.AST, builtins: frozenset[str], changing: frozenset[str], raising: bool = False
) -> tuple[str, ...]:
    """The parts of an expression that may do more than give a value: calls, and attributes that the file computes
    (`changing`). `builtins`: the names that certainly stand for Python's own
    functions, or for torch, math and numpy. With `raising`, what may
    raise counts, too: all but names and constants."""
    parts: list[ast.expr] = []
    match node:
        case ast.Constant() | ast.Name():
            return ()
        case ast.Attribute(value=ast.Name(id=name)) if name in builtins:  # torch.float32, math.inf
            return ()
        case ast.UnaryOp(operand=ast.Constant()):
            return ()
        case _ if raising and not isinstance(node, ast.keyword):
            return (ast.unparse(node),)
        case ast.Attribute(value=inner, attr=attr) if attr not in changing:
            parts = [inner]
        case ast.Call(func=ast.Attribute(value=inner, attr=attr), args=args) if attr in PLAIN_CALLS - changing:
            parts = [inner, *args, *(keyword.value for keyword in node.keywords)]
        case ast.Call(func=ast.Name(id="len" | "int" | "float" as name), args=args, keywords=[]) if name in builtins:
            parts = args
        case ast.Tuple() | ast.List() | ast.BinOp() | ast.UnaryOp() | ast.Subscript() | ast.Slice() | ast.IfExp():
            parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        case ast.keyword(value=inner):
            parts = [inner]
        case _:
            return (ast.unparse(node),)
    return tuple(found for part in parts for found in effects(part, builtins, changing, raising))


def statement(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    """The statement that a node stands in."""
    while not isinstance(node, ast.stmt) and node in parents:
        node = parents[node]
    return node


def subject(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The name that the value of an expression, or of a chain of calls on it, is given, or the expression itself."""
    parent = parents.get(node)
    match parent:
        case ast.Assign(targets=[target]):
            return ast.unparse(target)
        case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
            return ast.unparse(target)
        case ast.keyword(arg=str(name)):
            return name
        case ast.Attribute():
            return subject(parent, parents)
        case ast.Call(func=callee) if callee is node:
            return subject(parent, parents)
    text = ast.unparse(node)
    return text if len(text) <= 40 else text[:37] + "..."
