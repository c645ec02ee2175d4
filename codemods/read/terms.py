"""Expressions of a kernel -> value numbers, with what they load and call on the way."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from codemods.core.kernel import Load, Node, Numbering, Store, Unseen
from codemods.read.names import Names
from codemods.read.triton import LANGUAGE, METHODS, SYNC, pure, resolve

LOOKS = frozenset("pointer mask other cache_modifier eviction_policy boundary_check padding_option volatile".split())
STORES = ("pointer", "value", "mask", "boundary_check", "cache_modifier", "eviction_policy")
SIGNS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
OPERATORS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple, ast.List, ast.Subscript, ast.Slice)


@dataclass(slots=True)
class Reader:
    """The state while a kernel is read: `env` is what each local name stands for now."""

    names: Names
    local: frozenset[str]
    env: dict[str, int]
    numbering: Numbering = field(default_factory=Numbering)
    block: list[Node] = field(default_factory=list)  # where what is read goes
    reads: list[tuple[ast.Name, int]] = field(default_factory=list)
    trusted: set[str] = field(default_factory=set)
    count: int = 0

    def fresh(self, op: str = "opaque") -> int:
        """A value of which nothing is known."""
        self.count += 1
        return self.numbering.number(op, data=self.count)

    def resolve(self, node: ast.expr) -> str:
        path, trusted = resolve(node, self.names, self.local)
        if trusted:
            self.trusted.add(trusted)
        return path

    def term(self, node: ast.expr) -> int:
        """The number of an expression's value. What it loads or calls is added to the block."""
        match node:
            case ast.Constant(value=value):
                return self.numbering.number("const", data=(type(value).__name__, repr(value)))
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.Call():
                return self.call(node)
            case ast.Attribute(value=value, attr=attr):
                if path := self.resolve(node):
                    return self.numbering.number("global", data=path)
                return self.numbering.number("attribute", (self.term(value),), attr)
        if isinstance(node, OPERATORS):
            return self.operator(node)
        return self.unseen(node, "syntax")

    def name(self, node: ast.Name, name: str) -> int:
        if name not in self.local:
            return self.numbering.number("global", data=self.resolve(node) or name)
        value = self.env.get(name)
        if value is None:
            value = self.numbering.number("undefined", data=name)
        self.reads.append((node, value))
        return value

    def operator(self, node: ast.expr) -> int:
        parts = tuple(self.term(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
        signs = tuple(type(part).__name__ for part in ast.iter_child_nodes(node) if isinstance(part, SIGNS))
        shape = tuple(bool(part) for part in (node.lower, node.upper, node.step)) if isinstance(node, ast.Slice) else ()
        return self.numbering.number("op", parts, (type(node).__name__, signs, shape))

    def call(self, node: ast.Call) -> int:
        path = self.resolve(node.func)
        keywords = tuple(keyword.arg for keyword in node.keywords)
        if None in keywords or any(isinstance(part, ast.Starred) for part in node.args):
            return self.unseen(node, "call")
        parts = [self.term(part) for part in node.args]
        parts += [self.term(keyword.value) for keyword in node.keywords]
        if path == f"{LANGUAGE}load":
            return self.load(node, keywords)
        if pure(path):
            return self.numbering.number("call", tuple(parts), (path, keywords))
        if not path and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            root = _root(node.func.value)
            if not isinstance(root, ast.Name) or root.id in self.local:
                receiver = self.term(node.func.value)
                return self.numbering.number("method", (receiver, *parts), (node.func.attr, keywords))
        action = path.removeprefix(LANGUAGE)
        sync = path.startswith(LANGUAGE) and (action in SYNC or action.startswith("atomic_"))
        return self.unseen(node, "sync" if sync else "call", read=True)

    def load(self, node: ast.Call, keywords: tuple[str | None, ...]) -> int:
        volatile = next((item.value for item in node.keywords if item.arg == "volatile"), None)
        if len(node.args) > 3 or not set(keywords) <= LOOKS:
            return self.unseen(node, "sync", read=True)  # `volatile` may be one of them
        if volatile is not None and not (isinstance(volatile, ast.Constant) and volatile.value is False):
            return self.unseen(node, "sync", read=True)
        self.block.append(Load(node))
        return self.fresh("load")

    def unseen(self, node: ast.expr, why: str, read: bool = False) -> int:
        """`read`: its arguments were looked at already."""
        for inner in ast.walk(node) if not read else ():
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and inner.id in self.local:
                self.name(inner, inner.id)
            elif isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
                self.env[inner.id] = self.fresh()
        called = node.func if isinstance(node, ast.Call) else node
        if read and isinstance(called, ast.Attribute) and not self.resolve(called):
            self.term(called.value)
        elif read and isinstance(called, ast.Name) and called.id in self.local:
            self.term(called)
        text = " ".join(ast.unparse(called).split())
        self.block.append(Unseen(node, why, text if len(text) <= 40 else text[:37] + "..."))  # type: ignore[arg-type]
        return self.fresh()

    def store(self, statement: ast.Expr, call: ast.Call) -> bool:
        """Add a store that is a statement of its own; False when its arguments cannot be told apart."""
        given: dict[str, ast.expr] = dict(zip(STORES, call.args, strict=False))
        given |= {keyword.arg or "": keyword.value for keyword in call.keywords}
        doubled = len(given) != len(call.args) + len(call.keywords)
        starred = any(isinstance(part, ast.Starred) for part in call.args)
        if doubled or starred or not {"pointer", "value"} <= set(given) <= set(STORES):
            return False
        numbers = {key: self.term(value) for key, value in given.items()}
        none = self.numbering.number("const", data=("NoneType", "None"))
        mask = tuple(
            self.numbering.number("mask", (numbers[key],), key)
            for key in ("mask", "boundary_check")
            if numbers.get(key, none) != none
        )
        target = ast.unparse(given["pointer"])
        self.block.append(Store(statement, numbers["pointer"], numbers["value"], mask, target))
        return True


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node
