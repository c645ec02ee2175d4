"""The pages in tests/kernels: a kernel, a launch of it as text, and what is to be found."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codemods.core.effect import Outcome
from codemods.core.launch import (
    Argument,
    Constant,
    Launch,
    Number,
    Stride,
    Tensor,
    Unknown,
    cdiv,
    maximum,
    meta,
    minimum,
    next_power_of_2,
)
from codemods.core.size import Atom, Size, as_size, variable
from codemods.read.launch import outcome
from codemods.read.modules import kernel, module_of
from codemods.read.names import names_of
from codemods.read.shapes import prod

PAGES = Path(__file__).with_name("kernels")
BLOCK = re.compile(r"^## (?P<title>.+?)\n+```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
HEADER = "import triton\nimport triton.language as tl\n\n"


@dataclass(frozen=True)
class Expected:
    parameter: str
    written: str
    words: tuple[str, ...]
    seen: str


@dataclass(frozen=True)
class Page:
    """`launch`: `name[grid](arguments)` as an expression. `tree`: the kernel and what it needs."""

    title: str
    tree: ast.Module
    launch: ast.Call
    expected: tuple[Expected, ...]
    positive: frozenset[str] = frozenset()

    @property
    def kernel(self) -> str:
        assert isinstance(self.launch.func, ast.Subscript) and isinstance(self.launch.func.value, ast.Name)
        return self.launch.func.value.id

    @property
    def grid(self) -> list[ast.expr]:
        assert isinstance(self.launch.func, ast.Subscript)
        index = self.launch.func.slice
        return index.elts if isinstance(index, ast.Tuple) else [index]

    def with_tree(self, tree: ast.Module) -> Page:
        return replace(self, tree=tree)

    def with_launch(self, launch: ast.Call) -> Page:
        return replace(self, launch=launch)


def pages() -> Iterator[Page]:
    for file in sorted(PAGES.glob("*.md")):
        for found in BLOCK.finditer(file.read_text()):
            yield read(f"{file.stem}: {found['title']}", found["code"])


def read(title: str, code: str) -> Page:
    head = [line[2:].split(": ", 1) for line in code.splitlines() if line.startswith("# ")]
    (launch,) = (text for key, text in head if key == "launch")
    positive = frozenset(name for key, text in head if key == "positive" for name in text.split())
    expected = tuple(_expected(key, text) for key, text in head if key not in ("launch", "positive"))
    call = ast.parse(launch, mode="eval").body
    assert isinstance(call, ast.Call)
    return Page(title, ast.parse(HEADER + code), call, expected, positive)


def _expected(parameter: str, text: str) -> Expected:
    written, *more = text.split(", ")
    seen = next((part.removeprefix("sees ") for part in more if part.startswith("sees ")), "")
    return Expected(parameter, written, tuple(part for part in more if not part.startswith("sees ")), seen)


# --- the launch as the host would tell it


def size(node: ast.expr) -> Size:
    match node:
        case ast.Name(id=name):
            return variable(Atom(name, ("size", name), True))
        case ast.Constant(value=int() as number):
            return as_size(number)
        case ast.BinOp(left=left, op=op, right=right):
            one, two = size(left), size(right)
            return one + two if isinstance(op, ast.Add) else one - two if isinstance(op, ast.Sub) else one * two
        case ast.Call(func=ast.Name(id="meta"), args=[ast.Constant(value=str() as name)]):
            return meta(name)
        case ast.Call(func=ast.Name(id="div"), args=[one_, two_]):
            one, two = size(one_), size(two_)
            return variable(Atom(ast.unparse(node), ("FloorDiv", one, two), one.natural and two.natural))
        case ast.Call(func=ast.Name(id=name), args=args):
            made: dict[str, Callable[..., Size]] = {
                "cdiv": cdiv, "next_power_of_2": next_power_of_2, "min": minimum, "max": maximum,
            }  # fmt: skip
            return made[name](*map(size, args))
    raise ValueError(ast.unparse(node))


def argument(node: ast.expr) -> Argument:
    match node:
        case ast.Name(id="unknown"):
            return Unknown()
        case ast.Constant(value=None | bool() as value):
            return Constant(value)
        case ast.Call(func=ast.Name(id="stride"), args=[ast.Name(id=name), ast.Constant(value=int() as dimension)]):
            return Stride(name, dimension)
        case ast.Call(func=ast.Name(id="loose"), args=[inner]):
            found = argument(inner)
            assert isinstance(found, Tensor)
            return replace(found, contiguous=False)
        case ast.Call(func=ast.Name(id="mixed"), args=[inner]):
            found = argument(inner)
            assert isinstance(found, Tensor) and found.shape is not None
            return replace(found, shape=None, contiguous=False, count=prod(found.shape))
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            extents = index.elts if isinstance(index, ast.Tuple) else [index]
            return Tensor(name, tuple(map(size, extents)), contiguous=True, name=name)
    return Number(size(node))


def analysed(page: Page) -> Outcome:
    source = ast.unparse(page.tree).encode()
    module = module_of(page.tree, source, names_of(page.tree, source), "kernels.py")
    found = kernel(module, page.kernel)
    assert found is not None
    none: list[Any] = [None if ast.unparse(entry) == "unknown" else size(entry) for entry in page.grid]
    positive = frozenset(Atom(name, ("size", name), True) for name in page.positive)
    words = tuple((word.arg or "", argument(word.value)) for word in page.launch.keywords)
    return outcome(found, Launch(tuple(none), tuple(map(argument, page.launch.args)), words, positive))


def parameters(page: Page) -> dict[int | str, str]:
    """The parameter of each place of the call."""
    (function,) = (node for node in page.tree.body if isinstance(node, ast.FunctionDef) and node.name == page.kernel)
    names = [found.arg for found in function.args.args]
    return dict(enumerate(names)) | {name: name for name in names}
