"""Broken kernels and launches, made from those of the pages by one small change each."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Callable, Iterator

from kernel_pages import Page

Change = Callable[[ast.AST], list[ast.AST]]


def mutants(page: Page) -> Iterator[tuple[str, Page]]:
    """What was changed, and the page with the change."""
    for what, launch in changed(page.launch, _launch):
        assert isinstance(launch, ast.Call)
        yield f"launch: {what}", page.with_launch(launch)
    for what, tree in changed(page.tree, _kernel):
        assert isinstance(tree, ast.Module)
        yield f"kernel: {what}", page.with_tree(tree)


def changed(root: ast.AST, change: Change) -> Iterator[tuple[str, ast.AST]]:
    """The tree with one node exchanged, for every node and every change of it."""
    for number, node in enumerate(ast.walk(root)):
        for index in range(len(change(node))):
            tree = copy.deepcopy(root)
            target = next(other for at, other in enumerate(ast.walk(tree)) if at == number)
            new = change(target)[index]
            tree = _exchanged(tree, target, new)
            ast.fix_missing_locations(tree)
            yield f"{_text(node)} -> {_text(new)}", tree


def _text(node: ast.AST) -> str:
    return ast.unparse(node).replace("\n", " ")[:60]


def _exchanged(root: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    class Exchange(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(node)

    return Exchange().visit(root)


def _plus(node: ast.expr, number: int) -> ast.expr:
    return ast.BinOp(node, ast.Add() if number > 0 else ast.Sub(), ast.Constant(abs(number)))


def _launch(node: ast.AST) -> list[ast.AST]:
    """Extents, the grid and numbers: one more, one less, twice, half, 0, two of them exchanged."""
    match node:
        case ast.Subscript(value=value, slice=index, ctx=ctx):
            parts = index.elts if isinstance(index, ast.Tuple) else [index]
            return [ast.Subscript(value, _row(new), ctx) for new in _parts(parts)]
        case ast.Call(func=ast.Subscript() as func, args=args, keywords=words):
            numbers = [at for at, found in enumerate(args) if _number(found)]
            calls = []
            for at in numbers:
                others = _plus(args[at], 1), _plus(args[at], -1), _twice(args[at])
                calls += [ast.Call(func, [*args[:at], new, *args[at + 1 :]], words) for new in others]
            for one, two in itertools.pairwise(numbers):
                swapped = list(args)
                swapped[one], swapped[two] = args[two], args[one]
                calls.append(ast.Call(func, swapped, words))
            return [*calls]
        case ast.Call(func=ast.Name(id="cdiv"), args=[one, two]):
            return [ast.Call(ast.Name("div", ast.Load()), [one, two], [])]
        case ast.Call(func=ast.Name(id="stride"), args=[one, ast.Constant(value=int() as at)]):
            return [ast.Call(ast.Name("stride", ast.Load()), [one, ast.Constant(1 - at)], [])]
    return []


def _row(parts: list[ast.expr]) -> ast.expr:
    return ast.Tuple(parts, ast.Load()) if len(parts) > 1 else parts[0]


def _twice(node: ast.expr) -> ast.expr:
    return ast.BinOp(ast.Constant(2), ast.Mult(), node)


def _parts(parts: list[ast.expr]) -> Iterator[list[ast.expr]]:
    if any(isinstance(part, ast.Name) and part.id == "unknown" for part in parts):
        return
    for at, part in enumerate(parts):
        half = ast.Call(ast.Name("div", ast.Load()), [part, ast.Constant(2)], [])
        for new in (_plus(part, 1), _plus(part, -1), _twice(part), half, ast.Constant(0), ast.Constant(1)):
            yield [*parts[:at], new, *parts[at + 1 :]]
    if len(parts) > 1:
        yield parts[::-1]
        yield parts[1:]


def _number(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=None | bool()) | ast.Subscript() | ast.Name(id="unknown"):
            return False
        case ast.Call(func=ast.Name(id="loose" | "mixed" | "stride")):
            return False
    return True


def _kernel(node: ast.AST) -> list[ast.AST]:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="store"))):
            return [ast.Pass()]
        case ast.Compare(
            left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq() as op], comparators=[to]
        ):
            others = [ast.LtE(), ast.GtE()] if isinstance(op, ast.Lt) else [ast.Lt(), ast.Gt()]
            shifted = [ast.Compare(left, [op], [_plus(to, by)]) for by in (1, -1)]
            raised = ast.Compare(_plus(left, 1), [op], [to])
            return [*shifted, raised, *(ast.Compare(left, [other], [to]) for other in others)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [ast.BinOp(left, ast.Sub(), right), _plus(node, 1), left, right]
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return [ast.BinOp(left, ast.Add(), right), ast.BinOp(node, ast.Mult(), ast.Constant(2)), left]
        case ast.BinOp(left=left, op=ast.FloorDiv(), right=right):
            return [ast.BinOp(left, ast.Mod(), right), ast.BinOp(left, ast.FloorDiv(), _plus(right, 1))]
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            return [ast.BinOp(left, ast.FloorDiv(), right), ast.BinOp(left, ast.Mod(), _plus(right, 1))]
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            return [ast.BinOp(left, ast.BitOr(), right), left, right]
        case ast.Call(func=ast.Attribute(attr="program_id" | "num_programs") as func, args=[ast.Constant(value=axis)]):
            return [ast.Call(func, [ast.Constant((int(axis) + by) % 3)], []) for by in (1, 2)]  # type: ignore[arg-type]
        case ast.Call(func=ast.Attribute(attr="store") as func, args=args, keywords=words) if words and len(args) > 1:
            return [ast.Call(func, [_plus(args[0], 1), *args[1:]], words)]
        case ast.Call(func=ast.Name(id="range") as func, args=args):
            more = [[*args[:at], _plus(part, by), *args[at + 1 :]] for at, part in enumerate(args) for by in (1, -1)]
            return [ast.Call(func, new, []) for new in more]
        case ast.Call(func=ast.Attribute(attr="arange") as func, args=[low, high]):
            half = ast.BinOp(high, ast.FloorDiv(), ast.Constant(2))
            return [ast.Call(func, [low, half], []), ast.Call(func, [low, ast.Constant(1)], [])]
        case ast.If(test=test, body=body, orelse=other):
            return [ast.If(ast.UnaryOp(ast.Not(), test), body, other), ast.If(test, [ast.Return()], other)]
    return []
