"""Does a file give torch or triton other functions, its own names other values, or tensors a class of their own?
A walk of the whole tree, so only a file with a proof is asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from codemods.core.syntax import children, walk
from codemods.read.marks import marks
from codemods.read.names import dotted

TARGETS = frozenset(
    "torch torch.Tensor torch.nn torch.nn.init torch.nn.functional torch.functional torch.linalg torch.special "
    "torch.fft torch._C torch._tensor triton triton.language triton.language.math".split()
)
ROOTS = ("torch", "triton")
# by a plain word, which is found fast
TABLES = {
    **{word: re.compile(word + rb"\s*\(") for word in (b"globals", b"locals", b"vars", b"exec")},
    b"modules": re.compile(rb"modules\s*\[\s*__name__"),
    b"__dict__": re.compile(rb"__dict__"),
}
CLASSES = {
    b"__torch_": re.compile(rb"__torch_(?:function|dispatch)__"),
    b"subclass": re.compile(rb"as_subclass|_make_(?:wrapper_)?subclass"),
}
LOOKS = frozenset("get keys values items copy".split())
SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
TRITON = {"tl": "triton.language", "triton": "triton"}  # as other modules hand it on


def patched(tree: ast.Module, source: bytes, handing: str = "") -> ast.AST | None:
    """A place that gives an attribute of torch or triton, or a name of the file, another value or meaning.
    `handing`: a module that hands on triton."""
    told = marks(tree, source)
    aliases = _aliases(told, handing)
    if _has(TABLES, source) and (node := _table(tree, aliases)) is not None:
        return node
    if _has(CLASSES, source) and (node := _class(tree)) is not None:
        return node
    for node in told:
        match node:
            case ast.Attribute(value=holder) if dotted(holder, aliases) in TARGETS:
                return node
            case ast.Call(args=[first, *_]) if _means_one(first, aliases):
                return node
            case ast.Global(names=names) if aliases.keys() & set(names):
                return node
    return None


def _has(patterns: Mapping[bytes, re.Pattern[bytes]], source: bytes) -> bool:
    return any(word in source and pattern.search(source) is not None for word, pattern in patterns.items())


def _table(tree: ast.Module, aliases: dict[str, str]) -> ast.AST | None:
    """A place where the names of the file, or of torch, are reached as a table that is not just looked at."""
    looked: set[ast.AST] = set()
    found: list[ast.AST] = []
    for node in walk(tree):
        match node:
            case ast.Subscript(value=table, ctx=ast.Load()):
                looked.add(table)
            case ast.Attribute(value=table, attr=name) if name in LOOKS:
                looked.add(table)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[table]):
                looked.add(table)
            case ast.Call(func=ast.Name(id="getattr" | "hasattr" | "dir" | "len"), args=[table, *_]):
                looked.add(table)
        match node:
            case ast.Call(func=ast.Name(id="globals"), args=[]):
                found.append(node)
            case ast.Call(func=ast.Name(id="exec"), args=[_], keywords=[]):
                found.append(node)
            case ast.Subscript(
                value=ast.Attribute(attr="modules") | ast.Name(id="modules"), slice=ast.Name(id="__name__")
            ):
                found.append(node)
            case ast.Attribute(value=holder, attr="__dict__") if dotted(holder, aliases) in TARGETS:
                found.append(node)
            case ast.Call(func=ast.Name(id="vars"), args=[holder]) if dotted(holder, aliases) in TARGETS:
                found.append(node)
    found += _own_tables(tree)
    return next((node for node in found if node not in looked), None)


def _class(tree: ast.Module) -> ast.AST | None:
    """Where a method of torch may come to mean another one: a subclass of tensors, or a mode."""
    for node in walk(tree):
        match node:
            case ast.FunctionDef(name="__torch_function__" | "__torch_dispatch__"):
                return node
            case ast.Attribute(attr="as_subclass" | "_make_subclass" | "_make_wrapper_subclass"):
                return node
    return None


def _own_tables(tree: ast.Module) -> Iterator[ast.AST]:
    """`locals()` and `vars()` outside of functions: the names of the module."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        match node:
            case ast.Call(func=ast.Name(id="locals" | "vars"), args=[]):
                yield node
        todo += [inner for inner in children(node) if not isinstance(inner, SCOPES)]


def _means_one(node: ast.expr, aliases: dict[str, str]) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and node.value.split(".")[0] in ROOTS
    return dotted(node, aliases) in TARGETS


def _aliases(told: Iterable[ast.AST], handing: str) -> dict[str, str]:
    """Names that stand for torch or triton, or something in them, anywhere in the file."""
    found: dict[str, str] = {}
    given: list[tuple[str, ast.expr]] = []
    for node in told:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    root = alias.name.split(".")[0]
                    if root in ROOTS:
                        found[alias.asname or root] = alias.name if alias.asname else root
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in ROOTS:
                found |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
            case ast.ImportFrom(module=module, names=names, level=level) if handing and (level or module == handing):
                found |= {alias.asname or alias.name: TRITON[alias.name] for alias in names if alias.name in TRITON}
            case ast.Assign(targets=targets, value=ast.Name() | ast.Attribute() as bound):
                given += [(target.id, bound) for target in targets if isinstance(target, ast.Name)]
            case ast.NamedExpr(target=target, value=ast.Name() | ast.Attribute() as bound):
                given.append((target.id, bound))
    for _ in given[:3]:  # an alias of an alias of an alias
        for name, value in given:
            if (path := dotted(value, found)) in TARGETS:
                found.setdefault(name, path or "")
    return found
