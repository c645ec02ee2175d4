"""Changes of code that mutmut does not make by itself: a check is dropped, a pattern widened, a path forgotten.

Left out of mutmut's own are those that change nothing but the texts of messages, and those that mypy would refuse,
such as None for a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import libcst as cst
from mutmut.mutation import mutators

Operator = Callable[[Any], Iterable[cst.CSTNode]]
TELLING = {"Refused", "Step", "step", "told"}
TOLD = {"message", "needs", "text"}  # what people read, as names and as keywords
OTHERS = {"all": "any", "any": "all", "min": "max", "max": "min"}


def operators() -> list[tuple[type, Operator]]:
    """All that are applied: mutmut's, less those that say little, and ours."""
    kept = [(kind, INSTEAD.get(operator, operator)) for kind, operator in mutators.mutation_operators]
    return [*kept, *OURS]


def check(node: cst.If) -> Iterator[cst.If]:
    """The branch is never taken, or always."""
    yield node.with_changes(test=cst.Name("False"))
    yield node.with_changes(test=cst.Name("True"))


def operand(node: cst.BooleanOperation) -> Iterator[cst.BaseExpression]:
    yield _parenthesised(node.left)
    yield _parenthesised(node.right)


def filtered(node: cst.CompFor) -> Iterator[cst.CompFor]:
    for at in range(len(node.ifs)):
        yield node.with_changes(ifs=[*node.ifs[:at], *node.ifs[at + 1 :]])


def guard(node: cst.MatchCase) -> Iterator[cst.MatchCase]:
    if node.guard is not None:
        yield node.with_changes(
            guard=None, whitespace_before_if=cst.SimpleWhitespace(""), whitespace_after_if=cst.SimpleWhitespace("")
        )


def keyword(node: cst.MatchClass) -> Iterator[cst.MatchClass]:
    """The pattern says less. What it binds stays bound."""
    for at, element in enumerate(node.kwds):
        bound = isinstance(element.pattern, cst.MatchAs) and element.pattern.name is not None
        if not bound:
            rest = [*node.kwds[:at], *node.kwds[at + 1 :]]
            if rest:
                rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            yield node.with_changes(kwds=rest)


def alternative(node: cst.MatchOr) -> Iterator[cst.MatchPattern]:
    for at in range(len(node.patterns)):
        rest = [*node.patterns[:at], *node.patterns[at + 1 :]]
        last = rest[-1].with_changes(separator=cst.MaybeSentinel.DEFAULT)
        if len(rest) == 1:
            yield last.pattern
        else:
            yield node.with_changes(patterns=[*rest[:-1], last])


def quantifier(node: cst.Call) -> Iterator[cst.Call]:
    if isinstance(node.func, cst.Name) and node.func.value in OTHERS:
        yield node.with_changes(func=cst.Name(OTHERS[node.func.value]))


def member(node: cst.Set) -> Iterator[cst.Set]:
    """One of several is forgotten."""
    for at in range(len(node.elements) if len(node.elements) > 1 else 0):
        yield node.with_changes(elements=[*node.elements[:at], *node.elements[at + 1 :]])


def forgotten(node: cst.SimpleStatementLine) -> Iterator[cst.SimpleStatementLine]:
    """A statement that adds something is dropped."""
    match node.body:
        case [cst.AugAssign() | cst.Expr(value=cst.Call())]:
            yield node.with_changes(body=[cst.Pass()])


def _parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()])


def _word(node: cst.BaseString) -> Iterator[cst.CSTNode]:
    """Strings that are one word are data, others are told to people."""
    if isinstance(node, cst.SimpleString) and " " not in node.value:
        yield from list(mutators.operator_string(node))[:1]


def texts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The parts of a node that only make up what people are told; the code of a reason, which comes first, is data."""
    match node:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value) if name in TOLD:
            yield value
        case cst.Call(func=cst.Name(value=name), args=[_, *rest]) if name in TELLING:
            yield from (one for one in rest if isinstance(one.value, cst.SimpleString | cst.FormattedString))
            yield from (one for one in rest if one.keyword is not None and one.keyword.value in TOLD)
        case cst.Call(func=cst.Name(value="zip"), args=args):
            yield from (one for one in args if one.keyword is not None)  # `strict` is an assertion


def _argument(node: cst.Call) -> Iterator[cst.CSTNode]:
    """One that has a default is left out; without another the call would only raise."""
    for at, argument in enumerate(node.args):
        if argument.keyword is not None and argument.keyword.value not in TOLD | {"strict"}:
            yield node.with_changes(args=[*node.args[:at], *node.args[at + 1 :]])


def _nothing(_: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """`x = None` is what mypy is there for."""
    yield from ()


INSTEAD: dict[Operator, Operator] = {
    mutators.operator_string: _word,
    mutators.operator_arg_removal: _argument,
    mutators.operator_assignment: _nothing,
}
OURS: list[tuple[type, Operator]] = [
    (cst.If, check),
    (cst.BooleanOperation, operand),
    (cst.CompFor, filtered),
    (cst.MatchCase, guard),
    (cst.MatchClass, keyword),
    (cst.MatchOr, alternative),
    (cst.Call, quantifier),
    (cst.Set, member),
    (cst.SimpleStatementLine, forgotten),
]
