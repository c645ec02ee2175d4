"""Where in a file something could be rewritten, by text and syntax alone: most functions are never read."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from codemods.core.patterns import pattern
from codemods.core.syntax import children, walk
from codemods.read.births import BIRTHS
from codemods.read.names import Names, dotted
from codemods.read.places import holds, lines_at
from codemods.read.statements import Scope

SITE = re.compile(rb"(?:zeros|ones|full|empty|zeros_like|ones_like|full_like|empty_like|zero_|fill_)\s*\(")
# no sites where nothing is allocated, but their surroundings are told; `x=x,` is an argument
JOIN = re.compile(rb"(?:cat|concat|concatenate|hstack|vstack)\s*\(")
UPDATE = pattern(rb"[\r\n][ \t]*+(\w++)[ \t]*+=[ \t]*+(?:\([\s(]*+)?+(?:\1\b(?!\s*[,)])|torch\.\w++\([\s(]*+\1\b)")
# names for new memory in order that no allocation made
MADE = pattern(rb"[\r\n][ \t]*+(\w++)[ \t]*+=[ \t]*+torch\.(?:arange|linspace|randn?|randint)\s*\(")
MAKERS = (b"torch.arange", b"torch.linspace", b"torch.rand")
EMPTY = frozenset({"empty", "empty_like", "new_empty"})
LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Once = Literal["call", "instance", "import"]
Found = tuple[Scope, str, Once, tuple[ast.AST, ...]]


@dataclass(frozen=True)
class Lines:
    """What stands where in a text; some of it may be none. A match of what binds a name begins with a line break."""

    source: bytes

    @cached_property
    def sites(self) -> Sequence[int]:
        """Where memory is made or filled, or what arange and its like made is updated."""
        found = lines_at((match.start() for match in SITE.finditer(self.source)), self.source)
        made = frozenset(MADE.findall(self.source)) if any(word in self.source for word in MAKERS) else frozenset()
        again = [match.start() + 1 for match in self._updates if match[1] in made] if made else []
        return sorted({*found, *lines_at(again, self.source)}) if again else found

    @cached_property
    def around(self) -> Sequence[int]:
        """Those, and whatever else there is to ask about."""
        joins = lines_at((match.start() for match in JOIN.finditer(self.source)), self.source)
        return sorted({*self.sites, *joins, *lines_at((m.start() + 1 for m in self._updates), self.source)})

    @cached_property
    def _updates(self) -> Sequence[re.Match[bytes]]:
        return tuple(UPDATE.finditer(self.source))


def scopes(tree: ast.Module, names: Names, lines: Lines, every: bool = False) -> Iterator[Found]:
    """The scopes of a file in which there may be a site, outermost first, each with its name and the functions around
    it. `every`: also those that make memory which nothing could spare."""
    yield from _below(tree, _Search(names, lines.sites, every, b"lambda" in lines.source), "", "import", ())


@dataclass(frozen=True, slots=True)
class _Search:
    names: Names
    sites: Sequence[int]
    every: bool = False
    lambdas: bool = True  # there are some

    def found(self, scope: Scope) -> bool:
        """A call or an update of the scope's own, not of a scope inside it, may be a site."""
        body: list[ast.stmt] | list[ast.expr] = [scope.body] if isinstance(scope, ast.Lambda) else scope.body
        todo: list[tuple[ast.AST, ast.AST, bool]] = [(node, scope, False) for node in body if self.near(node)]
        while todo:
            node, parent, loop = todo.pop()
            if (
                isinstance(node, ast.Call)
                and self.site(node)
                and (self.every or not self.idle(node, parent, loop, scope))
            ):
                return True
            if isinstance(node, ast.Assign) and _again(node):
                return True
            loop = loop or isinstance(node, LOOPS)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                todo += [(part, node, loop) for part in node.decorator_list]
                if not isinstance(node, ast.ClassDef):
                    defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
                    todo += [(part, node, loop) for part in defaults]
            elif not isinstance(node, ast.Lambda):
                todo += [(part, node, loop) for part in children(node) if self.near(part)]
        return False

    def near(self, node: ast.AST) -> bool:
        return not isinstance(node, ast.stmt) or holds(node, self.sites)

    def site(self, call: ast.Call) -> bool:
        """It may make or fill memory."""
        match call.func:
            case ast.Attribute(attr=attr) if SITE.fullmatch(f"{attr.removeprefix('new_')}(".encode()):
                path = dotted(call.func, self.names.apis)
                return path is None or path in BIRTHS
            case ast.Name(id=name) if name in self.names.apis:
                return self.names.apis[name] in BIRTHS
            case ast.Name(id=name):
                return name not in self.names.bound and SITE.search(f"{name}(".encode()) is not None
            case ast.Attribute():
                return False
        return True

    def idle(self, call: ast.Call, parent: ast.AST, loop: bool, scope: Scope) -> bool:
        """It makes memory without a value, which nobody could have wanted to spare: it stands in no loop, and where a
        name is given to it, that name is not bound again behind it."""
        path = dotted(call.func, self.names.apis) or str(getattr(call.func, "attr", ""))
        if path.rpartition(".")[2] not in EMPTY:
            return False
        match parent:
            case ast.Assign(targets=[ast.Name(id=name) as target]) | ast.AnnAssign(target=ast.Name(id=name) as target):
                return not loop and not _bound_behind(scope, name, target)
        return True


