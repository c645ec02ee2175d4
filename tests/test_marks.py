"""What may give a name or an attribute another meaning is found wherever it stands."""

from __future__ import annotations

import ast

import pytest

from codemods.read.names import names_of
from codemods.read.patches import patched


@pytest.mark.parametrize(
    "line",
    [
        "torch.zeros = f",
        "x, torch.zeros = f, f",
        "x, [*torch.zeros] = f",
        "torch.zeros: object = f",
        "torch.zeros += f",
        "del torch.zeros",
        "for torch.zeros in f: pass",
        "for x, torch.zeros in f: pass",
        "with f as torch.zeros: pass",
        "with f as (x, torch.zeros): pass",
        "[0 for torch.zeros in f]",
        "[0 for x, torch . zeros in f]",
        "g([0 for x in f for torch.zeros in f])",
        "setattr(torch, 'zeros', f)",
        "g(setattr (torch, 'zeros', f))",
        "g(lambda: object.__setattr__(torch, 'zeros', f))",
        "mock.patch.object(torch, 'zeros')",
        "mock.patch \\\n ('torch.zeros')",
        "monkeypatch.setitem(torch, 'zeros', f)",
        "def g():\n    while f:\n        torch.zeros = f",
        "class C:\n    def g(self):\n        try: pass\n        except E: torch.zeros = f",
        "match f:\n    case 1: torch.zeros = f",
        "if (t := torch): t.zeros = f",
        "t = torch; t.zeros = f",
        "def g():\n    global torch; torch = f",
        "def g():\n    global \\\n  torch\n    torch = f",
        "def g():\n    global x, torch # why\n    torch = f",
    ],
)
def test_an_exchange_of_torch(line: str) -> None:
    source = f"import torch\n{line}\n"
    assert patched(ast.parse(source), source.encode()) is not None


@pytest.mark.parametrize(
    "line",
    [
        "self.zeros = f",
        "x = torch.zeros",
        "setattr(self, 'zeros', f)",
        "for x in torch.zeros: pass",
        "torch.zeros[0] = f",
    ],
)
def test_no_exchange_of_torch(line: str) -> None:
    source = f"import torch\n{line}\n"
    assert patched(ast.parse(source), source.encode()) is None


@pytest.mark.parametrize(
    "line",
    [
        "torch = f",
        "x, (y, *torch) = f",
        "torch: int = f",
        "torch += f",
        "del torch",
        "for torch in f: pass",
        "with f as torch: pass",
        "def torch(): pass",
        "class torch: pass",
        "try: pass\nexcept E as torch: pass",
        "match f:\n    case torch: pass",
        "match f:\n    case [*torch]: pass",
        "match f:\n    case {**torch}: pass",
        "g((torch := f))",
        "if (torch := f): pass",
        "@g(torch := f)\ndef h(): pass",
        "def h(x=(torch := f)): pass",
        "class C((torch := f)): pass",
        "[(torch := x) for x in f]",
        "match f:\n    case 1 if (torch := f): pass",
        "def g():\n    global torch\n    torch = f",
        "import other as torch",
        "from other import torch",
        "from other import *",
    ],
)
def test_a_name_that_is_bound_again(line: str) -> None:
    source = f"import torch\n{line}\n"
    assert "torch" not in names_of(ast.parse(source), source.encode()).apis


@pytest.mark.parametrize(
    "line",
    ["x = torch", "torch.x = f", "torch[0] = f", "# global torch\n", "[torch for torch in f]", "def g(torch): pass"],
)
def test_a_name_that_stays(line: str) -> None:
    source = f"import torch\n{line}\n"
    assert names_of(ast.parse(source), source.encode()).apis["torch"] == "torch"


@pytest.mark.parametrize(
    "line",
    [
        "x.shape = 3",
        "x.ndim = 3",
        "x . shape = 3",
        "x.y.shape += (1,)",
        "x.shape[0] = 3",
        "f(x).shape = 3",
        "a[f(1)].ndim = 2",
        "a = x.shape = 3",
        "a, x.shape = 1, 2",
        "(x.shape, a) = 1, 2",
        "(a,\n x.shape,\n b) = 1, 2, 3",
        "(a,\n x.shape) = 1, 2",
        "[\n x.shape,  # why\n] = [1]",
        "x.shape \\\n = 3",
        "x.shape: int = 3",
        "if a: x.shape = 3",
        "f(1); x.shape = 3",
        "def g():\n    for x.shape in y: pass",
        "for (x.shape, y) in z: pass",
        "[0 for x.shape in y]",
        "with a as x.shape: pass",
        "with a as (x.shape, b): pass",
        "del x.shape",
    ],
)
def test_a_shape_that_is_set(line: str) -> None:
    assert names_of(ast.parse(line), line.encode()).reshapes


@pytest.mark.parametrize(
    "line",
    [
        "y = x.shape",
        "y[0] = x.shape[0]",
        "f(x.shape, dtype=d)",
        "if x.shape == y: z = 1",
        "if x.ndim in (1, 2): z = 1",
        "shape = 3",
    ],
)
def test_a_shape_that_is_looked_at(line: str) -> None:
    assert not names_of(ast.parse(line), line.encode()).reshapes
