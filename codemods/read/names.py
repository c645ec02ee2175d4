"""What the names of a module stand for, by its imports; a name that anything else may bind stands for nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from codemods.core.span import Span, lines_of, span
from codemods.core.syntax import walk
from codemods.read.marks import marks, targets

BUILTINS = frozenset(
    "abs all any bool bytes callable chr dict divmod enumerate eval exec filter float format frozenset getattr globals "
    "hasattr hash hex id int isinstance issubclass iter len list locals map max min next object open ord pow print "
    "range repr reversed round set setattr slice sorted str sum super tuple type vars zip".split()
)
SHAPES = frozenset({"shape", "ndim"})
# text without which no shape is set: a look at what sets something takes longer
SETS_SHAPE = re.compile(
    rb"\.[ \t\\\r\n]*(?:shape|ndim)\b"
    rb"(?:[^\n=!<>]*(?:\\\r?\n[^\n=!<>]*)*(?:<<|>>)?=(?!=)|[ \t]*,[ \t]*(?:#.*)?$|[^\n=]*\bin\b|[ \t]*:)",
    re.MULTILINE,
)
AS_SHAPE = re.compile(rb"(?:\bas|\bdel)[ \t(][^\n=]*\.[ \t\\\r\n]*(?:shape|ndim)\b")
GLOBAL = re.compile(rb"global[ \t\f\\\r\n]+\w+[ \t\f]*(?:[,;#\r\n\\]|\Z)")


@dataclass(frozen=True, slots=True)
class Names:
    """`apis`: module-level names that certainly stand for a dotted path. `changing`: attributes that may give
    another value each time. `methods`: names that a class of the file defines as methods."""

    apis: dict[str, str]
    bound: frozenset[str]
    changing: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    dynamic: bool = False  # __getattr__ is defined: any attribute may be computed
    functional: str | None = None  # a name for torch.nn.functional that functions of the file may use
    reshapes: bool = False  # it sets an attribute `shape` or `ndim`: what is no tensor may get another one
    importable: tuple[Span, str] | None = None  # else the import behind which one may be put, and a free name

    def hidden(self, names: frozenset[str]) -> Names:
        """The same module, seen from a scope in which other names hide some of its own."""
        apis = {name: path for name, path in self.apis.items() if name not in names}
        return replace(self, apis=apis, bound=self.bound | names)

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
    for node in scope_of(tree.body):
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
                bound |= {name for target in targets for name in stored(target) if name not in imported}
            case ast.stmt():
                bound |= own_names(node)
    if b":=" in source:
        bound |= {name for node in scope_of(tree.body) for name in bound_within(node)}
    if GLOBAL.search(source):
        bound |= {name for node in marks(tree, source) if isinstance(node, ast.Global) for name in node.names}
    apis = {
        name: next(iter(paths))
        for name, paths in imported.items()
        if len(paths) == 1 and "?" not in paths and name not in bound and not star
    }
    changing, methods, dynamic = _classes(tree, source)
    functional = _functional(tree, source, apis)
    importable = _importable(tree, source) if functional is None else None
    reshapes = _may_reshape(source) and any(_of_shape(node) for node in marks(tree, source))
    return Names(apis, frozenset(bound | imported.keys()), changing, methods, dynamic, functional, reshapes, importable)


def _may_reshape(source: bytes) -> bool:
    shaped = b"shape" in source or b"ndim" in source
    return shaped and (SETS_SHAPE.search(source) or AS_SHAPE.search(source)) is not None


def _of_shape(node: ast.AST) -> bool:
    """It sets a shape, or an element of one."""
    match node:
        case ast.Attribute(attr=name):
            return name in SHAPES
        case ast.Assign(targets=targets):
            parts = [target.value for target in targets if isinstance(target, ast.Subscript)]
            return any(isinstance(part, ast.Attribute) and part.attr in SHAPES for part in parts)
    return False


def _functional(tree: ast.Module, source: bytes, apis: dict[str, str]) -> str | None:
    """The name under which torch.nn.functional is imported before any function is defined, where the file uses that
    name for nothing else."""
    for node in tree.body:
        match node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                for alias in aliases:
                    name = alias.asname or alias.name
                    if apis.get(name) == "torch.nn.functional":
                        uses = re.findall(rb"\b" + name.encode() + rb"\b(?!\s*\.)", source)
                        return name if len(uses) == 1 else None
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                break
    return None


def _importable(tree: ast.Module, source: bytes) -> tuple[Span, str] | None:
    """The last of the first imports of names of torch that stand one behind the other. Who calls a function that uses
    one of them calls it when all of them are done."""
    if b"from torch import" not in source:
        return None
    last: ast.stmt | None = None
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str(module), level=0) if module.split(".")[0] == "torch":
                last = node
            case ast.Import(names=aliases) if all(alias.name.split(".")[0] == "torch" for alias in aliases):
                last = node
            case _ if last is not None:
                break
    if last is None or re.search(rb"\bF\b", source):
        return None
    place = span(last)
    behind = lines_of(source)[place.end_line - 1][place.end_column :]
    alone = not place.column and re.fullmatch(rb"[ \t]*(?:#[^\r\n]*)?[\r\n]+", behind)
    return (place, "F") if alone else None


def _harmless_star(module: str | None) -> bool:
    return (module or "").split(".")[0] in {"typing", "__future__"}


def scope_of(body: list[ast.stmt]) -> Iterator[ast.stmt]:
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


def own_names(node: ast.stmt) -> set[str]:
    """The names that a statement binds itself, those in its expressions aside."""
    names = {part.id for part in targets(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
    names |= {handler.name for handler in getattr(node, "handlers", []) if handler.name}
    patterns = [part for case in getattr(node, "cases", []) for part in walk(case.pattern)]
    names |= {name for part in patterns if (name := getattr(part, "name", None) or getattr(part, "rest", None))}
    alias = getattr(node, "name", None)  # of a `type` statement
    return names | ({alias.id} if isinstance(alias, ast.Name) else set())


def bound_within(node: ast.stmt) -> set[str]:
    """The names that the expressions of a statement bind."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        parts = [part for name, value in ast.iter_fields(node) if name != "body" for part in _listed(value)]
    else:
        skipped = ("body", "orelse", "finalbody", "handlers", "cases")
        parts = [part for name, value in ast.iter_fields(node) if name not in skipped for part in _listed(value)]
        parts += [case.guard for case in getattr(node, "cases", [])]
        parts += [handler.type for handler in getattr(node, "handlers", [])]
    return {name for part in parts if isinstance(part, ast.AST) for name in stored(part)}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def stored(node: ast.AST) -> set[str]:
    return {
        inner.id for inner in walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del)
    }


def _classes(tree: ast.Module, source: bytes) -> tuple[frozenset[str], frozenset[str], bool]:
    changing: set[str] = set()
    methods: set[str] = set()
    if b"class " not in source:
        return frozenset(), frozenset(), False
    for node in scope_of(tree.body):
        for item in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                (changing if item.decorator_list else methods).add(item.name)
    return frozenset(changing), frozenset(methods), bool({"__getattr__", "__getattribute__"} & methods)


def dotted(node: ast.expr, apis: dict[str, str]) -> str | None:
    """The full path that an attribute chain on an imported name stands for."""
    match node:
        case ast.Name(id=name):
            return apis.get(name)
        case ast.Attribute(value=inner, attr=attr) if (path := dotted(inner, apis)) is not None:
            return f"{path}.{attr}"
    return None


@lru_cache(maxsize=64)
def names_bound(scope: ast.AST) -> frozenset[str]:
    """What a function binds, itself or in a scope inside it."""
    found: set[str] = set()
    for inner in walk(scope):
        match inner:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if inner is not scope:
                found.add(name)
            case ast.ClassDef(name=name) | ast.alias(name=name):
                found.add(name.split(".")[0])
    return frozenset(found)