def _below(node: ast.AST, search: _Search, prefix: str, once: Once, outer: tuple[ast.AST, ...]) -> Iterator[Found]:
    if isinstance(node, ast.Module) and search.found(node):
        yield node, "<module>", "import", outer
    todo = children(node)
    while todo:
        child = todo.pop(0)
        if isinstance(child, ast.stmt) and not holds(child, search.sites):
            continue
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                inner: Once = "instance" if name == "__init__" else "call"
                if search.found(child):
                    yield child, f"{prefix}{name}", inner, outer
                yield from _below(child, search, f"{prefix}{name}.", inner, (*outer, child))
            case ast.Lambda():
                if search.found(child):
                    yield child, f"{prefix}<lambda>", "call", outer
                yield from _below(child, search, prefix, "call", (*outer, child))
            case ast.ClassDef(name=name):
                if search.found(child):
                    yield child, f"{prefix}{name}", "import", outer
                yield from _below(child, search, f"{prefix}{name}.", once, outer)
            case _ if search.lambdas or not isinstance(child, ast.expr):
                todo[:0] = children(child)


def _again(node: ast.Assign) -> bool:
    """`x = x - y`, `x = x.abs()`, `x = torch.abs(x)`."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(left=ast.Name(id=other))):
            return name == other
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(value=inner), args=args)):
            return any(isinstance(part, ast.Name) and part.id == name for part in (inner, *args[:1]))
    return False


@dataclass(frozen=True, slots=True)
class _Binding:
    """`arms`: the sides of the `if` statements in which it stands."""

    node: ast.AST
    arms: frozenset[tuple[ast.If, bool]]

    def apart(self, other: _Binding) -> bool:
        """No path leads through both."""
        return any((test, not side) in other.arms for test, side in self.arms)


def _bound_behind(scope: Scope, name: str, target: ast.Name) -> bool:
    """Control may come from the target, which stands in no loop, to another place that gives the name a value."""
    every = _bindings(scope)[name]
    own = next(binding for binding in every if binding.node is target)
    for binding in every:
        if not isinstance(binding.node, ast.Name):
            return True
        if binding is not own and binding.node.lineno >= target.lineno and not own.apart(binding):
            return True
    return False


@lru_cache(maxsize=4)
def _bindings(scope: Scope) -> dict[str, list[_Binding]]:
    """By name. A scope inside this one that binds a name does so at any time: it is told by the node of that scope."""
    found: dict[str, list[_Binding]] = {}
    todo: list[tuple[ast.AST, frozenset[tuple[ast.If, bool]]]] = [(scope, frozenset())]
    while todo:
        node, arms = todo.pop()
        names = _binds(node)
        if node is not scope and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            names = {*names, *(name for inner in walk(node) for name in _binds(inner))}
        elif isinstance(node, ast.If):
            todo.append((node.test, arms))
            todo += [(part, arms | {(node, True)}) for part in node.body]
            todo += [(part, arms | {(node, False)}) for part in node.orelse]
        else:
            todo += [(part, arms) for part in children(node)]
        for name in names:
            found.setdefault(name, []).append(_Binding(node, arms))
    return found


def _binds(node: ast.AST) -> Collection[str]:
    """The names that a node binds itself."""
    match node:
        case ast.Name(id=name):
            return () if isinstance(node.ctx, ast.Load) else (name,)
        case ast.ExceptHandler(name=str(name)) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return (name,)
        case ast.ClassDef(name=name) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.alias(name=whole, asname=asname):
            return (whole.split(".")[0], *filter(None, (asname,)))
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return names
        case ast.MatchMapping(rest=str(rest)):
            return (rest,)
    return ()
