"""What the tool takes for granted, watched while the original runs: a program that breaks it is no counterexample.

Annotations tell the truth, and an exception that a function lets through, other than by `raise` and `assert`, ends the
story of what the function did (docs/what-we-trust.md).
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import torch

KINDS = {"torch.Tensor": torch.Tensor, "int": int, "bool": bool, "list": list}
ENTRIES = ("f", "run")  # nobody in the program catches what leaves them


@dataclass
class Watch:
    """Of one run. `left`: functions that an exception left, other than by a statement of their own."""

    lied: bool = False
    left: set[str] = field(default_factory=set)
    about: str = ""

    def honest(self, value: Any, kind: str) -> None:
        self.lied = self.lied or not isinstance(value, KINDS[kind]) or kind == "int" and isinstance(value, bool)

    def raises(self, name: str) -> None:
        self.about = name

    def leaves(self, name: str) -> None:
        if self.about != name:
            self.left.add(name)
        self.about = ""


def watched(tree: ast.Module) -> ast.Module:
    return ast.fix_missing_locations(_Watched().visit(tree))


def bodies(tree: ast.Module) -> dict[str, list[str]]:
    """The text of each function by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found[node.name].append(ast.dump(node))
    return found


class _Watched(ast.NodeTransformer):
    function = ""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        outer, self.function = self.function, node.name
        self.generic_visit(node)
        self.function = outer
        typed = [(arg.arg, ast.unparse(arg.annotation)) for arg in node.args.args if arg.annotation]
        checks = [_call("honest", f"{name}, {kind!r}") for name, kind in typed if kind in KINDS]
        if node.name in ENTRIES or any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node)):
            node.body = [*checks, *node.body]
            return node
        leave = ast.parse(f"try: pass\nexcept BaseException:\n    _watch.leaves({node.name!r})\n    raise").body[0]
        assert isinstance(leave, ast.Try)
        leave.body = node.body
        node.body = [*checks, leave]
        return node

    def visit_Raise(self, node: ast.Raise) -> list[ast.stmt]:
        return [_call("raises", repr(self.function)), node]

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        made = ast.parse("if not (0): raise AssertionError").body[0]
        assert isinstance(made, ast.If)
        made.test = ast.UnaryOp(ast.Not(), node.test)
        made.body = [_call("raises", repr(self.function)), *made.body]
        return made


def _call(name: str, arguments: str) -> ast.stmt:
    return ast.parse(f"_watch.{name}({arguments})").body[0]
