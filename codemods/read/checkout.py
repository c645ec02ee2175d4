"""The modules of a checkout: what their names are bound to, and what an import leads to. Read only when asked for."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from codemods.core.syntax import walk
from codemods.read import attributes
from codemods.read.bases import Text, text_of
from codemods.read.looked import ABSENT, Looked, content
from codemods.read.marks import marks
from codemods.read.names import BUILTINS, GLOBAL, Names, bound_within, dotted, names_of, own_names, stored
from codemods.read.patches import patched
from codemods.read.reexport import settled
from codemods.read.roots import dotted_of, root_of
from codemods.read.uses import given_before
from codemods.read.world import World, world_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
MOST_HOPS = 8
TABLES = frozenset({"locals", "vars", "exec"})
EXCHANGES = re.compile(rb"globals(?:\s*\(|__)|exec(?<![.\w]exec)\s*\(")  # with letters first it is ten times as fast
SWAPPED = re.compile(  # a module whose name is written out gets other names, or the globals of a frame do
    rb"(?:modules\[['\"][^\]]*\]\s*(?:\.\s*\w+\s*)?|f_globals\s*\[[^\]]*\]\s*)=(?!=)|f_globals\s*\.\s*(?:update|setdefault)\b"
)
HANDED = re.compile(rb"(?<!_)setattr\b(?!\s*\()")


@dataclass(frozen=True, slots=True)
class Import:
    """`from module import name`; with no name, the module. `head`: `import a.b` binds a."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    value: ast.expr


Binding = Function | ast.ClassDef | Import | Alias


@dataclass(eq=False)
class Module:
    """One file. `name`: as it is reported. `package`: the dotted name of the package that it is in, or is."""

    name: str
    dotted: str
    package: str
    tree: ast.Module
    source: bytes
    around: Checkout | None = None

    @cached_property
    def names(self) -> Names:
        names = names_of(self.tree, self.source)
        if self.around is None:
            return names
        before, self.around.looked = self.around.looked, set()
        handed = settled(names, self, self.around)
        self.around.asked[self.dotted] = (*self.around.asked.get(self.dotted, ()), *self.around.looked)
        self.around.looked |= before
        return replace(names, apis=names.apis | handed) if handed else names

    def absolute(self, module: str | None, level: int) -> str | None:
        return absolute(self.package, module, level)

    @cached_property
    def exchanged(self) -> bool:
        """It gives torch other functions, or binds names in ways that are not looked up."""
        if (b"sys.modules[" in self.source or b"f_globals" in self.source) and SWAPPED.search(self.source) is not None:
            return True
        return patched(self.tree, self.source) is not None or EXCHANGES.search(self.source) is not None

    def leaves(self, name: str) -> bool:
        """Of a package: the name of a module in it stands for that module."""
        own = Import(self.dotted, name)
        return not {name, "*"} & self.every_name or self.bindings.get(name) == own

    @cached_property
    def every_name(self) -> frozenset[str]:
        """All names that the module may bind; all there are where it imports `*`."""
        bound = {name for node, _ in _statements(self.tree.body, True) for name, _ in _bound(node, self.package)}
        return frozenset(
            bound
            | {name for node in marks(self.tree, self.source) if isinstance(node, ast.Global) for name in node.names}
        )

    @cached_property
    def bindings(self) -> dict[str, Binding]:
        """The names of the module that are bound in one place only, by a statement of its own."""
        return bindings(self.tree, self.package, self.source)

    @cached_property
    def set_attributes(self) -> frozenset[str]:
        """Every attribute that the file gives a value, whatever it belongs to; "*" where not every name is written
        out."""
        found = {name for _, name in self._sets}
        return frozenset(found | {"*"} if self._tables or self._handed_on else found)

    @cached_property
    def text(self) -> Text:
        return text_of(self.source)

    def sets(self, *names: str) -> bool:
        """One of these names of a module may be given another value here: as an attribute, by its name, or by a name
        that is not written out, where a module is what it is an attribute of."""
        if self.set_attributes & set(names):
            return True
        if self._handed_on or self._tables - {b"self", b"cls"}:
            return True
        found = b"sys.modules" in self.source or b"import_module" in self.source
        return any(
            name == "*" and holder not in ("self", "cls") and (found or holder in names or self._is_import(holder))
            for holder, name in self._sets
        )

    def _is_import(self, name: str) -> bool:
        return isinstance(self.bindings.get(name), Import)

    @cached_property
    def _handed_on(self) -> bool:
        """`setattr` is given another name, or passed on."""
        return b"setattr" in self.source and HANDED.search(self.source) is not None

    @cached_property
    def _tables(self) -> frozenset[bytes]:
        """Whose table of attributes is written."""
        return attributes.written(self.source)

    @cached_property
    def _sets(self) -> frozenset[tuple[str, str]]:
        """Attributes that are given a value, "*" for any, each with the name that what it belongs to begins with."""
        return attributes.given(self.tree, self.source)


