"""The arguments of an allocation in a loop: are they the same in front of the loop, and may evaluating them raise?"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from codemods.core.size import Atom, Size, as_size, variable
from codemods.core.syntax import walk
from codemods.core.traffic import BYTES
from codemods.read.graph import arguments_of
from codemods.read.inside import nullable
from codemods.read.names import dotted
from codemods.read.values import Moment, Value

if TYPE_CHECKING:
    from codemods.read.lower import Lowering

DTYPES = frozenset(f"torch.{name}" for name in BYTES if not name.startswith("float8"))
Kind = Literal["int", "sizes", "dtype", "device", "format", "tensor", "constant", "object"]
FORMATS = frozenset({"torch.contiguous_format", "torch.preserve_format", "torch.strided"})
SIZED = ("int", "sizes")
TENSOR_CALLS = ("size", "numel", "dim")


@dataclass(frozen=True, slots=True)
class Seen:
    """What an expression gives. `sizes` are of an int or of a tuple of them; `safe`: evaluating it raises nothing."""

    kind: Kind
    sizes: tuple[Size, ...] = ()
    safe: bool = True


class Looks:
    """Looks at the arguments of one allocation as they are in the loop (`now`) and in front of it (`then`)."""

    def __init__(
        self, lowering: Lowering, loop: ast.stmt, now: Moment, then: Moment, bound: frozenset[str], quiet: bool
    ) -> None:
        self.lowering = lowering
        self.names = lowering.names
        self.now, self.then = now, then
        self.bound = bound  # names that are certainly bound in front of the loop
        self.inside = binds(loop, lowering.kept_names)
        self.quiet = quiet and not any(node in lowering.ran for node in walk(loop))
        self.optional = nullable(lowering.graph.arguments)
        every = arguments_of(lowering.graph.arguments) if lowering.graph.arguments else []
        notes = {argument.arg: ast.unparse(argument.annotation) for argument in every if argument.annotation}
        self.annotated: dict[Hashable, str] = {
            ("parameter", name): note for name, note in notes.items() if note in ("torch.dtype", "torch.device")
        }
        self.unsteady = ""
        self.raises = ""

    def differs(self, why: str) -> Seen:
        self.unsteady = self.unsteady or why
        return Seen("object", safe=False)

    def allocation(self, call: ast.Call, api: str) -> None:
        """Fills in `unsteady` and `raises`."""
        like, filled = api.endswith("_like"), "full" in api
        if api.startswith("Tensor.") and isinstance(call.func, ast.Attribute):
            self.expect(call.func.value, "tensor")
        else:
            root = _root(call.func)
            if root is None or (root.id in self.lowering.graph.locals and not self.name(root).safe):
                self.differs(f"{ast.unparse(call.func)} may stand for something else in front of the loop")
        for place, argument in enumerate(call.args):
            if filled and place == 1:
                continue  # the fill stays in the loop
            self.expect(argument, "tensor" if like and place == 0 else "size")
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        for name, argument in given.items():
            if name is None:
                self.differs(f"the arguments behind ** in {ast.unparse(call)} are not known")
            elif name != "fill_value":
                self.expect(argument, "tensor" if name == "input" else name)
        if api.startswith("torch.") and not like:
            self.ambient(given)

    def ambient(self, given: dict[str | None, ast.expr]) -> None:
        """What the call does not say, or says only in part, is looked up where it runs."""
        for name in ("dtype", "device"):
            argument = given.get(name)
            if (argument is None or _is_none(argument)) and not self.quiet:
                self.differs(f"no {name} is given, and code that cannot be seen may set the default in the loop")

    def expect(self, argument: ast.expr, what: str) -> None:
        """Look at an argument, and say what it may raise when it is evaluated or given to the call."""
        seen = self.look(argument)
        match what:
            case "tensor" | "dtype":
                fits = seen.kind == what
            case "size":
                fits = seen.kind in SIZED and all(size.natural for size in seen.sizes)
            case "device":
                fits = seen.kind == "device" or _is(argument, "cpu")
                fixed = fits and seen.safe or isinstance(argument, ast.Constant) and ":" in str(argument.value)
                if not self.quiet and not fixed and not _is_none(argument):
                    text = ast.unparse(argument)
                    self.differs(f"code that cannot be seen may set the device that {text} stands for")
            case "layout" | "memory_format":
                fits = seen.kind == "format"
            case _:
                fits = _is(argument, False)
        if not self.raises and not (_is_none(argument) and what in ("dtype", "device")):
            if what == "size" and not fits and seen.kind in SIZED and seen.safe:
                self.raises = f"{ast.unparse(argument)} may be negative"
            elif not fits or not seen.safe:
                self.raises = f"evaluating {ast.unparse(argument)}, or giving it to the call, may raise"

    # expressions

    def look(self, node: ast.expr) -> Seen:
        match node:
            case ast.Constant(value=bool() | None | str() | float()):
                return Seen("constant")
            case ast.Constant(value=int() as value):
                return Seen("int", (as_size(value),))
            case ast.Name():
                return self.name(node)
            case ast.Starred(value=inner):
                seen = self.look(inner)
                return seen if seen.kind == "sizes" else self.differs(f"{ast.unparse(node)} is not understood")
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return self.display(node, [self.look(part) for part in parts])
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript(value=ast.Attribute(attr="shape", value=inner), slice=index) if _is_place(index):
                return self.extent(node, inner)
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(node, self.look(left), op, self.look(right))
            case ast.Call(func=ast.Attribute(value=inner, attr=attr), args=args, keywords=[]) if attr in TENSOR_CALLS:
                return self.asked(node, inner, attr, args)
        return self.differs(f"{ast.unparse(node)} is not understood")

    def name(self, node: ast.Name) -> Seen:
        name = node.id
        if name in self.inside:
            return self.differs(f"{name} is bound in the loop")
        if name in self.lowering.graph.shared:
            return self.differs(f"others may bind {name} anew")
        if name not in self.lowering.graph.locals:
            api = self.names.api(name)
            return self.of_torch(api) if api else self.object(name)
        value, before = self.now.names.get(name), self.then.names.get(name)
        if value is None or before is None or value.ident != before.ident:
            return self.differs(f"{name} may be another value in front of the loop")
        seen = self.value(value, name)
        return seen if name in self.bound else Seen(seen.kind, seen.sizes, safe=False)

    def value(self, value: Value, name: str) -> Seen:
        if value.size is not None:
            return Seen("int", (value.size,))
        if value.ident in self.annotated:
            kind: Kind = "dtype" if self.annotated[value.ident] == "torch.dtype" else "device"
            return Seen(kind, safe=kind == "dtype")
        if value.api is not None:
            return self.of_torch(value.api)
        if value.tensor:
            return self.laid_out(name)
        if isinstance(value.ident, tuple) and value.ident[:1] == ("meta",) and value.ident[-1] == "dtype!":
            return Seen("dtype")
        if value.name == "tuple" and value.items is not None:
            sizes = tuple(item.size for item in value.items if item.size is not None)
            if len(sizes) == len(value.items):
                return Seen("sizes", sizes)
        return Seen("sizes") if value.shape_of is not None and value.shape_of.tensor.tensor else self.object(name)

    def laid_out(self, name: str) -> Seen:
        if self.now.layout != self.then.layout:
            return self.differs(f"a tensor is laid out anew in the loop: it may be {name}")
        return Seen("tensor", safe=name not in self.optional)

    def object(self, text: str) -> Seen:
        """Something that code which cannot be seen may change."""
        if self.now.epoch != self.then.epoch:
            return self.differs(f"{text} may be another value in the loop: other code runs, or memory is written")
        return Seen("object", safe=False)

    def of_torch(self, api: str) -> Seen:
        if not api.startswith("torch."):
            return self.object(api)
        kind: Kind = "dtype" if api in DTYPES else "format" if api in FORMATS else "constant"
        return Seen(kind, safe=kind != "constant")

    def attribute(self, node: ast.Attribute) -> Seen:
        root = _root(node)
        path = dotted(node, self.names.apis)
        if path and root is not None and root.id not in self.lowering.graph.locals:
            return self.of_torch(path)
        seen, text = self.look(node.value), ast.unparse(node)
        if seen.kind == "tensor":
            match node.attr:
                case "shape":
                    return Seen("sizes", safe=seen.safe)
                case "dtype" | "device" as kind:
                    return Seen("dtype" if kind == "dtype" else "device", safe=seen.safe)
            return self.differs(f"{text} is not understood")
        if node.attr in self.names.changing or self.names.dynamic:
            return self.differs(f"{text} is computed each time it is read")
        return self.object(text)

    def display(self, node: ast.expr, parts: list[Seen]) -> Seen:
        if all(part.kind in SIZED for part in parts):
            return Seen("sizes", tuple(size for part in parts for size in part.sizes), all(part.safe for part in parts))
        return Seen("object", safe=False)

    def extent(self, node: ast.expr, tensor: ast.expr) -> Seen:
        """One extent of a tensor whose rank is not known: taking it may raise."""
        if self.look(tensor).kind != "tensor":
            return self.differs(f"{ast.unparse(node)} is not understood")
        return Seen("int", (_some(node),), safe=False)

    def asked(self, node: ast.Call, tensor: ast.expr, attr: str, args: list[ast.expr]) -> Seen:
        if attr in self.names.methods or self.look(tensor).kind != "tensor" or not all(map(_is_place, args)):
            return self.differs(f"{ast.unparse(node)} is not understood")
        if attr == "size" and not args:
            return Seen("sizes")
        return Seen("int", (_some(node),), safe=not args)

    def arithmetic(self, node: ast.expr, left: Seen, op: ast.operator, right: Seen) -> Seen:
        if left.kind != "int" or right.kind != "int":
            return self.differs(f"{ast.unparse(node)} is not understood")
        (one,), (other,), safe = left.sizes, right.sizes, left.safe and right.safe
        match op:
            case ast.Add():
                return Seen("int", (one + other,), safe)
            case ast.Sub():
                return Seen("int", (one - other,), safe)
            case ast.Mult():
                return Seen("int", (one * other,), safe)
            case ast.FloorDiv() | ast.Mod():
                by = other.constant
                size = variable(Atom(ast.unparse(node), ("of", ast.unparse(node)), one.natural and other.natural))
                return Seen("int", (size,), safe and by is not None and by > 0)
        return self.differs(f"{ast.unparse(node)} is not understood")


def binds(node: ast.AST, updates: Set[ast.AST]) -> frozenset[str]:
    """Every name that a piece of code binds or deletes, in scopes inside it too; `updates` do not bind it anew."""
    found: set[str] = set()
    for inner in walk(node):
        if inner in updates:
            continue
        match inner:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.alias(name=name, asname=alias):
                found.add(alias or name.split(".")[0])
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found |= set(names)
            case ast.arg(arg=name):
                found.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.add(name)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                found.add(name)
    return frozenset(found)


def _some(node: ast.expr) -> Size:
    return variable(Atom(ast.unparse(node), ("of", ast.unparse(node)), natural=True))


def _root(node: ast.expr) -> ast.Name | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_place(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=int()) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
            return True
    return False
