"""Modules of the checkout that hand on Triton: `from project.compat import tl, triton`.

Such a module often binds the names to a placeholder where Triton is missing. With a placeholder that gives the
function itself for a kernel, or raises, no kernel can be launched: `kernel[grid]` raises.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from codemods.core.syntax import walk
from codemods.read.marks import marks
from codemods.read.names import Names, bound_within, dotted, own_names, scope_of
from codemods.read.patches import TRITON, patched

if TYPE_CHECKING:
    from codemods.read.checkout import Checkout, Module

HOST = frozenset({"cdiv", "next_power_of_2"})  # what host code asks Triton for, too
ASKED = frozenset({"callable", "isinstance", "len"})
SETTING = re.compile(rb"setattr|__dict__")
MOST_HOPS = 4
Function = ast.FunctionDef | ast.Lambda


def settled(names: Names, module: Module, checkout: Checkout) -> dict[str, str]:
    """Names that the module imports from a module of the checkout, and that certainly are Triton's there."""
    found: dict[str, str] = _relative(names, module)
    for name, path in (names.apis | found).items():
        origin, _, other = path.rpartition(".")
        outside = other in TRITON and origin and origin.split(".")[0] not in ("triton", "torch")
        same = outside and patched(module.tree, module.source, origin) is None
        if same and hands_on(checkout, origin, other, MOST_HOPS):
            found[name] = TRITON[other]
    return found


def _relative(names: Names, module: Module) -> dict[str, str]:
    """`from ..compat import tl`, as the full path would say it."""
    if b"from ." not in module.source or b"triton" not in module.source or not module.dotted:
        return {}
    found: dict[str, str] = {}
    for name, binding in module.bindings.items():
        origin, other = getattr(binding, "module", None), getattr(binding, "name", None)
        if name not in names.apis and origin and other in TRITON:
            found[name] = f"{origin}.{other}"
    return found


def hands_on(checkout: Checkout, origin: str, name: str, hops: int) -> bool:
    """Whatever binds the name in the module is an import of Triton, or a placeholder; one import there is."""
    module = checkout.plain_module(origin) if hops else None
    if module is None or module.exchanged or {name, "*"} & module.set_attributes:
        return False
    if module.package == module.dotted and checkout.module(f"{origin}.{name}") is not None:
        return False
    if any(isinstance(node, ast.Global) and name in node.names for node in marks(module.tree, module.source)):
        return False
    told = {_told(node, name, module, checkout, hops) for node in scope_of(module.tree.body)}
    return "triton" in told and "other" not in told


def _told(node: ast.stmt, name: str, module: Module, checkout: Checkout, hops: int) -> str:
    """What a statement makes of the name: nothing, "triton", "placeholder" or "other"."""
    match node:
        case ast.Import(names=aliases):
            paths = [a.name if a.asname else a.name.split(".")[0] for a in aliases if _bound(a) == name]
        case ast.ImportFrom(names=aliases):
            if any(alias.name == "*" for alias in aliases):
                return "other"
            origin = module.absolute(node.module, node.level) or ""
            if any(_bound(a) == a.name == name for a in aliases) and origin != "triton":
                return "triton" if hands_on(checkout, origin, name, hops - 1) else "other"
            paths = [f"{origin}.{alias.name}" for alias in aliases if _bound(alias) == name]
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call(func=ast.Name(id=made), args=[], keywords=[])):
            if target == name:
                return "placeholder" if placeholder(checkout, module, made, name == "triton") else "other"
            return ""
        case _:
            own = getattr(node, "name", None) == name
            return "other" if own or name in own_names(node) | bound_within(node) else ""
    return "" if not paths else "triton" if set(paths) == {TRITON[name]} else "other"


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def placeholder(checkout: Checkout, module: Module, name: str, host: bool, depth: int = 0) -> bool:
    """The name is a class of the checkout of which an object has no other attributes than constants and functions that
    give back what they are given, or one that does. `host`: it has none that host code would ask for a number."""
    found = checkout.function(module, name)
    if found is None or not isinstance(found.node, ast.ClassDef) or depth > 2:
        return False
    node, names = found.node, found.module.names
    if node.decorator_list or node.keywords or SETTING.search(found.module.source):
        return False
    if any(dotted(base, names.apis) != "types.ModuleType" and not _is_object(base, names) for base in node.bases):
        return False
    if any(isinstance(part, ast.Attribute) and _root(part) == node.name for part in walk(found.module.tree)):
        return False  # an attribute of the class itself may be set
    methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    attributes = {part.attr for part in walk(node) if isinstance(part, ast.Attribute)}
    if host and HOST & (methods | attributes):
        return False
    reader = _Reader(checkout, found.module, methods, depth)
    return all(reader.member(item) for item in node.body)


