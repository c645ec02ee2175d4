"""Expressions -> instructions, in the order in which Python evaluates them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import cast

from codemods.core.syntax import children, walk
from codemods.read.graph import Block, Instr, arguments_of

EXTENTS = frozenset({"shape", "numel", "size", "dim", "ndim"})
Context = Callable[[ast.expr], bool]


class Expressions:
    """Emits instructions into the current block; control flow inside an expression opens new ones."""

    def __init__(self) -> None:
        self.blocks: list[Block] = [Block()]
        self.here: int | None = 0
        self.handler: int | None = None
        self.slots = 0
        self.renamed: list[dict[str, str]] = []  # comprehension variables, innermost last
        self.exhausted: dict[int, int] = {}
        self.indices: dict[int, str] = {}
        self.stored: set[str] = set()
        self.free: dict[ast.AST, tuple[str, ...]] = {}  # names that the callee of a call uses of those around it

    # blocks

    def block(self) -> int:
        self.blocks.append(Block(handler=self.handler))
        return len(self.blocks) - 1

    def go(self, target: int) -> None:
        """From here on to `target`."""
        if self.here is not None:
            self.blocks[self.here].next.append(target)
        self.here = None

    def also(self, target: int) -> None:
        """From here one may go to `target`, too."""
        if self.here is not None:
            self.blocks[self.here].next.append(target)

    def start(self, target: int) -> None:
        self.go(target)
        self.here = target

    def fork(self, slot: int, yes: int, no: int) -> None:
        if self.here is not None:
            self.blocks[self.here].test = slot
            self.blocks[self.here].next += [yes, no]
        self.here = None

    def slot(self) -> int:
        self.slots += 1
        return self.slots

    def emit(
        self, op: str, node: ast.AST, args: tuple[int, ...] = (), data: object = None, dest: int | None = None
    ) -> int:
        where = self.slot() if dest is None else dest
        if op in ("store", "delete"):
            self.stored.add(str(data))
        if self.here is not None:
            self.blocks[self.here].instrs.append(Instr(op, node, where, args, data))
        return where

    # values

    def value(self, node: ast.expr) -> int:
        method = getattr(self, "value_" + type(node).__name__, None)
        return cast("int", method(node)) if method else self.value_other(node)

    def values(self, nodes: list[ast.expr]) -> tuple[int, ...]:
        return tuple(self.value(node) for node in nodes)

    def value_other(self, node: ast.expr) -> int:
        return self.emit("unknown", node, self.parts(node))

    def parts(self, node: ast.expr) -> tuple[int, ...]:
        return self.values([child for child in children(node) if isinstance(child, ast.expr)])

    def value_Constant(self, node: ast.Constant) -> int:
        return self.emit("const", node, data=node.value)

    def value_Name(self, node: ast.Name) -> int:
        return self.emit("load", node, data=self.name(node.id))

    def name(self, name: str) -> str:
        for scope in reversed(self.renamed):
            if name in scope:
                return scope[name]
        return name

    def value_Attribute(self, node: ast.Attribute) -> int:
        return self.emit("attr", node, (self.value(node.value),), node.attr)

    def value_Subscript(self, node: ast.Subscript) -> int:
        holder = self.value(node.value)
        return self.emit("index", node, (holder, self.value(node.slice)))

    def value_Slice(self, node: ast.Slice) -> int:
        parts = (node.lower, node.upper, node.step)
        slots = tuple(self.value(part) if part else self.emit("const", node, data=None) for part in parts)
        return self.emit("slice", node, slots)

    def value_Tuple(self, node: ast.Tuple) -> int:
        return self.display(node, node.elts, "tuple")

    def value_List(self, node: ast.List) -> int:
        return self.display(node, node.elts, "list")

    def value_Set(self, node: ast.Set) -> int:
        return self.display(node, node.elts, "bag")

    def display(self, node: ast.AST, parts: list[ast.expr], op: str) -> int:
        starred = tuple(isinstance(part, ast.Starred) for part in parts)
        plain = [part.value if isinstance(part, ast.Starred) else part for part in parts]
        return self.emit(op, node, self.values(plain), starred)

    def value_Dict(self, node: ast.Dict) -> int:
        slots: list[int] = []
        for key, value in zip(node.keys, node.values, strict=True):
            slots += [self.value(key)] if key else []
            slots.append(self.value(value))
        return self.emit("dict", node, tuple(slots), (False,) * len(slots))

    def value_Starred(self, node: ast.Starred) -> int:
        return self.value(node.value)

    def value_BinOp(self, node: ast.BinOp) -> int:
        left = self.value(node.left)
        return self.emit("bin", node, (left, self.value(node.right)), type(node.op).__name__)

    def value_UnaryOp(self, node: ast.UnaryOp) -> int:
        return self.emit("unary", node, (self.value(node.operand),), type(node.op).__name__)

    def value_JoinedStr(self, node: ast.JoinedStr) -> int:
        return self.emit("format", node, self.values(node.values))

    def value_FormattedValue(self, node: ast.FormattedValue) -> int:
        told = [node.value] if node.format_spec is None else [node.value, node.format_spec]
        return self.emit("format", node, self.values(told))

    def value_TemplateStr(self, node: ast.expr) -> int:
        return self.emit("closure", node, data=names_in(node))

    def value_NamedExpr(self, node: ast.NamedExpr) -> int:
        slot = self.value(node.value)
        # a walrus inside a comprehension binds in the function around it
        self.emit("store", node, (slot,), node.target.id)
        return slot

    def value_Call(self, node: ast.Call) -> int:
        if isinstance(node.func, ast.Attribute):
            callee = self.value(node.func.value)
        else:
            callee = self.value(node.func)
        args = [arg.value if isinstance(arg, ast.Starred) else arg for arg in node.args]
        given = self.values(args)
        named = self.values([keyword.value for keyword in node.keywords])
        names = self.free.get(node, ())
        free = tuple(self.emit("load", node, data=name) for name in names)
        return self.emit("call", node, (callee, *given, *named, *free), names)

    def value_Await(self, node: ast.Await) -> int:
        return self.emit("await", node, (self.value(node.value),))

    def value_Yield(self, node: ast.Yield) -> int:
        return self.emit("yield", node, (self.value(node.value),) if node.value else ())

    def value_YieldFrom(self, node: ast.YieldFrom) -> int:
        return self.emit("yield", node, (self.value(node.value),))

    def value_Lambda(self, node: ast.Lambda) -> int:
        self.signature(node)
        return self.emit("closure", node, data=self.captured(node) - shaped_only(node))

    def signature(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """What is evaluated when a function is defined."""
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.emit("keep", default, (self.value(default),), "kept as a default argument")
        for note in (*(argument.annotation for argument in arguments_of(node.args)), getattr(node, "returns", None)):
            if note is not None:
                self.emit("keep", note, (self.value(note),), "kept as an annotation")

    def captured(self, *nodes: ast.AST) -> frozenset[str]:
        return frozenset(self.name(name) for node in nodes for name in free_names(node))

    # choices

    def value_IfExp(self, node: ast.IfExp) -> int:
        dest, yes, no, after = self.slot(), self.block(), self.block(), self.block()
        self.condition(node.test, yes, no)
        for target, part in ((yes, node.body), (no, node.orelse)):
            self.here = target
            self.emit("move", part, (self.value(part),), dest=dest)
            self.go(after)
        self.here = after
        return dest

    def value_BoolOp(self, node: ast.BoolOp) -> int:
        dest, after = self.slot(), self.block()
        for part in node.values[:-1]:
            slot = self.emit("truth", part, (self.value(part),))
            self.emit("move", part, (slot,), dest=dest)
            more = self.block()
            self.fork(slot, *((more, after) if isinstance(node.op, ast.And) else (after, more)))
            self.here = more
        self.emit("move", node.values[-1], (self.value(node.values[-1]),), dest=dest)
        self.start(after)
        return dest

    def value_Compare(self, node: ast.Compare) -> int:
        left = self.value(node.left)
        if len(node.ops) == 1:
            return self.compare(node, left, node.ops[0], node.comparators[0])[0]
        dest, after = self.slot(), self.block()
        for place, (op, part) in enumerate(zip(node.ops, node.comparators, strict=True)):
            result, left = self.compare(node, left, op, part)
            self.emit("move", node, (result,), dest=dest)
            if place < len(node.ops) - 1:
                more = self.block()
                self.fork(result, more, after)
                self.here = more
        self.start(after)
        return dest

    def compare(self, node: ast.Compare, left: int, op: ast.cmpop, part: ast.expr) -> tuple[int, int]:
        right = self.value(part)
        return self.emit("compare", node, (left, right), type(op).__name__), right

    def condition(self, node: ast.expr, yes: int, no: int) -> None:
        """Go to `yes` where the expression is true and to `no` where it is false."""
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                self.condition(inner, no, yes)
            case ast.BoolOp(op=op, values=parts):
                for part in parts[:-1]:
                    more = self.block()
                    self.condition(part, *((more, no) if isinstance(op, ast.And) else (yes, more)))
                    self.here = more
                self.condition(parts[-1], yes, no)
            case ast.Constant(value=value):
                self.go(yes if value else no)
            case _:
                slot = self.emit("truth", node, (self.value(node),))
                self.fork(slot, yes, no)

    # comprehensions

    def value_ListComp(self, node: ast.ListComp) -> int:
        return self.comprehension(node, node.generators, [node.elt])

    value_SetComp = value_ListComp

    def value_DictComp(self, node: ast.DictComp) -> int:
        return self.comprehension(node, node.generators, [node.key, node.value])

    def value_GeneratorExp(self, node: ast.GeneratorExp) -> int:
        """Runs later, if at all: what it names is captured, what it makes is handed out."""
        self.emit("closure", node, data=self.captured(node))
        return self.emit("later", node, (self.comprehension(node, node.generators, [node.elt], lazy=True),))

    def comprehension(
        self, node: ast.expr, generators: list[ast.comprehension], parts: list[ast.expr], lazy: bool = False
    ) -> int:
        held = f"%{self.slot()}"
        self.emit("store", node, (self.emit("bag", node, data=()),), held)
        depth = len(self.renamed)
        heads: list[tuple[int, int]] = []
        for generator in generators:
            source = self.value(generator.iter)
            heads.append(self.loop_head(generator.iter, source, bool(generator.is_async)))
            self.renamed.append({name: f"{name}%{self.slots}" for name in bound_in(generator.target)})
            self.indices[heads[-1][0]] = bound_in(generator.target)[0] if bound_in(generator.target) else "index"
            self.assign(generator.target, self.emit("next", generator.iter, data=heads[-1][0]))
            for test in generator.ifs:
                more = self.block()
                self.condition(test, more, heads[-1][0])
                self.here = more
        slots = self.values(parts)
        self.emit("yield" if lazy else "collect", node, slots, held)
        del self.renamed[depth:]
        for head, done in reversed(heads):
            self.go(head)
            self.here = done
        return self.emit("load", node, data=held)

    def loop_head(self, node: ast.AST, source: int, waits: bool, statement: bool = False) -> tuple[int, int]:
        """Opens a `for` loop; returns its head and the block where it has run out. We stand in its body."""
        head, body, done = self.block(), self.block(), self.block()
        self.emit("store", node, (self.emit("iterate", node, (source,), waits),), f"%it{head}")
        if statement:
            self.emit("clear", node)
        self.start(head)
        self.emit("turn", node, data=head)
        self.blocks[head].next += [body, done]
        self.here = body
        self.exhausted[head] = done
        return head, done

    # targets

    def assign(self, target: ast.expr, slot: int) -> None:
        match target:
            case ast.Name(id=name):
                self.emit("store", target, (slot,), self.name(name))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                places = [index for index, part in enumerate(parts) if isinstance(part, ast.Starred)]
                star = places[0] if places else None
                for index, part in enumerate(parts):
                    inner = part.value if isinstance(part, ast.Starred) else part
                    self.assign(inner, self.emit("unpack", target, (slot,), (index, len(parts), star)))
            case ast.Attribute(value=holder, attr=attr):
                self.emit("setattr", target, (self.value(holder), slot), attr)
            case ast.Subscript(value=holder, slice=index):
                self.emit("setindex", target, (self.value(holder), self.value(index), slot))
            case ast.Starred(value=inner):
                self.assign(inner, slot)


def names_in(node: ast.AST) -> frozenset[str]:
    """Every name that a piece of code mentions."""
    return frozenset(inner.id for inner in walk(node) if isinstance(inner, ast.Name))


def free_names(node: ast.AST) -> frozenset[str]:
    """The names of the scopes around it that a nested scope may use; a class body has no names of its own here."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return names_in(node)
    own = {argument.arg for argument in arguments_of(node.args)}
    outer: set[str] = set()
    used: set[str] = set()
    todo: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    while todo:
        inner = todo.pop()
        match inner:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() | ast.ClassDef():
                used |= free_names(inner)
                if not isinstance(inner, ast.ClassDef):
                    todo.append(inner.args)
                if not isinstance(inner, ast.Lambda):
                    own.add(inner.name)
                    todo += inner.decorator_list
                continue
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                outer |= set(names)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                used |= names_in(inner)
                continue
            case ast.arg(annotation=note):
                todo += [note] if note else []
                continue
            case ast.Name(id=name, ctx=ctx):
                (used if isinstance(ctx, ast.Load) else own).add(name)
        todo += children(inner)
    return frozenset((used - own) | outer)


def shaped_only(node: ast.Lambda) -> frozenset[str]:
    """Names of which a lambda asks nothing but the extents, as the grid of a kernel does: no element can be seen."""
    asked = [
        inner.value.id
        for inner in walk(node.body)
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.attr in EXTENTS
    ]
    names = [inner.id for inner in walk(node.body) if isinstance(inner, ast.Name)]
    return frozenset(name for name in asked if asked.count(name) == names.count(name))


def bound_in(target: ast.AST) -> list[str]:
    return [inner.id for inner in walk(target) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)]
