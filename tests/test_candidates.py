"""Which functions are read at all."""

from __future__ import annotations

import ast
import sys

import pytest
from commands import ROOT

from codemods.core.syntax import walk
from codemods.read.candidates import Lines, scopes
from codemods.read.names import names_of

BARE = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
NEWER = """
type Pair[T] = tuple[T, T]
def f[T: int](a: T) -> T: return f"{a!r:>{a}}"
try: pass
except* ValueError as error: pass
match f:
    case {"x": 1, **rest}: pass
    case [1, *y] | str(z): pass
    case None as z: pass
"""


def found(body: str, head: str = "import torch\n") -> list[str]:
    source = head + body
    tree = ast.parse(source)
    names = names_of(tree, source.encode())
    return [name for _, name, _, _ in scopes(tree, names, Lines(source.encode()))]


@pytest.mark.parametrize(
    "body",
    [
        "x = torch.empty(n)\n    return x",
        "return g(torch.empty(n))",
        "self.x = torch.empty_like(n)",
        "if n:\n        x = n.new_empty(3)\n    return x",
        "x = np.zeros(n)\n    x = x + 1",
        "x = torch.empty(n)\n    n = n.view(3)\n    n = n - 1",
        "x = n\n    x = torch.empty(n)",
        "if n:\n        x = torch.empty(n)\n    else:\n        x = torch.randn(n)",
        "if n:\n        x = torch.empty(n)\n    elif g:\n        if f:\n            x = torch.empty_like(n)",
        "x = torch.randn(n)",
    ],
)
def test_a_function_without_a_candidate(body: str) -> None:
    assert found(f"import numpy as np\ndef f(n):\n    {body}\n") == []


@pytest.mark.parametrize(
    "body",
    [
        "x = torch.zeros(n)",
        "x = zeros(n)",
        "x = torch.empty(n).zero_()",
        "n.fill_(3)",
        "for _ in n:\n        x = torch.empty(n)",
        "x = torch.empty(n)\n    x = x - 1",
        "if n:\n        x = torch.empty(n)\n    x = n",
        "if n:\n        x = torch.empty(n)\n    else:\n        x = 3\n    del x",
        "if (x := torch.empty(n)):\n        x = torch.empty(n); x = n",
        "x = torch.empty(n); x = n",
        "try:\n        x = torch.empty(n)\n    except E:\n        x = n",
        "def g():\n        nonlocal x\n    x = torch.empty(n)",
        "x = torch.empty(n)\n    for x in n: pass",
        "x = torch.empty(n)\n    def g():\n        nonlocal x",
        "x = torch.empty(n)\n    try: pass\n    except E as x: pass",
        "x = torch.empty(n)\n    import x",
        "x = torch.empty(n)\n    import x.y",
        "x = torch.empty(n)\n    import y as x",
        "x = torch.empty(n)\n    def x(): pass",
        "x = torch.empty(n)\n    class x: pass",
        "x = torch.empty(n)\n    del x",
        "x = torch.empty(n)\n    match n:\n        case {**x}: pass",
        "x = torch.empty(n)\n    match n:\n        case [*x]: pass",
        "x = torch.empty(n)\n    match n:\n        case x: pass",
        "x: torch.Tensor = torch.empty(n)\n    (x := n)",
    ],
)
def test_a_function_with_a_candidate(body: str) -> None:
    assert found(f"def f(n):\n    {body}\n", "import torch\nfrom torch import zeros\n") == ["f"]


def test_scopes_are_told_apart() -> None:
    body = """
x = torch.zeros(1)
class C:
    y = torch.ones(1)
    def f(self, z=torch.zeros(1)):
        def g():
            return torch.zeros(2)
        return (lambda: torch.zeros(3)), lambda: 3
"""
    assert found(body) == ["<module>", "C", "C.f.g", "C.f.<lambda>"]


def test_a_walk_leaves_out_contexts_and_operators_alone() -> None:
    sources = [path.read_text("utf-8") for path in sorted((ROOT / "codemods" / "read").glob("*.py"))]
    for source in [*sources, *([NEWER] if sys.version_info >= (3, 12) else [])]:
        tree = ast.parse(source)
        assert set(walk(tree)) == {node for node in ast.walk(tree) if not isinstance(node, BARE)}