def bindings(tree: ast.Module | ast.ClassDef, package: str, source: bytes) -> dict[str, Binding]:
    found: dict[str, list[Binding | None]] = {}
    certain: set[str] = set()
    for node, own in _statements(tree.body, True):
        for name, binding in _bound(node, package):
            certain.update([name] if own else ())
            found.setdefault(name, []).append(binding if own or isinstance(binding, Import) else None)
    for inner in walk(tree) if GLOBAL.search(source) else ():
        if isinstance(inner, ast.Global):
            for name in inner.names:
                found.setdefault(name, []).append(None)
    if "*" in found:
        return {}
    if "__getattr__" in found:  # which may have another meaning for what is only imported to check types
        found = {name: every if name in certain else [None] for name, every in found.items()}
    return {name: every[0] for name, every in found.items() if len(every) == 1 and every[0] and name not in BUILTINS}


def bound_in(node: ast.ClassDef, package: str) -> set[str]:
    """All names that the body of a class may bind; "*" where that is not certain."""
    found: set[str] = set()
    for inner, _ in _statements(node.body, True):
        found |= {name for name, _ in _bound(inner, package)}
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= {"*" for part in walk(inner) if isinstance(part, ast.Name) and part.id in TABLES}
    return found


def _statements(body: list[ast.stmt], own: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements that run in the scope, and whether each certainly does."""
    for node in body:
        yield node, own
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, part, []), False)
        for part in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
            yield from _statements(part.body, False)


def _bound(node: ast.stmt, package: str) -> Iterator[tuple[str, Binding | None]]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, node
            yield from ((inner, None) for inner in bound_within(node))
        case ast.Import(names=aliases):
            for alias in aliases:
                whole = alias.name if alias.asname else alias.name.split(".")[0]
                yield alias.asname or whole, Import(whole)
        case ast.ImportFrom(module=module, level=level, names=aliases):
            origin = absolute(package, module, level)
            for alias in aliases:
                harmless = alias.name == "*" and origin in ("typing", "__future__")
                if not harmless:
                    yield alias.asname or alias.name, Import(origin, alias.name) if origin else None
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, Alias(value)
            yield from ((inner, None) for inner in stored(value))
        case _:
            yield from ((name, None) for name in own_names(node) | bound_within(node))


def absolute(package: str, module: str | None, level: int) -> str | None:
    """The module that `from ..module import` means in a package; None above the top."""
    if not level:
        return module
    parts = package.split(".") if package else []
    if level > len(parts):
        return None
    kept = parts[: len(parts) - level + 1]
    return ".".join((*kept, *([module] if module else ())))


@dataclass(frozen=True, slots=True)
class Found:
    """A function or a class, and the module that it stands in. `given`: by a partial call that a name stands for, the
    first arguments of every call. `hidden`: names that functions around it bind."""

    module: Module
    node: Function | ast.ClassDef
    given: ast.Call | None = None
    hidden: frozenset[str] = frozenset()


@dataclass(eq=False)
class Checkout:
    """The files around one that is read. `root`: where imports begin, None where nothing else is to be read.
    `base`: what names are reported relative to. `top`: the package in which subclasses are looked for. `looked`: what
    else was read, or asked for."""

    root: Path | None = None
    base: Path | None = None
    top: Path | None = None
    modules: dict[str, Module | None] = field(default_factory=dict)
    asked: dict[str, tuple[Looked, ...]] = field(default_factory=dict)
    looked: set[Looked] = field(default_factory=set)
    every: tuple[World, Looked] | None = None
    edited: tuple[Module, World] | None = None

    def module(self, dotted: str) -> Module | None:
        if dotted not in self.modules:
            self.modules[dotted] = self._read(dotted) if self.root is not None and dotted else None
        self.looked.update(self.asked.get(dotted, ()))
        return self.modules[dotted]

    def own(self, tree: ast.Module, source: bytes, name: str) -> Module:
        """The module of the file that is read itself."""
        file = None if self.base is None else self.base / name
        if file is None or self.root is None or self.root not in file.parents:
            return Module(name, "", "", tree, source, self)
        dotted, package = dotted_of(file, self.root)
        return Module(name, dotted, package, tree, source, self)

    def _read(self, dotted: str) -> Module | None:
        assert self.root is not None
        parts = dotted.split(".")
        if parts[0] in ("torch", "triton", "typing", "numpy") or not all(part.isidentifier() for part in parts):
            return None
        plain = self.root.joinpath(*parts)
        for file, package in ((plain / "__init__.py", dotted), (plain.with_suffix(".py"), ".".join(parts[:-1]))):
            source, seen = content(file)
            self.asked[dotted] = (*self.asked.get(dotted, ()), Looked("file", str(file), seen))
            if seen != ABSENT:
                return self._parsed(file, source, dotted, package) if source is not None else None
        return None

    def _parsed(self, file: Path, source: bytes, dotted: str, package: str) -> Module | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return Module(self.named(file), dotted, package, tree, source, self)

    def named(self, file: Path) -> str:
        for base in (self.base, self.root):
            if base is not None and base in file.parents:
                return file.relative_to(base).as_posix()
        return file.name

    def function(self, module: Module, name: str) -> Found | None:
        """The one function or class that a name of a module stands for."""
        return self._follow(module, name, MOST_HOPS)

    def path(self, dotted: str) -> Found | None:
        """The function or class that a full name stands for."""
        head, _, name = dotted.rpartition(".")
        module = self.plain_module(head) if head else None
        return self._follow(module, name, MOST_HOPS) if module else None

    def plain_module(self, dotted: str) -> Module | None:
        """What an import of the full name gives."""
        module = self.module(dotted)  # first: a folder on the way may only be missing until the file is there
        return module if self._is_module(dotted) else None

    def _is_module(self, dotted: str) -> bool:
        """No package on the way gives the name of a module to something else."""
        parts = dotted.split(".")
        for place in range(1, len(parts)):
            package, name = ".".join(parts[:place]), parts[place]
            above = self.module(package)
            if above is None and self._is_folder(parts[:place]):
                continue
            if above is None or above.exchanged or not above.leaves(name):
                return False
        return True

    def _is_folder(self, parts: list[str]) -> bool:
        """A package without an `__init__.py`: it has no names but those of the modules in it."""
        plain = self.root.joinpath(*parts) if self.root is not None else None
        if plain is None or not plain.is_dir():
            return False
        return not (plain / "__init__.py").exists() and not plain.with_suffix(".py").exists()

    def _follow(self, module: Module, name: str, hops: int) -> Found | None:
        if not hops or module.exchanged or module.sets(name):
            return None
        match module.bindings.get(name):
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() as node:
                return Found(module, node)
            case Import(module=origin, name=str(other)):
                inner = self.module(origin)
                return self._follow(inner, other, hops - 1) if inner else None
            case Alias(value=ast.Name(id=other)):
                return self._follow(module, other, hops - 1)
            case Alias(value=ast.Call(args=[ast.Name(id=other), *_]) as call) if given_before(
                call, name, module.names.apis, module.tree, module.source
            ):
                found = self._follow(module, other, hops - 1)
                return replace(found, given=call) if found and found.given is None else None
        return None

    def stands_for(self, module: Module, node: ast.expr) -> Found | None:
        """The function or class that a name, or names with dots, stand for in a module."""
        match node:
            case _ if (path := dotted(node, module.names.apis)) is not None:
                return self.path(path)
            case ast.Name(id=name):
                return self.function(module, name)
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                return self.member(module, name, attr)
        return None

    def member(self, module: Module, name: str, attr: str) -> Found | None:
        """What `name.attr` stands for, where the name is an imported module."""
        match module.bindings.get(name):
            case Import(module=origin, name=None):
                return self.path(f"{origin}.{attr}")
            case Import(module=origin, name=str(inner)):
                return self.path(f"{origin}.{inner}.{attr}")
        return None

    def world(self, own: Module) -> World:
        """All classes of the checkout, and of one module."""
        if self.every is None and self.top is not None:
            self.every = world_of(self.top)
        world, looked = self.every or (World({}), None)
        text = own.text
        if world.texts.get(own.dotted) == text:
            self.looked |= {looked} if looked else set()
            return world
        self.looked |= {replace(looked, means="")} if looked else set()
        if self.edited is None or self.edited[0] is not own:
            self.edited = own, World({**world.texts, own.dotted: text}, world.files, {own.dotted: own.source})
        return self.edited[1]


def checkout_of(file: Path, name: str) -> Checkout:
    """What is around a file that is reported as `name`."""
    root = root_of(file)
    inner = file.relative_to(root).parts
    base = file.parents[name.count("/")] if file.as_posix().endswith("/" + name) else root
    return Checkout(root, base, root / inner[0] if len(inner) > 1 else None)
