"""Does a file give torch or triton other functions? A walk of the whole tree, so only a file with a proof is asked."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.read.marks import marks
from codemods.read.names import dotted

TARGETS = frozenset(
    "torch torch.Tensor torch.nn torch.nn.init torch.nn.functional torch.functional torch.linalg torch.special "
    "torch.fft torch._C torch._tensor triton triton.language triton.language.math".split()
)
ROOTS = ("torch", "triton")
TRITON = {"tl": "triton.language", "triton": "triton"}  # as other modules hand it on


def patched(tree: ast.Module, source: bytes, handing: str = "") -> ast.AST | None:
    """A place that gives an attribute of torch or triton, or the name by which the file knows them, another value.
    `handing`: a module that hands on triton."""
    told = marks(tree, source)
    aliases = _aliases(told, handing)
    for node in told:
        match node:
            case ast.Attribute(value=holder) if dotted(holder, aliases) in TARGETS:
                return node
            case ast.Call(args=[first, *_]) if _means_one(first, aliases):
                return node
            case ast.Global(names=names) if aliases.keys() & set(names):
                return node
    return None


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
