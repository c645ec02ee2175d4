"""`@triton.jit` functions -> flows that carry a kernel instead of events.

A program of a kernel has no exceptions and no objects that change: what a name stands for follows from the
statements alone. Whatever is not read here is `Unseen`: it may do anything.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.core.event import Flow
from codemods.core.kernel import Assign, Branch, Kernel, Loop, Return, Unseen
from codemods.core.syntax import walk
from codemods.read.names import Names
from codemods.read.terms import Reader
from codemods.read.triton import LANGUAGE, RANGES, kernel


def flows(tree: ast.Module, names: Names, source: bytes, path: str) -> Iterator[Flow]:
    """One flow for each kernel that stores more than once."""
    for function, trusted in kernels(tree, names):
        if len(list(_stores(function))) > 1:
            told = read(function, names, trusted)
            yield Flow(function.name, path, "call", (None,), ((),), source=source, kernel=told)


def kernels(tree: ast.Module, names: Names) -> Iterator[tuple[ast.FunctionDef, str]]:
    """The functions at the top level of the file that certainly are kernels, and what this rests on."""
    for statement in _top(tree.body):
        if isinstance(statement, ast.FunctionDef) and statement.decorator_list:
            certain, trusted = kernel(statement, names)
            if certain:
                yield statement, trusted


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With):
            handlers = [inner for handler in getattr(statement, "handlers", []) for inner in handler.body]
            rest = (getattr(statement, part, []) for part in ("body", "orelse", "finalbody"))
            yield from _top([*(inner for part in rest for inner in part), *handlers])


def _stores(function: ast.FunctionDef) -> Iterator[ast.Call]:
    for node in walk(function):
        match node:
            case ast.Call(func=ast.Name(id="store") | ast.Attribute(attr="store")):
                yield node


def read(function: ast.FunctionDef, names: Names, trusted: str = "") -> Kernel:
    """What a kernel does, in order."""
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    listed += filter(None, (arguments.vararg, arguments.kwarg))
    parameters = [argument.arg for argument in listed]
    local = frozenset(parameters) | _bound(function.body)
    reader = Reader(names, local, {})
    reader.env = {name: reader.numbering.number("param", data=name) for name in parameters}
    reader.trusted |= {trusted} - {""}
    for statement in function.body:
        _statement(reader, statement)
    assumes = tuple(sorted(reader.trusted))
    return Kernel(tuple(reader.block), tuple(reader.numbering.terms), tuple(reader.reads), assumes)


def _bound(body: Iterable[ast.stmt]) -> frozenset[str]:
    """The names that the statements bind, however they do it."""
    found: set[str] = set()
    for node in (inner for statement in body for inner in walk(statement)):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add((other or name).split(".")[0])
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                found.add(name)
    return frozenset(found)


def _statement(reader: Reader, statement: ast.stmt) -> None:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            pass
        case ast.Expr(value=ast.Call() as call) if reader.resolve(call.func) == f"{LANGUAGE}store":
            if not reader.store(statement, call):
                reader.unseen(call, "call")
        case ast.Expr(value=value):
            reader.term(value)
        case ast.Assign(targets=targets, value=value):
            _assign(reader, statement, targets, value)
        case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
            _assign(reader, statement, [target], value, alone=False)
        case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
            parts = reader.name(target, name), reader.term(value)
            _give(reader, statement, name, reader.numbering.number("op", parts, ("BinOp", (type(op).__name__,), ())))
        case ast.If():
            _branch(reader, statement)
        case ast.For() | ast.While():
            _loop(reader, statement)
        case ast.Return(value=value):
            if value is not None:
                reader.term(value)
            reader.block.append(Return(statement))
        case _:
            _unknown(reader, statement)


def _assign(reader: Reader, statement: ast.stmt, targets: list[ast.expr], value: ast.expr, alone: bool = True) -> None:
    number = reader.term(value)
    for target in targets:
        match target, value:
            case ast.Name(id=name), _:
                _give(reader, statement, name, number, alone and len(targets) == 1)
            case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
                parts = reader.numbering.terms[number].parts
                for one, part in zip(names, parts, strict=True):
                    _take(reader, statement, one, part)
            case ast.Tuple(elts=names), _:
                for index, one in enumerate(names):
                    _take(reader, statement, one, reader.numbering.number("item", (number,), index))
            case _:
                _unknown(reader, statement)


def _take(reader: Reader, statement: ast.stmt, target: ast.expr, number: int) -> None:
    if isinstance(target, ast.Name):
        _give(reader, statement, target.id, number)
    else:
        _unknown(reader, statement)


def _give(reader: Reader, statement: ast.stmt, name: str, number: int, alone: bool = False) -> None:
    reader.env[name] = number
    reader.block.append(Assign(statement, name, number, alone))


def _unknown(reader: Reader, statement: ast.stmt) -> None:
    """A statement that is not read: it may do anything with the names that it binds."""
    for node in walk(statement):
        if isinstance(node, ast.Name) and node.id in reader.local:
            reader.name(node, node.id)
    for name in _bound([statement]):
        reader.env[name] = reader.fresh()
    text = ast.unparse(statement).splitlines()[0]
    reader.block.append(Unseen(statement, "syntax", text if len(text) <= 40 else text[:37] + "..."))


# --- branches and loops


def _branch(reader: Reader, statement: ast.If) -> None:
    reader.term(statement.test)
    reader.count += 1
    ident, before, block = reader.count, dict(reader.env), reader.block
    sides = []
    for body in (statement.body, statement.orelse):
        reader.env, reader.block = dict(before), []
        for inner in body:
            _statement(reader, inner)
        sides.append((reader.env, tuple(reader.block)))
    (then, one), (other, two) = sides
    reader.block = block
    reader.env = {name: _join(reader, ident, name, then, other) for name in {**then, **other}}
    reader.block.append(Branch(statement, ident, one, two, _unset(reader, statement.test)))


def _join(reader: Reader, ident: int, name: str, then: dict[str, int], other: dict[str, int]) -> int:
    undefined = reader.numbering.number("undefined", data=name)
    parts = then.get(name, undefined), other.get(name, undefined)
    return parts[0] if parts[0] == parts[1] else reader.numbering.number("join", parts, ident)


def _unset(reader: Reader, test: ast.expr) -> str | None:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
            pass
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=False | 0)]):
            pass
        case ast.Compare(left=ast.Constant(value=False | 0), ops=[ast.Eq()], comparators=[ast.Name(id=name)]):
            pass
        case _:
            return None
    return name if name in reader.local else None


def _loop(reader: Reader, statement: ast.For | ast.While) -> None:
    kind, bounds = ("while", ()) if isinstance(statement, ast.While) else _range(reader, statement)
    if kind is None or statement.orelse:
        _unknown(reader, statement)
        return
    reader.count += 1
    ident, before, block = reader.count, dict(reader.env), reader.block
    names = sorted(_bound([statement]))
    for name in names:
        first = (before.get(name, reader.numbering.number("undefined", data=name)),)
        reader.env[name] = reader.numbering.number("carried", first, (ident, name))
    reader.block = []
    if isinstance(statement, ast.While):
        reader.term(statement.test)
    elif isinstance(statement.target, ast.Name):
        index = reader.numbering.number("index", data=ident)
        _give(reader, statement, statement.target.id, index)
    for inner in statement.body:
        _statement(reader, inner)
    body = tuple(reader.block)
    # a turn that ends early may leave something else in a name than its last line
    early = any(isinstance(node, ast.Break | ast.Continue) for node in walk(statement))
    out = tuple((name, reader.fresh() if early else reader.env[name]) for name in names)
    reader.block = block
    for name in names:
        first = (before.get(name, reader.numbering.number("undefined", data=name)),)
        reader.env[name] = reader.numbering.number("after", first, (ident, name))
    reader.block.append(Loop(statement, ident, kind, bounds, body, out))  # type: ignore[arg-type]


def _range(reader: Reader, loop: ast.For) -> tuple[str | None, tuple[int, ...]]:
    match loop:
        case ast.For(target=ast.Name(), iter=ast.Call(func=func, args=args, keywords=keywords)):
            path = reader.resolve(func)
            if path in RANGES and {item.arg for item in keywords} <= RANGES[path] and 1 <= len(args) <= 3:
                bounds = tuple(reader.term(part) for part in args)
                for item in keywords:
                    reader.term(item.value)
                return ("static" if path.endswith("static_range") else "range"), bounds
    return None, ()
