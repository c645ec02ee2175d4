"""Expressions of a kernel -> values."""

from __future__ import annotations

import ast
from dataclasses import replace

from codemods.core.condition import FALSE, TRUE, Blind, Condition, Flag, at_least, below, both, either, equal, negated
from codemods.core.condition import pick as picked
from codemods.core.poly import ONE, ZERO, Poly, div, mod, poly, rem, trunc
from codemods.read.lanes import (
    MOST_TERMS,
    NOTHING,
    Block,
    Code,
    Num,
    Plain,
    Pointer,
    Row,
    Truth,
    Value,
    argument,
    joined,
    known,
    moved,
    rank,
    truth,
    why,
)
from codemods.read.modules import kernel
from codemods.read.names import BUILTINS
from codemods.read.trace import NotUnderstood, Statements
from codemods.read.triton import resolve

LONG = 2000  # characters: what is computed from itself again and again would grow without end
MACHINE = frozenset({"int8", "uint8", "int16", "uint16", "int1", "uint32", "uint64"})  # may lose a part of a number


class Expressions(Statements):
    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool() as flag):
                return Truth(TRUE if flag else FALSE)
            case ast.Constant(value=int() as number):
                return Num(poly(number))
            case ast.Constant(value=plain):
                return Plain(plain)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return Row(tuple(self.value(part) for part in parts))
            case ast.UnaryOp(op=op, operand=operand):
                return self.unary(op, self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self.operate(op, self.value(left), self.value(right), node)
            case ast.BoolOp(op=op, values=values):
                return self.logic(op, values)
            case ast.Compare():
                return self.compare(node)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.conditional(truth(self.value(test)), body, other)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.call(node)
            case ast.JoinedStr():
                return Plain("text")
        raise NotUnderstood(f"`{ast.unparse(node)[:40]}`, line {node.lineno}")

    def call(self, node: ast.Call) -> Value:
        raise NotImplementedError

    def name(self, node: ast.Name, name: str) -> Value:
        module = self.state.frame.module
        if name in self.state.frame.env:
            return self.state.frame.env[name]
        if name in module.constants:
            return constant(module.constants[name])
        if found := kernel(module, name):
            self.state.assumes.update(found.assumes)
            return Code(found.function, found.module)
        path, _ = resolve(node, module.names)
        if path or name in BUILTINS:
            return Code(None, module, path)
        return self.state.blind(f"the global `{name}`", node.lineno)

    def conditional(self, test: Condition, body: ast.expr, other: ast.expr) -> Value:
        if test in (TRUE, FALSE):
            return self.value(body if test == TRUE else other)
        state, path = self.state, self.state.path
        state.path = (*path, test)
        one = self.value(body)
        state.path = (*path, negated(test))
        two = self.value(other)
        state.path = path
        return joined(test, one, two, state.blind)

    def unary(self, op: ast.unaryop, value: Value) -> Value:
        match op, value:
            case ast.Not(), _:
                return Truth(negated(truth(value)), rank(value))
            case ast.Invert(), Truth(test=test):
                return Truth(negated(test), value.rank)
            case ast.USub(), Num(value=number):
                return Num(-number, value.rank)
            case ast.USub(), Plain(value=int() | float() as plain):
                return Plain(-plain)
            case ast.UAdd(), _:
                return value
        return self.unknown("an operator", value)

    def unknown(self, what: str, *values: Value) -> Num:
        """A number that is made of some values, of which nothing is known."""
        return Num(self.state.blind(why(*values) or Blind(what)).value, max(map(rank, values), default=0))

    def logic(self, op: ast.boolop, values: list[ast.expr]) -> Value:
        """`and` and `or`: what follows is looked at only where it decides."""
        tests: list[Condition] = []
        state, path = self.state, self.state.path
        done = FALSE if isinstance(op, ast.And) else TRUE
        wide = 0
        for part in values:
            value = self.value(part)
            wide = max(wide, rank(value))
            test = truth(value)
            if test == done:
                state.path = path
                return Truth(done) if not tests else Truth(self.together(op, tests, done), wide)
            tests.append(test)
            state.path = (*state.path, test if isinstance(op, ast.And) else negated(test))
        state.path = path
        return Truth(both(*tests) if isinstance(op, ast.And) else either(*tests), wide)

    def together(self, op: ast.boolop, tests: list[Condition], last: Condition) -> Condition:
        return both(*tests, last) if isinstance(op, ast.And) else either(*tests, last)

    # --- arithmetic

    def operate(self, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        wide = max(rank(left), rank(right))
        match left, op, right:
            case Truth(test=one), ast.BitAnd() | ast.Mult(), Truth(test=two):
                return Truth(both(one, two), wide)
            case Truth(test=one), ast.BitOr(), Truth(test=two):
                return Truth(either(one, two), wide)
            case Truth(), _, Truth():
                return self.unknown("arithmetic on two conditions, in one bit,", left, right)
            case Row(items=ones), ast.Add(), Row(items=twos):
                return Row(ones + twos)
            case Pointer(), ast.Add() | ast.Sub(), _:
                return self.shifted(left, op, right, wide)
            case _, ast.Add(), Pointer():
                return self.shifted(right, op, left, wide)
            case Num() | Truth(), _, Num() | Truth():
                return self.computed(op, self.number(left), self.number(right), wide)
        return self.unknown("arithmetic", left, right)

    def number(self, value: Value) -> Num:
        match value:
            case Num():
                return value
            case Truth(test=test, rank=wide) if why(value) is None:
                return Num(picked(test, ONE, ZERO), wide)
        return self.unknown("a value that is not known", value)

    def shifted(self, pointer: Pointer, op: ast.operator, by: Value, wide: int) -> Pointer:
        if isinstance(by, Pointer):
            if pointer.maybe and not by.maybe:
                pointer, by = by, pointer
            if by.maybe and not pointer.maybe and isinstance(op, ast.Add):
                return replace(pointer, offset=None, rank=wide)
            bases = None if pointer.bases is None or by.bases is None else pointer.bases | by.bases
            return Pointer(bases, None, wide, pointer.maybe)
        amount = self.number(by).value
        if pointer.offset is None:
            return replace(pointer, rank=wide)
        offset = pointer.offset + amount if isinstance(op, ast.Add) else pointer.offset - amount
        return replace(pointer, offset=offset, rank=wide)

    def computed(self, op: ast.operator, left: Num, right: Num, wide: int) -> Value:
        one, two, state = left.value, right.value, self.state
        cause = why(left, right)
        if any(len(atom.text) > LONG for atom in one.atoms | two.atoms):
            return self.unknown("arithmetic", left, right)
        match op:
            case ast.Add() | ast.Sub():
                total = one + two if isinstance(op, ast.Add) else one - two
                if len(total.terms) <= MOST_TERMS or not cause:
                    return Num(total, wide)
            case ast.Mult() if not (why(left) and why(right)) and len(one.terms) * len(two.terms) <= 4 * MOST_TERMS:
                if not cause or len(one.terms) * len(two.terms) <= 4:
                    return Num(one * two, wide)
            case ast.LShift() if two.constant is not None and 0 <= two.constant < 32:
                return Num(one * (1 << two.constant), wide)
            case ast.FloorDiv() | ast.Mod() if not cause:
                return Num(self.divided(op, one, two), wide)
            case ast.RShift() if not cause and two.constant is not None and 0 <= two.constant < 32:
                return Num(div(one, poly(1 << two.constant)), wide)
            case ast.BitAnd() if not cause and two.constant is not None and state.natural(one):
                if two.constant >= 0 and not (two.constant + 1) & two.constant:
                    return Num(mod(one, two + 1), wide)
            case ast.Pow() if one.constant is not None and two.constant is not None and 0 <= two.constant < 64:
                return Num(poly(one.constant**two.constant), wide)
        return self.unknown("arithmetic", left, right)

    def divided(self, op: ast.operator, one: Poly, two: Poly) -> Poly:
        """The machine rounds to 0, Python down: the same where neither is negative."""
        whole = isinstance(op, ast.FloorDiv)
        if self.state.natural(two - 1) and self.state.natural(one):
            return div(one, two) if whole else mod(one, two)
        return trunc(one, two) if whole else rem(one, two)

    # --- comparisons

    def compare(self, node: ast.Compare) -> Value:
        left, tests = self.value(node.left), []
        wide = rank(left)
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            wide = max(wide, rank(right))
            tests.append(self.test(op, left, right, node))
            left = right
        return Truth(both(*tests), wide)

    def test(self, op: ast.cmpop, left: Value, right: Value, node: ast.Compare) -> Condition:
        match left, op, right:
            case _, ast.Is() | ast.IsNot(), Plain(value=None):
                found = self.is_none(left)
                return found if isinstance(op, ast.Is) else negated(found)
            case _, ast.Is() | ast.IsNot(), _:
                return why(left, right) or Blind("a comparison of objects", node.lineno)  # 1 is not True
            case Plain(value=one), ast.Eq() | ast.NotEq(), Plain(value=two):
                return TRUE if (one == two) == isinstance(op, ast.Eq) else FALSE
            case Plain(), ast.Eq() | ast.NotEq(), (Num() | Truth()) if right.rank == 0 and known(right) is not None:
                return Blind("a comparison", node.lineno)
            case Code(path=one), ast.Eq() | ast.NotEq(), Code(path=two) if one and two:
                return Flag(f"{one} == {two}", isinstance(op, ast.Eq))
            case Pointer(), ast.Eq() | ast.NotEq(), Plain() | Num() | Truth() if label := argument(left):
                number = right.value if isinstance(right, Plain) else known(right)
                if isinstance(right, Plain) or number is not None:
                    return Flag(f"{label} == {number!r}", isinstance(op, ast.Eq))
                return Blind(f"the argument {label}", node.lineno)
            case ((Num() | Truth()), _, (Num() | Truth())):
                return self.ordered(op, self.number(left), self.number(right), node)
        return why(left, right) or Blind("a comparison", node.lineno)

    def is_none(self, value: Value) -> Condition:
        match value:
            case Plain(value=plain):
                return TRUE if plain is None else FALSE
            case Pointer(maybe=True):
                label = argument(value)
                return Flag(f"{label} is None") if label else Blind("a comparison")
            case Num(value=number) if str(number).startswith("(META["):
                return Flag(f"{number} is None")
            case Num() if why(value):
                return why(value) or FALSE
        return FALSE

    def ordered(self, op: ast.cmpop, left: Num, right: Num, node: ast.Compare) -> Condition:
        if cause := why(left, right):
            return cause
        one, two = left.value, right.value
        match op:
            case ast.Lt():
                return below(one, two)
            case ast.LtE():
                return at_least(two - one)
            case ast.Gt():
                return below(two, one)
            case ast.GtE():
                return at_least(one - two)
            case ast.Eq():
                return equal(one, two)
            case ast.NotEq():
                return either(below(one, two), below(two, one))
        return Blind("a comparison", node.lineno)

    # --- parts

    def subscript(self, node: ast.Subscript) -> Value:
        value = self.value(node.value)
        if isinstance(value, Row):
            index = self.value(node.slice)
            number = known(index)
            if number is not None and -len(value.items) <= number < len(value.items):
                return value.items[number]
            return self.unknown("a part of a tuple", *value.items)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        kept = [index for index, part in enumerate(parts) if isinstance(part, ast.Slice)]
        added = [isinstance(part, ast.Slice) or _none(part) for part in parts]
        if all(added) and isinstance(value, Num | Truth | Pointer) and value.rank in (len(kept), 0):
            if value.rank == 0:
                return replace(value, rank=len(parts))
            axes = {value.rank - 1 - place: len(parts) - 1 - index for place, index in enumerate(kept)}
            return moved(value, axes, len(parts), self.state.blind)
        if isinstance(value, Pointer):
            return replace(value, offset=None, rank=len(parts))
        return replace(self.unknown("a part of a tensor", value), rank=len(parts))

    def attribute(self, node: ast.Attribute) -> Value:
        path, _ = resolve(node, self.state.frame.module.names, frozenset(self.state.frame.env))
        if path:
            return Code(None, self.state.frame.module, path)
        value = self.value(node.value)
        match node.attr, value:
            case "T", Num() | Truth() | Pointer() if value.rank == 2:
                return moved(value, {0: 1, 1: 0}, 2, self.state.blind)
            case "value", _:
                return value
            case "dtype" | "type", Pointer(bases=frozenset() as bases, offset=Poly()) if len(bases) == 1:
                return Code(None, None, f"the dtype of {min(bases)}")
            case "element_ty", Code(function=None):
                return value
            case "dtype" | "type" | "element_ty", _:
                self.state.count += 1
                return Code(None, None, f"dtype {self.state.count}")
            case "shape", Block(sizes=sizes):
                return Row(tuple(sizes))
            case _, Pointer():
                return replace(value, offset=None)
        return self.unknown(f"`{ast.unparse(node)}`", value)


def _none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def constant(value: bool | int | float | str | None) -> Value:
    """A number or a word of the source, as a value."""
    match value:
        case bool():
            return Truth(TRUE if value else FALSE)
        case int():
            return Num(poly(value))
    return NOTHING if value is None else Plain(value)
