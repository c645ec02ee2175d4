"""Which attributes a file gives a value: by statements and calls, or in tables, `x.__dict__` and `vars(x)`."""

from __future__ import annotations

import ast
import re

from codemods.read.marks import marks

TABLE = re.compile(
    rb"(?<![\w'\"])(?:(\w+)[ \t]*\.[ \t]*)?__dict__\b|\bvars\(\s*(\w*)(?:[^()]|\([^()]*\))*\)"
    rb"|\bgetattr\(\s*(\w*)[^()]*['\"]__dict__['\"]\s*\)"
)
LOOKED = re.compile(  # what stands behind one that is only looked at
    rb"\s*(?:\.\s*(?:get|keys|values|items|copy)\b|\[[^\]]*\](?!\s*(?:[-+*/|&^%@]|//|\*\*|<<|>>)?=(?!=))|[=!]=|:|\}|for\b"
    rb"|and\b|or\b|if\b|else\b|is\b)"
)
GIVEN = re.compile(  # what stands in front of one that is only looked at
    rb"(?:\*\*|\bin|[=!]=|\{|\b(?:copy|deepcopy|update)\("
    rb"|(?<![.\w])(?:len|dict|list|set|frozenset|sorted|tuple|iter|str|repr|print)\()\s*\Z"
)


def written(source: bytes) -> frozenset[bytes]:
    """Whose table is written, or has another name: the name in front of the last dot, "" where there is none."""
    if b"__dict__" not in source and b"vars(" not in source:
        return frozenset()
    return frozenset(
        found[1] or found[2] or found[3] or b"" for found in TABLE.finditer(source) if not _looked_at(source, found)
    )


def _looked_at(source: bytes, found: re.Match[bytes]) -> bool:
    if LOOKED.match(source, found.end()) is not None:
        return True
    return GIVEN.search(source, source.rfind(b"\n", 0, found.start()) + 1, found.start()) is not None


def given(tree: ast.Module, source: bytes) -> frozenset[tuple[str, str]]:
    """Attributes that are given a value, "*" for any, each with the name that what it belongs to begins with, where
    that matters."""
    found: set[tuple[str, str]] = set()
    for node in marks(tree, source):
        match node:
            case ast.Attribute(attr=attr):
                found.add(("", attr))
            case ast.Call(func=func, args=args, keywords=words):
                every = [*args, *(word.value for word in words)]
                texts = [arg.value for arg in every if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                found |= {("", text.rpartition(".")[2]) for text in texts}
                found |= {("", word.arg) for word in words if word.arg}
                holder, name = _named(func, args)
                if name is not None and not isinstance(name, ast.Constant):
                    found.add((holder, "*"))
    return frozenset(found)


def _named(func: ast.expr, args: list[ast.expr]) -> tuple[str, ast.expr | None]:
    """Of what a call sets an attribute, and the expression that gives its name."""
    match func, args:
        case ast.Attribute(value=value, attr="__setattr__"), [name, _]:
            return _root(value), name
        case ((ast.Name() | ast.Attribute(attr="__setattr__" | "setattr" | "object")), [holder, name, *_]):
            return _root(holder), name
    return "", None


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
