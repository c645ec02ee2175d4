"""What the names of a module stand for, by its imports; a name that anything else may bind stands for nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from codemods.core.syntax import walk

BUILTINS = frozenset(
    "abs all any bool bytes callable chr dict divmod enumerate eval exec filter float format frozenset getattr globals "
    "hasattr hash hex id int isinstance issubclass iter len list locals map max min next object open ord pow print "
    "range repr reversed round set setattr slice sorted str sum super tuple type vars zip".split()
)
CONTINUES = (b"(", b"[", b"{", b",")
GLOBAL = re.compile(rb"^\s*global\s", re.M)


@dataclass(frozen=True, slots=True)
class Names:
    """`apis`: module-level names that certainly stand for a dotted path. `changing`: attributes that may give
    another value each time. `methods`: names that a class of the file defines as methods. `patched`: dotted
    paths that the file assigns to."""

    apis: dict[str, str]
    bound: frozenset[str]
    changing: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    patched: frozenset[str] = frozenset()
    dynamic: bool = False  # __getattr__ is defined: any attribute may be computed

    def api(self, name: str) -> str | None:
        if name in self.apis:
            return self.apis[name]
        if name in BUILTINS and name not in self.bound:
            return f"builtins.{name}"
        return None


def names_of(tree: ast.Module, source: bytes) -> Names:
    """Read the module scope once."""
    imported: dict[str, set[str]] = {}
    bound: set[str] = set()
    star = False
    for node in _scope(tree.body):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    whole = alias.name if alias.asname else alias.name.split(".")[0]
                    imported.setdefault(alias.asname or whole, set()).add(whole)
            case ast.ImportFrom(module=module, level=level, names=aliases):
                star = star or any(alias.name == "*" for alias in aliases) and not _harmless_star(module)
                for alias in aliases:
                    path = f"{module}.{alias.name}" if module and not level else "?"
                    imported.setdefault(alias.asname or alias.name, set()).add(path)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Assign(targets=targets, value=ast.Constant(value=None)):
                bound |= {name for target in targets for name in _stored(target) if name not in imported}
            case ast.stmt():
                bound |= _own_names(node)
    if GLOBAL.search(source):
        bound |= {name for node in walk(tree) if isinstance(node, ast.Global) for name in node.names}
    apis = {
        name: next(iter(paths))
        for name, paths in imported.items()
        if len(paths) == 1 and "?" not in paths and name not in bound and not star
    }
    changing, methods, dynamic = _classes(tree, source)
    patched = _patched(tree, apis) if _may_patch(source, apis) else frozenset()
    return Names(apis, frozenset(bound | imported.keys()), changing, methods, patched, dynamic)


def _harmless_star(module: str | None) -> bool:
    return (module or "").split(".")[0] in {"typing", "__future__"}


def _scope(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run in this scope, not those inside functions and classes."""
    todo = list(body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                todo += getattr(node, name, [])
            for handler in getattr(node, "handlers", []):
                todo += handler.body
            for case in getattr(node, "cases", []):
                todo += case.body


def _own_names(node: ast.stmt) -> set[str]:
    names: set[str] = set()
    for field, value in ast.iter_fields(node):
        if field not in ("body", "orelse", "finalbody", "handlers", "cases"):
            for part in value if isinstance(value, list) else [value]:
                names |= _stored(part) if isinstance(part, ast.AST) else set()
    return names | {handler.name for handler in getattr(node, "handlers", []) if handler.name}


def _stored(node: ast.AST) -> set[str]:
    return {
        inner.id for inner in walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del)
    }


def _classes(tree: ast.Module, source: bytes) -> tuple[frozenset[str], frozenset[str], bool]:
    changing: set[str] = set()
    methods: set[str] = set()
    if b"class " not in source:
        return frozenset(), frozenset(), False
    for node in _scope(tree.body):
        for item in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                (changing if item.decorator_list else methods).add(item.name)
    return frozenset(changing), frozenset(methods), bool({"__getattr__", "__getattribute__"} & methods)


def _may_patch(source: bytes, apis: dict[str, str]) -> bool:
    """A line may assign to an attribute of torch: worth a look at the whole tree."""
    names = b"|".join(re.escape(name.encode()) for name, path in apis.items() if path.split(".")[0] == "torch")
    if not names:
        return False
    if re.search(rb"\b(?:setattr|delattr|del)\b\s*\(?\s*(?:" + names + rb")\b", source):
        return True
    for match in re.finditer(rb"\b(?:" + names + rb")\.[\w.]+\s*(?:=(?!=)|,|[-+*/|&]=)", source):
        start = source.rfind(b"\n", 0, match.start()) + 1
        before, rest = source[start : match.start()], source[match.end() - 1 : source.find(b"\n", match.end())]
        goes_on = source[:start].rstrip()[-1:] in CONTINUES  # an argument in a call over several lines
        if not goes_on and not any(sign in before for sign in b"(:[#") and b"=" in rest:
            return True
    return False


def _patched(tree: ast.Module, apis: dict[str, str]) -> frozenset[str]:
    found: set[str] = set()
    for node in walk(tree):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) if path := dotted(node, apis):
                found.add(path)
            case ast.Call(func=ast.Name(id="setattr"), args=[holder, *_]) if path := dotted(holder, apis):
                found.add(path + ".*")
    return frozenset(found)


def dotted(node: ast.expr, apis: dict[str, str]) -> str | None:
    """The full path that an attribute chain on an imported name stands for."""
    match node:
        case ast.Name(id=name):
            return apis.get(name)
        case ast.Attribute(value=inner, attr=attr):
            path = dotted(inner, apis)
            return f"{path}.{attr}" if path else None
    return None
