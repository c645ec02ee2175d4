"""The kernels of a file, with the functions and constants of the file that they use."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from codemods.read.marks import marks
from codemods.read.names import Names, own_names, scope_of
from codemods.read.triton import AROUND, JIT, resolve, trusted_by

HOOKS = re.compile(rb"\b(?:pre|post)_hook\b")
HOOKED = re.compile(rb"\b(?:add_)?pre_run_hooks?\b")


@dataclass(frozen=True, eq=False, slots=True)
class Module:
    """`functions`: at the top level, bound once. `constants`: names that stand for one number, string or bool.
    `imported`: kernels of other files under the name that they have here; whoever finds files fills it in."""

    path: str
    names: Names
    functions: Mapping[str, ast.FunctionDef]
    constants: Mapping[str, bool | int | float | str | None]
    wrapped: Mapping[str, ast.Call] = field(default_factory=dict)  # name = call(..), such as an autotuned kernel
    imported: Mapping[str, KernelSource] = field(default_factory=dict)
    hooks: bool = False  # the file mentions hooks that run around a launch
    hooked: bool = False  # it gives one to a kernel


@dataclass(frozen=True, eq=False, slots=True)
class KernelSource:
    """`around`: the calls of autotune and heuristics that the kernel is wrapped in, the outermost first."""

    function: ast.FunctionDef
    module: Module
    around: tuple[ast.Call, ...] = ()
    assumes: tuple[str, ...] = ()  # modules that are trusted to hand on Triton


def module_of(
    tree: ast.Module, source: bytes, names: Names, path: str, imported: Mapping[str, KernelSource] | None = None
) -> Module:
    """Read the top level of a file once."""
    functions: dict[str, ast.FunctionDef] = {}
    constants: dict[str, bool | int | float | str | None] = {}
    wrapped: dict[str, ast.Call] = {}
    times: Counter[str] = Counter()
    for node in scope_of(tree.body):
        match node:
            case ast.FunctionDef(name=name):
                functions[name] = node
                times[name] += 1
            case ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                times[name] += 1
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                times[name] += 1
                _constant(name, value, constants, wrapped)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                times[name] += 1
                _constant(name, value, constants, wrapped)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                times.update(alias.asname or alias.name.split(".")[0] for alias in aliases)
            case _:
                times.update(own_names(node))
    times.update(name for node in marks(tree, source) if isinstance(node, ast.Global) for name in node.names)
    times.update(_changed(marks(tree, source)))

    def once(found: Mapping[str, object]) -> dict:  # type: ignore[type-arg]
        return {name: value for name, value in found.items() if times[name] == 1}

    hooks = HOOKS.search(source) is not None
    hooked = HOOKED.search(source) is not None
    return Module(path, names, once(functions), once(constants), once(wrapped), imported or {}, hooks, hooked)


def _changed(told: Iterable[ast.AST]) -> Iterator[str]:
    """Names of what an attribute is set of: a kernel may run another function then."""
    for node in told:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                yield from (name, attr) if name not in ("self", "cls") else (name,)
            case ast.Call(args=args):
                yield from (part.id for part in args[:1] if isinstance(part, ast.Name))
                yield from (str(part.value) for part in args[1:2] if isinstance(part, ast.Constant))


def _constant(
    name: str, value: ast.expr, constants: dict[str, bool | int | float | str | None], wrapped: dict[str, ast.Call]
) -> None:
    match value:
        case ast.Call(func=ast.Attribute(attr="constexpr") | ast.Name(id="constexpr"), args=[inner]):
            _constant(name, inner, constants, wrapped)
        case ast.Call():
            wrapped[name] = value
        case ast.Constant(value=bool() | int() | float() | str() | None as plain):
            constants[name] = plain
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as plain)):
            constants[name] = -plain


def kernel(module: Module, name: str, depth: int = 0) -> KernelSource | None:
    """The kernel that a name of the module certainly stands for."""
    if (helper := module.imported.get(name)) is not None:
        return helper
    if name in module.functions:
        return jitted(module.functions[name], module)
    match module.wrapped.get(name):
        case ast.Call(func=ast.Name(id=wrapper), args=[ast.Name(id=inner)], keywords=[]) if depth < 3:
            inside, around = kernel(module, inner, depth + 1), module.wrapped.get(wrapper)
        case ast.Call(func=ast.Call() as around, args=[ast.Name(id=inner)], keywords=[]) if depth < 3:
            inside = kernel(module, inner, depth + 1)
        case _:
            return None
    if inside is None or around is None or resolve(around.func, module.names)[0] not in AROUND:
        return None
    return KernelSource(inside.function, module, (around, *inside.around), inside.assumes)


def jitted(function: ast.FunctionDef, module: Module) -> KernelSource | None:
    """A function that `triton.jit` makes a kernel of, and nothing else touches."""
    around: list[ast.Call] = []
    assumes = trusted_by(module.names, module.functions.values())  # it may call them
    for decorator in function.decorator_list:
        path, trusted = resolve(decorator.func if isinstance(decorator, ast.Call) else decorator, module.names)
        assumes |= {trusted} - {""}
        if path == JIT and decorator is function.decorator_list[-1]:
            return KernelSource(function, module, tuple(around), tuple(sorted(assumes)))
        if path not in AROUND or not isinstance(decorator, ast.Call):
            return None
        around.append(decorator)
    return None
