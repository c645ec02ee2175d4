"""One program at a time: rewrite it as `fix --all` would, compare both forms, shrink what differs."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from fuzz.generate import program
from fuzz.oracle import INPUTS, POISONS, Difference, Input, Program, difference, observe
from fuzz.watch import Watch

import codemods
from codemods import Options, decide_file
from codemods.write.source import CannotEdit

ASSUMED = ("closed-world", "no-autograd")  # they hold for every program
OPTIONS = Options(select=codemods.names(), every=True, assume=ASSUMED)


@dataclass(frozen=True)
class Rewritten:
    text: str
    applied: tuple[str, ...] = ()  # the codemods, one for each site
    subjects: tuple[str, ...] = ()  # what each of them is about
    failed: str = ""  # the tool itself went wrong


@dataclass(frozen=True)
class Outcome:
    seed: int
    source: str
    rewritten: Rewritten
    difference: Difference | None = None
    returned: int = 0  # on how many inputs the program came to an end
    valid: bool = True  # it is a program of Python, and returns on one of the first inputs


def rewrite(source: str, options: Options = OPTIONS) -> Rewritten:
    """The text once nothing is left to do."""
    failed: list[str] = []

    def decided(*args: Any, **kwargs: Any) -> codemods.Found:
        found = decide_file(*args, **kwargs)
        failed.extend(map(str, found.failed))
        return found

    try:
        with mock.patch.object(codemods, "decide_file", decided):
            text, rounds = codemods.rewrite(source.encode(), "program.py", options)
    except CannotEdit:
        return Rewritten(source)
    except Exception as error:
        return Rewritten(source, failed=f"{type(error).__name__}: {error}")
    done = [decision for decisions in rounds for decision in decisions]
    names, subjects = tuple(one.codemod for one in done), tuple(one.subject for one in done)
    return Rewritten(text.decode(), names, subjects, failed[0] if failed else "")


def attempt(seed: int) -> Outcome:
    """A program that returns on none of the first inputs says little: of most of them no more is asked."""
    source = program(seed)
    try:
        before = Program.of(source, watch=True)
    except SyntaxError:
        return Outcome(seed, source, Rewritten(source), valid=False)
    runs = any(observe(before, given, POISONS[0], Watch())[0] == "returned" for given in INPUTS[:3])
    if not runs and seed % 8:
        return Outcome(seed, source, Rewritten(source), valid=False)
    rewritten = rewrite(source)
    if rewritten.text == source:
        return Outcome(seed, source, rewritten, valid=runs)
    found, returned = difference(before, Program.of(rewritten.text))
    return Outcome(seed, source, rewritten, found, returned, runs)


def differs(source: str, inputs: tuple[Input, ...] = INPUTS) -> bool:
    """The tool changes what this text does."""
    try:
        before = Program.of(source, watch=True)
        if all(observe(before, given, POISONS[0], Watch())[0] != "returned" for given in inputs):
            return False
        rewritten = rewrite(source)
        return rewritten.text != source and difference(before, Program.of(rewritten.text), inputs)[0] is not None
    except (SyntaxError, ValueError):
        return False


# shrinking


def shrink(source: str, broken: Callable[[str], bool]) -> str:
    """The smallest text on the way of single deletions and simplifications that is still `broken`."""
    source = ast.unparse(ast.parse(source))
    going = broken(source)
    while going:
        smaller = next((text for text in smaller_texts(source) if len(text) < len(source) and broken(text)), None)
        going = smaller is not None
        source = smaller or source
    return source


def smaller_texts(source: str) -> Iterator[str]:
    for count in reversed(range(sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(source))))):
        for change in (_without, _body_only, _one_branch, _simple_value, _plain_value):
            tree = ast.parse(source)
            if change(tree, count):
                yield ast.unparse(tree)


def _place(tree: ast.AST, count: int) -> tuple[list[ast.stmt], int] | None:
    """The list that holds a statement, and where in it."""
    seen = 0
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            held = getattr(node, name, None)
            if isinstance(held, list):
                if count < seen + len(held):
                    return held, count - seen
                seen += len(held)
    return None


def _without(tree: ast.AST, count: int) -> bool:
    found = _place(tree, count)
    if found is None:
        return False
    held, place = found
    del held[place]
    for node in ast.walk(tree):
        if hasattr(node, "body") and node.body == [] and not isinstance(node, ast.Module):
            node.body.append(ast.Pass())
    return True


def _body_only(tree: ast.AST, count: int) -> bool:
    found = _place(tree, count)
    if found is None or not isinstance(found[0][found[1]], ast.If | ast.For | ast.While | ast.Try | ast.With):
        return False
    held, place = found
    held[place : place + 1] = held[place].body  # type: ignore[attr-defined]
    return True


def _one_branch(tree: ast.AST, count: int) -> bool:
    """Drop the handlers' or the other branch."""
    found = _place(tree, count)
    if found is None or not getattr(found[0][found[1]], "orelse", None):
        return False
    found[0][found[1]].orelse = []  # type: ignore[attr-defined]
    return True


def _simple_value(tree: ast.AST, count: int) -> bool:
    """`a, b = ..` results and long returns made one name."""
    found = _place(tree, count)
    statement = found[0][found[1]] if found else None
    if not isinstance(statement, ast.Return) or not isinstance(statement.value, ast.Tuple | ast.List):
        return False
    statement.value = statement.value.elts[0]
    return True


def _plain_value(tree: ast.AST, count: int) -> bool:
    """Names for long expressions that are assigned."""
    found = _place(tree, count)
    statement = found[0][found[1]] if found else None
    if not isinstance(statement, ast.Assign) or isinstance(statement.value, ast.Constant | ast.Name):
        return False
    statement.value = ast.Constant(1.0)
    return True


def tally(outcomes: Counter[str], outcome: Outcome) -> None:
    outcomes["drawn"] += 1
    outcomes["failed"] += bool(outcome.rewritten.failed)
    outcomes["differences"] += outcome.difference is not None
    if not outcome.valid:
        return
    outcomes["programs"] += 1
    outcomes["rewritten"] += bool(outcome.rewritten.applied)
    outcomes["rewritten and returned"] += bool(outcome.rewritten.applied) and outcome.returned > 0
    outcomes["with callees"] += "\ndef h" in outcome.source or "class C:" in outcome.source
    outcomes.update(outcome.rewritten.applied)