def _is_object(base: ast.expr, names: Names) -> bool:
    return isinstance(base, ast.Name) and base.id == "object" and "object" not in names.bound


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


class _Reader:
    """The body of one class."""

    def __init__(self, checkout: Checkout, module: Module, methods: set[str], depth: int) -> None:
        self.checkout, self.module, self.methods, self.depth = checkout, module, methods, depth

    def member(self, item: ast.stmt) -> bool:
        match item:
            case ast.FunctionDef(name=name):
                plain = name == "__init__" or not name.startswith("__")
                return plain and self.function(item, item.args.args[0].arg if item.args.args else "")
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()):
                return not name.startswith("__")
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                return True
        return False

    def function(self, node: ast.FunctionDef, own: str) -> bool:
        """`own`: the name of the object in it."""
        return not node.decorator_list and _plain(node.args) and all(self.does(s, node, own) for s in node.body)

    def does(self, node: ast.stmt, around: ast.FunctionDef, own: str) -> bool:
        match node:
            case ast.FunctionDef():
                return own not in _parameters(node) and self.function(node, own)
            case ast.Return(value=None) | ast.Pass() | ast.Raise() | ast.Expr(value=ast.Constant()):
                return True
            case ast.Return(value=ast.expr() as value):
                return self.harmless(value, around, own)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr=attr)], value=value):
                return name == own and (attr == "__version__" or attr[:2] != "__") and self.made(value, around, own)
            case ast.If(test=test, body=body, orelse=orelse):
                return _quiet(test) and all(self.does(inner, around, own) for inner in (*body, *orelse))
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="__init__") as above, args=args, keywords=[])):
                return ast.unparse(above.value) == "super()" and all(isinstance(arg, ast.Constant) for arg in args)
        return False

    def made(self, value: ast.expr, around: ast.FunctionDef, own: str) -> bool:
        """What an attribute is set to: also what a method of the object gives, or another placeholder."""
        match value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=args, keywords=[]):
                return name == own and attr in self.methods and all(isinstance(arg, ast.Constant) for arg in args)
            case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
                return placeholder(self.checkout, self.module, name, False, self.depth + 1)
            case ast.Constant():
                return True
            case ast.Lambda():
                return self.harmless(value, around, own)
        return False

    def harmless(self, value: ast.expr, around: Function, own: str) -> bool:
        """A constant, what the function was given, or a function inside it."""
        match value:
            case ast.Constant():
                return True
            case ast.Lambda(body=body):
                return _plain(value.args) and own not in _parameters(value) and self.harmless(body, value, own)
            case ast.Name(id=name):
                nested = around.body if isinstance(around, ast.FunctionDef) else []
                inner = {statement.name for statement in nested if isinstance(statement, ast.FunctionDef)}
                return name in inner or name in {argument.arg for argument in around.args.args}
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=0)):
                return around.args.vararg is not None and around.args.vararg.arg == name
        return False


def _parameters(node: Function) -> set[str]:
    return {part.arg for part in walk(node.args) if isinstance(part, ast.arg)}


def _plain(listed: ast.arguments) -> bool:
    return all(isinstance(default, ast.Constant) for default in (*listed.defaults, *filter(None, listed.kw_defaults)))


def _quiet(test: ast.expr) -> bool:
    return all(
        isinstance(node.func, ast.Name) and node.func.id in ASKED for node in walk(test) if isinstance(node, ast.Call)
    ) and not any(isinstance(node, ast.NamedExpr | ast.Await) for node in walk(test))
