"""The mutants of a file: each is one small change in one function, as code that can take the function's place."""

from __future__ import annotations

import hashlib
import importlib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from operators import Operator, operators, texts

ROOT = Path(__file__).parents[2]
STATEMENTS = (cst.SimpleStatementLine, cst.BaseCompoundStatement)
LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Parameters, cst.Assert)  # these have no part in a verdict


@dataclass(frozen=True, slots=True)
class Mutant:
    """`lines`: from the start of its statement to the end of what is changed; others need not run it."""

    path: str
    function: str
    number: int
    lines: range
    before: str
    after: str
    code: CodeType

    @property
    def name(self) -> str:
        return f"{self.path}:{self.function}:{self.number}"

    @property
    def key(self) -> str:
        """It stays the same while the function does."""
        return hashlib.sha256(f"{self.path} {self.function} {self.before}\0{self.after}".encode()).hexdigest()[:16]

    def diff(self) -> str:
        old, new = self.before.splitlines(), self.after.splitlines()
        while old and new and old[0] == new[0]:
            del old[0], new[0]
        while old and new and old[-1] == new[-1]:
            del old[-1], new[-1]
        return "\n".join([*(f"-{line}" for line in old), *(f"+{line}" for line in new)])


def mutants(path: Path) -> Iterator[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text("utf-8")))
    finder = _Finder(wrapper, operators())
    wrapper.module.visit(finder)
    relative = path.relative_to(ROOT).as_posix()
    for function, found in finder.found.items():
        before = wrapper.module.code_for_node(function).strip("\n")
        same = {_essence(_compiled(before))}
        number = 0
        for node, changed, lines in found:
            after = wrapper.module.code_for_node(cst.ensure_type(function.deep_replace(node, changed), cst.FunctionDef))
            number += 1
            try:
                code = _compiled(after)
            except SyntaxError:  # such as a pattern that is behind one that takes everything
                continue
            if (essence := _essence(code)) not in same:  # other text of the same code is no change, and one is enough
                same.add(essence)
                yield Mutant(relative, finder.names[function], number, lines, before, after.strip("\n"), code)


class _Finder(cst.CSTVisitor):
    def __init__(self, wrapper: MetadataWrapper, applied: list[tuple[type, Operator]]) -> None:
        self.spans = wrapper.resolve(PositionProvider)
        self.applied = applied
        self.around: list[str] = []
        self.function: cst.FunctionDef | None = None
        self.statements: list[cst.CSTNode] = []
        self.found: dict[cst.FunctionDef, list[tuple[cst.CSTNode, cst.CSTNode, range]]] = {}
        self.names: dict[cst.FunctionDef, str] = {}
        self.told: set[int] = set()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, LEFT_ALONE) or id(node) in self.told:
            return False
        self.told |= set(map(id, texts(node)))
        if isinstance(node, STATEMENTS):
            self.statements.append(node)
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self.around.append(node.name.value)
        if isinstance(node, cst.FunctionDef) and self.function is None:
            self.function = node
            self.names[node] = ".".join(self.around)
        elif self.function is not None:
            lines = range(self.spans[self.statements[-1]].start.line, self.spans[node].end.line + 1)
            found = self.found.setdefault(self.function, [])
            found += [
                (node, changed, lines)
                for kind, operator in self.applied
                if isinstance(node, kind)
                for changed in operator(node)
            ]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self.statements and self.statements[-1] is original_node:
            self.statements.pop()
        if isinstance(original_node, cst.ClassDef | cst.FunctionDef):
            self.around.pop()
        if self.function is original_node:
            self.function = None


def _compiled(text: str) -> CodeType:
    inside = "super()" in text  # it needs the class, which is a free variable of it
    if inside:
        text = "class Around:\n" + textwrap.indent(text, "    ")
    code = compile(f"from __future__ import annotations\n{text}", "mutant", "exec")
    for _ in range(1 + inside):
        code = next(part for part in code.co_consts if isinstance(part, CodeType))
    return code


def _essence(code: CodeType) -> Any:
    """What the code does, without the places of its text."""
    parts = tuple(_essence(part) if isinstance(part, CodeType) else (type(part), repr(part)) for part in code.co_consts)
    return code.co_code, parts, code.co_names, code.co_varnames, code.co_cellvars


def apply(mutant: Mutant) -> None:
    """From now on the function does what the mutant says, for everyone who holds it."""
    module = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    found: Any = importlib.import_module(module)
    for name in mutant.function.split("."):
        found = vars(found)[name]
    while not isinstance(found, FunctionType):  # a property, a class method, or what a cache is wrapped around
        parts = (getattr(found, name, None) for name in ("fget", "func", "__wrapped__", "__func__"))
        found = next(part for part in parts if part is not None)
    found.__code__ = mutant.code
