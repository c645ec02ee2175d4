"""A kernel with the arguments of a launch -> what one of its programs loads and stores, as polynomials.

Values are told for one program, one turn of each loop and one lane. Whatever is not understood gives a value of
which nothing is known; whatever may touch memory in an unknown way makes the whole trace unseen.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from codemods.core.access import Access, Turns
from codemods.core.condition import TRUE, Blind, Condition, blind, both, either, negated
from codemods.core.poly import ZERO, Atom, Poly, cdiv, deep, most, poly
from codemods.core.syntax import walk
from codemods.cover.bounds import Facts
from codemods.read.lanes import NOTHING, Block, Num, Plain, Pointer, Row, Truth, Value, joined, rank, truth, why
from codemods.read.modules import Module

DEEP = 6


class NotUnderstood(Exception):
    """The kernel does something that may touch memory in an unknown way."""


@dataclass(slots=True)
class Frame:
    """A function while it is traced: the kernel itself, or one that it calls."""

    module: Module
    env: dict[str, Value]
    before: int = 0  # how many conditions of the path it was called under
    loops: int = 0  # in how many loops it was called
    results: list[tuple[Condition, Value]] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """What is true at this point of the trace."""

    frame: Frame
    grid: tuple[Poly, ...]
    facts: Facts
    path: tuple[Condition, ...] = ()
    loops: tuple[Turns, ...] = ()
    accesses: list[Access] = field(default_factory=list)
    positive: set[Atom] = field(default_factory=set)
    count: int = 0
    depth: int = 0
    dry: int = 0
    undecided: int = 0  # how many branches are open that the compiler may leave out
    assumes: set[str] = field(default_factory=set)  # modules that are trusted to hand on Triton
    lacking: bool = False  # something was asked that more facts might have answered

    def blind(self, cause: Blind | str, line: int = 0) -> Num:
        """A number of which nothing is known."""
        self.count += 1
        found = cause if isinstance(cause, Blind) else Blind(cause, line)
        return Num(poly(Atom("blind", (self.count, found.why, found.line), False)))

    def natural(self, value: Poly) -> bool:
        if self.facts.natural(value):
            return True
        self.lacking = True
        return False


class Statements:
    """Statements; expressions and calls are in the classes that build on this one."""

    state: State

    def value(self, node: ast.expr) -> Value:
        raise NotImplementedError

    def operate(self, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        raise NotImplementedError

    def run(self, body: list[ast.stmt]) -> bool:
        """Trace statements; False when control does not get behind them."""
        return all(self.statement(statement) for statement in body)

    def statement(self, node: ast.stmt) -> bool:
        env = self.state.frame.env
        match node:
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                for target in targets:
                    self.bind(target, found)
            case ast.AnnAssign(target=target, value=value):
                if value is not None:
                    self.bind(target, self.value(value))
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                old = self.value(ast.copy_location(ast.Name(name, ast.Load()), node))
                env[name] = self.operate(op, old, self.value(value), node)
            case ast.Expr(value=value):
                self.value(value)
            case ast.Pass():
                pass
            case ast.Assert(test=test):
                self.value(test)
            case ast.Return(value=value):
                return self.leave(NOTHING if value is None else self.value(value))
            case ast.Raise():
                return False
            case ast.If():
                return self.branch(node)
            case ast.For():
                self.loop(node)
            case ast.While(orelse=[]):
                self.repeat(node)
            case ast.Break() | ast.Continue():
                return False  # the loop around it is told as one that may end early
            case _:
                raise NotUnderstood(f"`{ast.unparse(node).splitlines()[0][:40]}`, line {node.lineno}")
        return True

    def bind(self, target: ast.expr, value: Value) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self.state.frame.env[name] = value
            case ((ast.Tuple(elts=parts) | ast.List(elts=parts)), Row(items=items)) if len(parts) == len(items):
                for part, item in zip(parts, items, strict=True):
                    self.bind(part, item)
            case ((ast.Tuple(elts=parts) | ast.List(elts=parts)), Num() | Truth() | Plain()):
                for part in parts:
                    self.bind(part, self.state.blind(why(value) or Blind("a part of a result")))
            case _:
                raise NotUnderstood(f"`{ast.unparse(target)} = ..`, line {target.lineno}")

    def leave(self, value: Value) -> bool:
        state = self.state
        test = both(*state.path[state.frame.before :])
        if len(state.loops) > state.frame.loops:
            test = Blind("a return inside a loop")
        state.frame.results.append((test, value))
        return False

    # --- branches

    def branch(self, node: ast.If) -> bool:
        state = self.state
        test = truth(self.value(node.test))
        if test in (TRUE, negated(TRUE)):
            return self.run(node.body if test == TRUE else node.orelse)
        env, path = state.frame.env, state.path
        state.undecided += 1
        state.frame.env, state.path = dict(env), (*path, test)
        first = self.run(node.body)
        then, one = state.frame.env, state.path[len(path) + 1 :]
        state.frame.env, state.path = dict(env), (*path, negated(test))
        second = self.run(node.orelse)
        other, two = state.frame.env, state.path[len(path) + 1 :]
        state.undecided -= 1
        if first and second:
            state.frame.env = self.join(test, then, other)
            if one or two:
                path = (*path, either(both(test, *one), both(negated(test), *two)))
        elif first or second:
            state.frame.env = then if first else other
            certain = _raises(node.orelse if first else node.body)  # a launch that gets there raises
            path = (*path, *(() if certain else (test if first else negated(test),)), *(one if first else two))
        state.path = path
        return first or second

    def join(self, test: Condition, then: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
        env = {}
        for name in {**then, **other}:
            if name in then and name in other:
                env[name] = joined(test, then[name], other[name], self.state.blind)
            else:
                env[name] = then[name] if name in then else other[name]
        return env

    # --- loops

    def loop(self, node: ast.For) -> None:
        bounds = self.range(node)
        if bounds is None or not isinstance(node.target, ast.Name):
            raise NotUnderstood(f"a loop over `{ast.unparse(node.iter)[:40]}`, line {node.lineno}")
        low, high, step = bounds
        state, first = self.state, self.state.count
        state.count += 1
        turn = Atom("turn", (state.count,), True)
        early = any(isinstance(inner, ast.Break | ast.Continue | ast.Return) for inner in walk(node))
        upward = state.natural(step - 1)
        turns = Turns(turn, low, high, step, total=upward and not early)
        index = (
            Num(low + step * poly(turn))
            if upward
            else state.blind("a loop whose step may not be positive", node.lineno)
        )
        names = [name for name in sorted(_bound(node)) if name in state.frame.env and name != node.target.id]
        before = dict(state.frame.env)
        steps = self.induction(node, turns, index, names, first) if turns.total else {}
        after = self.turn(node, turns, index, {name: self.advanced(before, name, steps, poly(turn)) for name in names})
        count = cdiv(high - low, step) if upward else ZERO  # asked only where the loop is total
        count = count if state.natural(high - low) else most(ZERO, count)
        state.frame.env = before
        self.returned(node)
        for name in sorted(_bound(node)):
            if name in steps:
                before[name] = self.advanced(before, name, steps, count)
            else:
                before[name] = self.changed(before.get(name), after.get(name), name)

    def turn(self, node: ast.For, turns: Turns, index: Num, env: dict[str, Value]) -> dict[str, Value]:
        """Trace one turn; what the names stand for at its end."""
        state = self.state
        outer, path, loops = state.frame.env, state.path, state.loops
        assert isinstance(node.target, ast.Name)
        state.frame.env = {**outer, **env, node.target.id: index}
        state.loops = (*loops, turns)
        static = isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func).endswith("static_range")
        state.undecided += static
        self.run(node.body)
        state.undecided -= static
        after, state.frame.env, state.path, state.loops = state.frame.env, outer, path, loops
        return after

    def induction(
        self, node: ast.For, turns: Turns, index: Num, names: list[str], first: int
    ) -> dict[str, tuple[Poly, ...]]:
        """What each turn adds to the names to which every turn adds the same."""
        state = self.state
        marks = {name: self.marked(state.frame.env[name], name, turns) for name in names}
        kept, lengths = state.accesses, len(state.frame.results)
        state.accesses, state.dry = [], state.dry + 1
        after = self.turn(node, turns, index, marks)
        state.accesses, state.dry = kept, state.dry - 1
        del state.frame.results[lengths:]
        steps = {}
        for name in names:
            old, new = _numbers(marks[name]), _numbers(after.get(name))
            if old and new and len(old) == len(new) and rank(marks[name]) == rank(after[name]):
                added = tuple(b - a for a, b in zip(old, new, strict=True))
                if all(_steady(part, first) for part in added) and _alike(marks[name], after[name]):
                    steps[name] = added
        return steps

    def marked(self, value: Value, name: str, turns: Turns) -> Value:
        """A stand-in for what the name is at the start of a turn."""
        marks = [poly(Atom("phi", (name, turns.turn.text, index), False)) for index in range(8)]
        match value:
            case Num():
                return Num(marks[0], value.rank)
            case Pointer():
                return replace(value, offset=marks[0])
            case Block():
                offsets = tuple(Num(mark) for mark, _ in zip(marks, value.offsets, strict=False))
                return replace(value, offsets=offsets)
        return self.changed(value, value, name)

    def advanced(self, env: dict[str, Value], name: str, steps: dict[str, tuple[Poly, ...]], count: Poly) -> Value:
        value = env[name]
        if name not in steps:
            return self.changed(value, value, name)
        added = [step * count for step in steps[name]]
        match value:
            case Num():
                return Num(value.value + added[0], value.rank)
            case Pointer(offset=Poly() as offset):
                return replace(value, offset=offset + added[0])
            case Block():
                moved = tuple(Num(old.value + more) for old, more in zip(value.offsets, added, strict=True))
                return replace(value, offsets=moved)
        return value

    def changed(self, before: Value | None, after: Value | None, name: str) -> Value:
        """A name that a loop binds, somewhere in or behind it."""
        found = [value for value in (before, after) if value is not None]
        pointers = [value.base if isinstance(value, Block) else value for value in found]
        bases = [value.bases for value in pointers if isinstance(value, Pointer)]
        if bases:
            whole = None if None in bases else frozenset().union(*(part for part in bases if part))
            return Pointer(whole, None, max(map(rank, found)))
        wide = max(map(rank, found), default=0)
        return Num(self.state.blind(why(*found) or Blind(f"{name}, which a loop changes")).value, wide)

    def returned(self, node: ast.stmt) -> None:
        """Behind a loop that may leave the function."""
        if any(isinstance(inner, ast.Return) for inner in walk(node)):
            self.state.path = (*self.state.path, Blind("a return inside a loop", node.lineno))

    def repeat(self, node: ast.While) -> None:
        state = self.state
        for name in sorted(_bound(node) & set(state.frame.env)):
            state.frame.env[name] = self.changed(state.frame.env[name], None, name)
        test = truth(self.value(node.test))
        reason = blind(test) or Blind("a while loop", node.lineno)
        state.count += 1
        turns = Turns(Atom("turn", (state.count,), True), ZERO, ZERO, ZERO, total=False)
        path, loops, before = state.path, state.loops, dict(state.frame.env)
        state.path, state.loops = (*path, reason), (*loops, turns)
        self.run(node.body)
        after, state.frame.env, state.path, state.loops = state.frame.env, before, path, loops
        self.returned(node)
        for name in sorted(_bound(node)):
            before[name] = self.changed(before.get(name), after.get(name), name)

    def range(self, node: ast.For) -> tuple[Poly, Poly, Poly] | None:
        raise NotImplementedError


def _raises(body: list[ast.stmt]) -> bool:
    """Whoever runs it comes to a `raise`."""
    plain = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Pass, ast.Assert)
    return isinstance(next((node for node in body if not isinstance(node, plain)), None), ast.Raise)


def _bound(node: ast.stmt) -> set[str]:
    return {inner.id for inner in walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}


def _numbers(value: Value | None) -> tuple[Poly, ...] | None:
    match value:
        case Num(value=number):
            return (number,)
        case Pointer(offset=Poly() as offset):
            return (offset,)
        case Block(offsets=offsets):
            return tuple(offset.value for offset in offsets)
    return None


def _alike(one: Value, two: Value) -> bool:
    """Into the same memory, in the same way."""
    match one, two:
        case Num(), Num():
            return True
        case Pointer(), Pointer():
            return one.bases == two.bases
        case Block(), Block():
            return replace(one, offsets=()) == replace(two, offsets=())
    return False


def _steady(value: Poly, first: int) -> bool:
    """The same in every turn: made of nothing that the loop has made."""
    return not any(
        atom.kind == "phi"
        or atom.kind in ("turn", "blind")
        and isinstance(atom.parts[0], int)
        and atom.parts[0] > first
        for atom in deep(value)
    )
