"""Functions cut out of a package: what a function names is made when asked for, and nothing else of its file runs.

A top-level statement runs once, when the first name that it binds is needed. Modules of the same package are cut in the
same way; of others only those that a bare machine has are imported, and the rest are stand-ins.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
import random
import signal
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from second_opinion.fills import Draw
from second_opinion.holes import NOW, Aside, Hints, StandIn

HERE = {"torch", "numpy", "triton"}  # besides the standard library
KEPT = {
    "contextmanager",
    "jit",
    "autotune",
    "heuristics",
    "dataclass",
    "property",
    "staticmethod",
    "classmethod",
    "cached_property",
}
KEPT |= {"no_grad", "inference_mode", "asynccontextmanager", "total_ordering", "unique"}
Compound = (ast.If, ast.Try, ast.With, ast.For, ast.While)


def bound(node: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement binds."""
    for part in ast.walk(node) if isinstance(node, Compound) else [node]:
        match part:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name).split(".")[0] for alias in names)
            case ast.Assign() | ast.AnnAssign(value=ast.expr()) | ast.AugAssign():
                yield from (n.id for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


class Plain(ast.NodeTransformer):
    """Without decorators that only compile, register or skip."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = [first_config(one) for one in node.decorator_list if KEPT & set(named(one))]
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]


def first_config(node: ast.expr) -> ast.expr:
    """A kernel that is tuned gets the first block sizes: there is no GPU on which to try the others."""
    if isinstance(node, ast.Call) and "autotune" in named(node):
        for keyword in node.keywords:
            if keyword.arg == "configs":
                first = ast.Slice(upper=ast.Constant(1))
                keyword.value = ast.fix_missing_locations(
                    ast.copy_location(ast.Subscript(keyword.value, first, ast.Load()), keyword.value)
                )
    return node


def jitted(node: ast.stmt) -> bool:
    return any("jit" in named(one) for one in getattr(node, "decorator_list", ()))


def named(node: ast.expr) -> Iterator[str]:
    """`jit` and `triton` of `@triton.jit(..)`."""
    node = node.func if isinstance(node, ast.Call) else node
    while isinstance(node, ast.Attribute):
        yield node.attr
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


@dataclass(eq=False)
class World:
    """All modules of one package, as far as they were needed. `changed`: texts of files that were rewritten."""

    package: str
    root: Path
    changed: dict[Path, str] = field(default_factory=dict)
    kernels: bool = True  # they run under Triton's interpreter, which reads and writes wherever it is told
    left_out: set[str] = field(
        default_factory=set
    )  # kernels that were asked for and are stand-ins, which store nothing
    modules: dict[str, Module] = field(default_factory=dict)
    trees: dict[Path, ast.Module] = field(default_factory=dict)

    def module(self, name: str) -> Module | None:
        if name in self.modules:
            return self.modules[name]
        path = self.root.joinpath(*name.split(".")[1:])
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name.split(".")[0] != self.package or not (file.is_file() or path.is_dir()):
            return None
        self.modules[name] = Module(self, name, file)
        return self.modules[name]

    def file(self, file: Path) -> Module:
        parts = file.relative_to(self.root).with_suffix("").parts
        found = self.module(".".join((self.package, *(part for part in parts if part != "__init__"))))
        assert found is not None
        return found

    def tree(self, file: Path) -> ast.Module:
        if file not in self.trees:
            source = self.changed[file] if file in self.changed else file.read_text("utf-8") if file.is_file() else ""
            name = self.code_name(file)
            linecache.cache[name] = len(source), None, source.splitlines(True), name  # Triton reads it
            self.trees[file] = Plain().visit(ast.parse(source))
        return self.trees[file]

    def code_name(self, file: Path) -> str:
        return f"<{'rewritten ' if file in self.changed else ''}{file}>"


class Names(dict[str, Any]):
    """The globals of a cut module."""

    def __init__(self, module: Module) -> None:
        super().__init__(
            __name__=module.name,
            __file__=str(module.file),
            __builtins__=vars(builtins) | {"__import__": module.imported, "print": print_nothing},
        )
        self.module = module

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name) and name not in self.module.binders and name != "super":
            raise KeyError(name)
        value = self.module.made(name)
        if name not in self.module.unknown:
            self[name] = value
        return value


def print_nothing(*_: object, **__: object) -> None:
    pass


class Module(types.ModuleType):
    """A module whose names are made when they are asked for."""

    def __init__(self, world: World, name: str, file: Path) -> None:
        super().__init__(name)
        self.world, self.name, self.file = world, name, file
        self.binders: dict[str, ast.stmt] = {}
        for node in world.tree(file).body:
            self.binders.update(dict.fromkeys(bound(node), node))
        self.strict = False  # an import that fails is an ImportError
        self.running: set[ast.stmt] = set()
        self.unknown: set[str] = set()  # constants that depend on what is not known
        self.codes: dict[ast.stmt, types.CodeType] = {}
        self.names = Names(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.names[name]

    def made(self, name: str) -> Any:
        node = self.binders.get(name)
        if node is None or node in self.running:
            submodule = self.world.module(f"{self.name}.{name}")
            return submodule if submodule is not None else StandIn(f"{self.name}.{name}")
        if name in self.unknown:
            return NOW[-1].get(f"{self.name}.{name}")
        self.running.add(node)
        strict, self.strict = self.strict, isinstance(node, ast.Try)
        aside = Aside({}, Hints(), Draw(random.Random(0)))
        NOW.append(aside)  # the same for every run
        try:
            self.run(node)
        except Exception:
            pass  # the name is a stand-in, then
        finally:
            NOW.pop()
            self.strict = strict
            self.running.discard(node)
        if aside.asked and isinstance(node, ast.Assign | ast.AnnAssign):
            self.unknown |= set(bound(node))
            for one in self.unknown:
                dict.pop(self.names, one, None)
            return NOW[-1].get(f"{self.name}.{name}")
        return dict.get(self.names, name) if name in self.names else StandIn(f"{self.name}.{name}")

    def run(self, node: ast.stmt) -> None:
        """Of a statement, all that it does; a kernel that is not to run is a stand-in."""
        if isinstance(node, ast.FunctionDef) and not self.world.kernels and jitted(node):
            self.world.left_out.add(node.name)
            return
        body = [node] if jitted(node) else [FUTURE, node]  # Triton looks at annotations
        exec(compile(ast.Module(body, []), self.world.code_name(self.file), "exec", dont_inherit=True), self.names)

    def imported(
        self, name: str, names: Any = None, local: Any = None, wanted: tuple[str, ...] | None = (), level: int = 0
    ) -> Any:
        if level:
            base = self.name.split(".")
            base = base[: len(base) - level + (self.file.name == "__init__.py")]
            name = ".".join((*base, *([name] if name else [])))
        top = name.split(".")[0]
        if top == self.world.package:
            found = self.world.module(name if wanted else top)
            if found is not None:
                return found
        elif top in HERE or top in sys.stdlib_module_names:
            left = signal.setitimer(signal.ITIMER_REAL, 0)[0]  # half a module must not stay behind
            try:
                return importlib.import_module(name) if wanted else __import__(name)
            except ImportError:
                pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, left)
        if self.strict:
            raise ImportError(name)
        return StandIn(name if wanted else top)


FUTURE = ast.parse("from __future__ import annotations").body[0]


@dataclass(frozen=True)
class Function:
    """A function to call: its definition, the class around it and its module."""

    module: Module
    node: ast.FunctionDef | ast.AsyncFunctionDef
    owner: ast.ClassDef | None

    @property
    def name(self) -> str:
        return f"{self.owner.name}.{self.node.name}" if self.owner else self.node.name

    def made(self) -> Callable[..., Any]:
        """The plain function. Decorators that bind it to a class are left out."""
        if not self.owner:
            function: Callable[..., Any] = self.module.names[self.node.name]
            return function
        return method(self.module, self.node)


def method(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Callable[..., Any]:
    if node not in module.codes:
        fresh = type(node)(**{**dict(ast.iter_fields(node)), "decorator_list": []})
        ast.copy_location(fresh, node)
        tree = ast.Module([FUTURE, fresh], [])
        module.codes[node] = compile(tree, module.world.code_name(module.file), "exec", dont_inherit=True)
    scope: dict[str, Any] = {}
    exec(module.codes[node], module.names, scope)
    made: Callable[..., Any] = scope[node.name]
    return made


def functions(module: Module) -> Iterator[Function]:
    """Functions and methods that stand on the top level, also behind a test."""
    for node in module.world.tree(module.file).body:
        for part in ast.walk(node) if isinstance(node, ast.If | ast.Try) else [node]:
            match part:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield Function(module, part, None)
                case ast.ClassDef(body=body):
                    yield from (
                        Function(module, one, part)
                        for one in body
                        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                    )


def around(module: Module, line: int) -> Function | None:
    """The outermost function around a line."""
    for function in functions(module):
        first = min([function.node.lineno, *(one.lineno for one in function.node.decorator_list)])
        if first <= line <= (function.node.end_lineno or 0):
            return function
    return None
