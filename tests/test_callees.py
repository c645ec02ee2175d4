"""Callees in other files and methods of classes: what is found, what is not, and what a decision rests on."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from codemods import Fixed, Options, Report, applicable, decide_file, plan, run, scan
from codemods.core.verdict import Decision
from codemods.read import summary

WRITE = "import torch\ndef write(out: torch.Tensor, x: torch.Tensor):\n    out.copy_(x)\n"
CALLER = """
    import torch
    {imports}
    def f(x: torch.Tensor):
        out = torch.zeros(4)
        {call}(out, x)
        return out
"""


def checkout(folder: Path, files: dict[str, str]) -> Path:
    """The files, and a package around each of them."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        for package in file.relative_to(folder).parents:
            if package != Path():
                (folder / package / "__init__.py").touch()
        file.write_text(textwrap.dedent(text))
    return folder


def caller(imports: str, call: str) -> str:
    return textwrap.dedent(CALLER).format(imports=imports, call=call)


def zeros(report: Report, path: str) -> Decision:
    (decision,) = [d for d in report.decisions if d.codemod == "zeros_to_empty" and d.path == path]
    return decision


WAYS = [
    ("from pkg.ops import write", "write"),
    ("from .ops import write", "write"),
    ("from .ops import write as w", "w"),
    ("from . import ops", "ops.write"),
    ("from pkg import ops as o", "o.write"),
    ("import pkg.ops as o", "o.write"),
    ("import pkg.ops", "pkg.ops.write"),
    ("from .sub import write", "write"),
    ("from .sub.deep import write", "write"),
    ("from .sub import other", "other"),
]
FILES = {
    "pkg/ops.py": WRITE,
    "pkg/sub/__init__.py": "from .deep import write\nfrom ..ops import write as other\n",
    "pkg/sub/deep.py": WRITE,
}


@pytest.mark.parametrize(("imports", "call"), WAYS)
def test_a_callee_in_another_file_is_seen_into(imports: str, call: str, tmp_path: Path) -> None:
    root = checkout(tmp_path, {**FILES, "pkg/a.py": caller(imports, call)})
    decision = zeros(run([root]), "pkg/a.py")
    assert decision.verdict == "proved"
    assert ("ops.py:3" in decision.because[0].text) or ("deep.py:3" in decision.because[0].text)


def test_a_file_alone_finds_what_it_imports(tmp_path: Path) -> None:
    root = checkout(tmp_path, {**FILES, "pkg/a.py": caller("from .ops import write", "write")})
    assert zeros(run([root / "pkg" / "a.py"]), "a.py").verdict == "proved"
    source = (root / "pkg" / "a.py").read_bytes()
    assert [d.verdict for d in decide_file(source, "a.py", path=root / "pkg" / "a.py").decisions] == ["proved"]
    assert [d.verdict for d in decide_file(source, "a.py").decisions] == ["unknown"]


def test_a_decision_says_which_files_it_rests_on(tmp_path: Path) -> None:
    root = checkout(tmp_path, {**FILES, "pkg/a.py": caller("from .sub import other", "other")})
    file = root / "pkg" / "a.py"
    looked = decide_file(file.read_bytes(), "a.py", path=file).looked
    files = {Path(one.place) for one in looked if one.kind == "file"}
    assert {root / "pkg" / "sub" / "__init__.py", root / "pkg" / "ops.py"} <= files
    alone = decide_file(b"import torch\nx = torch.zeros(3)\n", "a.py", path=file).looked
    assert [(one.kind, one.place, one.seen) for one in alone] == [("root", str(root / "pkg"), str(root))]


LAZY = """
import typing
if typing.TYPE_CHECKING:
    from .ops import write
def __getattr__(name):
    return print
"""
HIDDEN = [
    ("from .ops import write\nwrite = print", "write", {}),
    ("from . import ops\nops.write = print", "ops.write", {}),
    ("from . import ops\nsetattr(ops, 'write', print)", "ops.write", {}),
    ("from .ops import write\ndef g():\n    global write\n    write = print", "write", {}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "write = torch.no_grad()(write)\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "globals()['write'] = print\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "torch.Tensor.copy_ = print\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE.replace("import torch", "import torch\nif torch:")}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE.replace("def", "@torch.jit.script\ndef")}),
    ("from .ops import write", "write", {"pkg/ops.py": "def write(out, x"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "from elsewhere import *\n"}),
    ("from . import ops", "ops.write", {"pkg/__init__.py": "from .sub import other as ops\n"}),
    ("from ...ops import write", "write", {}),
    ("from . import ops\nsetattr(ops, 'wr' + 'ite', print)", "ops.write", {}),
    ("from . import ops\nops.__dict__['write'] = print", "ops.write", {}),
    ("from . import ops\nvars(ops)['write'] = print", "ops.write", {}),
    ("from unittest import mock\nfrom . import ops\nmock.patch.object(ops, 'write', print).start()", "ops.write", {}),
    ("from .ops import write\nexec('write = print')", "write", {}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "write.__code__ = print.__code__\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "write.__defaults__ = (1, 2)\n"}),
    (
        "from .ops import write",
        "write",
        {"pkg/ops.py": WRITE.replace("def write", "def staticmethod(f): return print\n@staticmethod\ndef write")},
    ),
    ("from . import sub\nsub.other = print", "sub.other", {}),
    ("from . import ops\nops.other = print", "ops.other", {"pkg/ops.py": WRITE + "other = write\n"}),
    (
        "from .ops import write",
        "write",
        {"pkg/ops.py": WRITE + "import sys\nfor n in ['write']: setattr(sys.modules[__name__], n, print)\n"},
    ),
    # a table of names under another name, or given to somebody
    ("from . import ops\nd = ops.__dict__\nd['write'] = print", "ops.write", {}),
    ("from . import ops\nd = vars(ops)\nd['write'] = print", "ops.write", {}),
    ("from unittest import mock\nfrom . import ops\nmock.patch.dict(ops.__dict__, write=print)", "ops.write", {}),
    ("from .ops import write\ndef g(): 0\ng.__globals__['write'] = print", "write", {}),
    # what is set is said by keywords, or by a name
    ("from unittest import mock\nfrom .ops import write\nmock.patch(target='pkg.a.write', new=print)", "write", {}),
    ("from unittest import mock\nfrom .ops import write\nmock.patch.multiple('pkg.a', write=print)", "write", {}),
    ("from unittest import mock\nfrom . import ops\nmock.patch.object(ops, attribute='write')", "ops.write", {}),
    ("from unittest import mock\nfrom . import ops\nn = 'write'\nmock.patch.object(ops, n, print)", "ops.write", {}),
    # what the first line of a function or a class binds
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "def g(a=(write := print)): 0\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "def g() -> (write := print): 0\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "@torch.compile(write := print)\ndef g(): 0\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "class C(type(write := print)): 0\n"}),
    (
        "from .ops import write",
        "write",
        {"pkg/ops.py": WRITE + "try: pass\nexcept ((write := print) and KeyError): 0\n"},
    ),
    # other ways to the names of a module, and to the code of a function
    (
        "from .ops import write",
        "write",
        {"pkg/ops.py": WRITE + "import sys\nsys._getframe().f_globals['write'] = print\n"},
    ),
    ("from . import ops\ngetattr(ops, '__dict__')['write'] = print", "ops.write", {}),
    ("from .ops import write\nn = '__code__'\nsetattr(write, n, print)", "write", {}),
    # generators that do not look like one
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "    f = lambda a=(yield): 0\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "    def g(a=(yield)): 0\n"}),
    ("from .ops import write", "write", {"pkg/ops.py": WRITE + "    class C((yield) or object): 0\n"}),
    # what is imported for those who check types only
    ("from .lazy import write", "write", {"pkg/lazy.py": LAZY}),
    ("from . import lazy", "lazy.write", {"pkg/lazy.py": LAZY}),
    # a module that puts something else in its place
    ("from . import ops", "ops.write", {"pkg/ops.py": WRITE + "import sys\nsys.modules['pkg.ops'] = print\n"}),
    ("from . import ops", "ops.write", {"pkg/ops.py": WRITE + "import sys\nsys.modules['pkg.ops'].__class__ = 0\n"}),
    ("from elsewhere import write", "write", {}),
    (
        "from .one import write",
        "write",
        {"pkg/one.py": "from .two import write\n", "pkg/two.py": "from .one import write\n"},
    ),
]


@pytest.mark.parametrize(("imports", "call", "others"), HIDDEN)
def test_what_a_name_stands_for_must_be_certain(
    imports: str, call: str, others: dict[str, str], tmp_path: Path
) -> None:
    files = {**FILES, **{name: text.replace("torch:\ndef", "torch:\n  def") for name, text in others.items()}}
    root = checkout(tmp_path, {**files, "pkg/a.py": caller(imports, call)})
    decision = zeros(run([root]), "pkg/a.py")
    assert decision.reason is not None
    assert decision.reason.code == "unseen-call"


BASE = """
    import torch
    class Base:
        def write(self, out: torch.Tensor, x: torch.Tensor):
            {base}
        def f(self, x: torch.Tensor):
            out = torch.zeros(4)
            self.write(out, x)
            return out
"""


ABOVE = "from .s import S\nclass Base(S):"


def base(body: str = "out.copy_(x)", extra: str = "") -> str:
    return textwrap.dedent(BASE).format(base=body) + extra


ABSTRACT = (
    base("pass")
    .replace("class Base", "from abc import abstractmethod\nclass Base")
    .replace("    def write", "    @abstractmethod\n    def write")
    + "class B(Base):\n    def write(self, out, x): out.copy_(x)\n"
)
ALL_OF_IT = [
    {},
    {"pkg/a.py": ABSTRACT.replace("class Base", "from abc import ABC\nclass Base(ABC)")},
    {"pkg/a.py": ABSTRACT.replace("class Base", "import abc\nclass Base(torch.nn.Module, metaclass=abc.ABCMeta)")},
    {
        "pkg/a.py": ABSTRACT.replace(
            "class Base", "from typing import Protocol, TypeVar\nclass Base(Protocol[TypeVar('T')])"
        )
    },
    {"pkg/a.py": ABSTRACT.replace("        pass", "        raise NotImplementedError")},
    {"pkg/b.py": "from .a import Base\nclass B(Base):\n    def write(self, out, x):\n        out[:] = x\n"},
    {"pkg/b.py": "from .a import Base as O\nclass B(O): 0\nclass C(B):\n    def write(self, out, x): out[:] = x\n"},
    {"pkg/b.py": "class Base: pass\nclass B(Base):\n    def write(self, out, x):\n        pass\n"},
    {"pkg/a.py": base("raise NotImplementedError", "class B(Base):\n    def write(self, out, x): out.copy_(x)\n")},
    {"pkg/a.py": base().replace("    def write(self, ", "    @staticmethod\n    def write(")},
    {"pkg/a.py": base().replace("    def write(self, ", "    @classmethod\n    def write(cls, ")},
    {
        "pkg/a.py": base("self.inner(x, out=out)", "    def inner(self, x, out):\n        out.copy_(x)\n").replace(
            "class Base:", "class Base:"
        )
    },
    {
        "pkg/a.py": base()
        .replace("class Base:", "from .b import Above\nclass Base(Above):")
        .replace("    def write", "    def other"),
        "pkg/b.py": "class Above:\n    def write(self, out, x):\n        out.copy_(x)\n",
    },
]


@pytest.mark.parametrize("files", ALL_OF_IT)
def test_a_method_is_seen_into_in_a_closed_world(files: dict[str, str], tmp_path: Path) -> None:
    root = checkout(tmp_path, {"pkg/a.py": base(), **files})
    decision = zeros(run([root]), "pkg/a.py")
    assert (decision.verdict, decision.assumes) == ("assumed", ("closed-world",))
    assert not applicable(decision, Options())
    assert applicable(decision, Options(assume=("closed-world",)))


NOT_ALL = [
    # a method that is abstract, in a class of which objects are made
    {"pkg/a.py": ABSTRACT},
    {"pkg/a.py": ABSTRACT.replace("class Base", "class Base(torch.nn.Module)")},
    {"pkg/a.py": ABSTRACT.replace("class Base", "from .o import ABC\nclass Base(ABC)"), "pkg/o.py": "class ABC: 0\n"},
    {"pkg/a.py": ABSTRACT.replace("from abc", "from .o").replace("class Base", "import abc\nclass Base(abc.ABC)")},
    {"pkg/b.py": "from .a import Base\nclass B(Base):\n    def write(self, out, x):\n        pass\n"},
    {"pkg/b.py": "from .a import Base as O\nclass B(O): 0\nclass C(B):\n    def write(self, out, x):\n        pass\n"},
    {"pkg/b.py": "from . import a\nclass B(a.Base):\n    def write(self, out, x):\n        return out.sum()\n"},
    {"pkg/b.py": "from .a import Base\nclass B(Base):\n    write = print\n"},
    {"pkg/b.py": "from .a import Base\ndef make():\n    class B(Base):\n        def write(self, out, x): 0\n"},
    {"pkg/b.py": "from .a import Base\nclass B(Base):\n    def __init__(self):\n        self.write = print\n"},
    {"pkg/b.py": "from .a import Base\nBase.write = print\nclass B(Base): pass\n"},
    {"pkg/a.py": base(extra="Base.write = print\n")},
    {"pkg/a.py": base(extra="setattr(Base, 'wr' + 'ite', print)\n")},
    {"pkg/a.py": base(extra="    def __getattribute__(self, name):\n        return print\n")},
    {"pkg/a.py": base().replace("    def write(self", "    @torch.jit.ignore\n    def write(self")},
    {"pkg/a.py": base().replace("    def write", "    @property\n    def write")},
    {"pkg/a.py": base("self.f(x)")},
    {"pkg/a.py": base().replace("self.write(out, x)", "self = None\n        self.write(out, x)")},
    {
        "pkg/a.py": base()
        .replace("class Base:", "from elsewhere import Above\nclass Base(Above):")
        .replace("    def write", "    def other")
    },
    {"pkg/a.py": base().replace("class Base:", "from elsewhere import deco\n@deco\nclass Base:")},
    # a class above gives it something else
    {
        "pkg/a.py": base().replace("class Base:", ABOVE),
        "pkg/s.py": "class S:\n  def __init__(self): self.write = print\n",
    },
    {
        "pkg/a.py": base().replace("class Base:", ABOVE),
        "pkg/s.py": "class S:\n  def __init_subclass__(c): c.write = print\n",
    },
    {"pkg/a.py": base().replace("class Base:", ABOVE), "pkg/s.py": "class S:\n  def __getattribute__(self, n): 0\n"},
    {"pkg/a.py": base().replace("class Base:", ABOVE), "pkg/s.py": "class M(type): 0\nclass S(metaclass=M): 0\n"},
    {"pkg/a.py": base().replace("class Base:", "class Base(metaclass=print):")},
    {"pkg/a.py": base(extra="    def __init__(self):\n        self.__dict__['write'] = print\n")},
    {"pkg/a.py": base(extra="    def __init__(self, **k):\n        self.__dict__.update(k)\n")},
    {"pkg/a.py": base(extra="    def __init__(self):\n        d = self.__dict__\n        d['write'] = print\n")},
    {"pkg/a.py": base(extra="    def __init__(self, k):\n        self.__setattr__(k, print)\n")},
    {"pkg/a.py": base(extra="    def __init__(self, k):\n        super().__setattr__(k, print)\n")},
    {"pkg/a.py": base(extra="    def __init__(self):\n        object.__setattr__(self, 'write', print)\n")},
    # a decorator of the class's own
    {
        "pkg/a.py": base()
        .replace("    def f(", "    def staticmethod(f): return print\n    def f(")
        .replace("    def write(self, ", "    @staticmethod\n    def write(")
    },
    # overrides that are no plain `def`
    {"pkg/a.py": base(extra="class B(Base):\n    if torch:\n        def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="class B(Base):\n    write: object = print\n")},
    {"pkg/a.py": base(extra="class B(Base):\n    write, other = print, print\n")},
    {"pkg/a.py": base(extra="class B(Base):\n    for write in [print]: pass\n")},
    {"pkg/a.py": base(extra="class B(Base):\n    locals()['write'] = print\n")},
    {"pkg/a.py": base().replace("write", "__write") + "class B(Base):\n    def _Base__write(self, out, x): pass\n"},
    {
        "pkg/a.py": base(extra="    def __init__(self): setattr(self, '_Base' '__write', 0)\n").replace(
            "write(", "__write("
        )
    },
    # a class of the same name stands beside it
    {
        "pkg/o.py": "class Base: 0\n",
        "pkg/b.py": "from .o import Base\ntry:\n    from .a import Base as Z\nexcept ImportError:\n    Z = object\n"
        "class B(Base, Z):\n    def write(self, out, x): pass\n",
    },
    # subclasses that name their base in another way
    {"pkg/a.py": base(extra="class B(namedtuple('P', 'x'), Base):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="class B(  # (new)\n    Base\n):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="Old = Base\nclass B(Old):\n    def write(self, out, x): pass\n")},
    {
        "pkg/c.py": "from .a import Base as M\n",
        "pkg/b.py": "from .c import M\nclass B(M):\n  def write(self, out, x): 0\n",
    },
    {"pkg/b.py": "from .a import Base as O\nclass B(O):\n  def write(self, out, x): 0\ndef f(): import os as O\n"},
    # bases that are computed, or given to a function
    {"pkg/a.py": base(extra="B0 = [Base][0]\nclass B(B0):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="B0, B1 = Base, 1\nclass B(B0):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="X = Base\nY = X\nclass B(Y):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="X = Y = Base\nclass B(Y):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="def pick(): return Base\nclass B(pick()):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="every = [Base]\nclass B(*every):\n    def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="for Z in [Base]:\n    class B(Z):\n        def write(self, out, x): pass\n")},
    {"pkg/a.py": base(extra="if (W := Base):\n    class B(W):\n        def write(self, out, x): pass\n")},
    {
        "pkg/c.py": "from .a import Base\nOther = [Base][0]\n",
        "pkg/b.py": "from .c import Other\nclass B(Other):\n    def write(self, out, x): pass\n",
    },
    {
        "pkg/c.py": "from . import a\nX = a.Base\n",
        "pkg/b.py": "from .c import X\nY = X\nclass B(Y):\n    def write(self, out, x): pass\n",
    },
    {
        "pkg/c.py": "from . import a\nX = getattr(a, 'Ba' + 'se')\nclass M(X): 0\n",
        "pkg/b.py": "from .c import M\nclass B(M):\n    def write(self, out, x): pass\n",
    },
    {"pkg/b.py": "def mixed(Z):\n    class B(Z):\n        def write(self, out, x): pass\n    return B\n"},
    {
        "pkg/b.py": "class Other: 0\ndef mixed(Other):\n    class B(Other):\n"
        "        def write(self, out, x): pass\n    return B\n",
    },
    # a base that is computed, and one beside it that comes first
    {
        "pkg/w.py": "class W:\n    def write(self, out, x): pass\n",
        "pkg/b.py": "from .w import W\nfrom .c import pick\nclass B(W, pick()): pass\n",
    },
    {
        "pkg/w.py": "class W:\n    def __init__(self): self.write = print\n",
        "pkg/v.py": "from .w import W as Q\nclass V(Q): pass\n",
        "pkg/b.py": "from .v import V\nfrom .c import pick\nclass B(V, pick()): pass\n",
    },
    {"pkg/b.py": "from .c import pick\nclass B(pick()):\n    def __init__(self): self.write = print\n"},
    # classes that a plain search does not find
    {"pkg/b.py": "from .a import Base\nclass \\\n        B(Base):\n    def write(self, out, x): pass\n"},
    {"pkg/b.py": "from .a import Base\nclass B(\uff22ase):\n    def write(self, out, x): pass\n"},
    {"pkg/b.py": "from .a import Base\nclass B\u00e9(Base):\n    def write(self, out, x): pass\n"},
    {"pkg/b.py": "from .a import Base\nclass B[T: dict[str, int]](Base):\n    def write(self, out, x): pass\n"},
    # classes that a call makes
    {"pkg/b.py": "from .a import Base\nB = type(Base)('B', (Base,), {'write': print})\n"},
    {"pkg/a.py": base(extra="B = type('B', (Base,), {'write': print})\n")},
    {"pkg/b.py": "from . import a\nB = type('B', (a.Base,), dict(write=print))\n"},
    {"pkg/b.py": "def sub(base):\n    return type(base.__name__, (base,), {'write': print})\n"},
    {"pkg/b.py": "import types\nfrom . import a\nB = types.new_class('B', (a.Base,), {}, print)\n"},
    {"pkg/b.py": "from . import a\nfrom abc import ABCMeta\nB = ABCMeta('B', (a.Base,), {'write': print})\n"},
    {"pkg/b.py": "from . import a\nclass B: write = print\nB.__bases__ = (a.Base,)\n"},
    {"pkg/b.py": "import dataclasses as d\nfrom .a import Base\nd.make_dataclass('B', [], bases=(Base,))\n"},
    # a method is exchanged in a file that has nothing else to do with the class
    {"pkg/b.py": "from .a import Base\nBase.write = print\n"},
    {"pkg/b.py": "from . import a\na.Base.write = print\n"},
    {"pkg/b.py": "from .a import Base\nBase.write: object = print\n"},
    {"pkg/b.py": "from .a import Base\nBase.write, was = print, Base.write\n"},
    {"pkg/a.py": base().replace("Base", "low"), "pkg/b.py": "from .a import low\nlow.write = print\n"},
    {"pkg/b.py": "from . import a\nsetattr(a.Base, 'write', print)\n"},
    {"pkg/b.py": "from . import a\nfor name in ['write']: setattr(a.Base, name, print)\n"},
    {"pkg/b.py": "from . import a\nsa = setattr\nsa(a.Base, 'write', print)\n"},
    {"pkg/a.py": base(extra="sa = setattr\nsa(Base, 'write', print)\n")},
    {"pkg/b.py": "from functools import partial\nfrom . import a\npartial(setattr, a.Base)('wri' + 'te', print)\n"},
    # a field of a dataclass above it, which its `__init__` sets
    {
        "pkg/a.py": base().replace("class Base:", ABOVE),
        "pkg/s.py": "import dataclasses as d\n@d.dataclass\nclass S:\n    write: object = print\n",
    },
    # metaclasses and decorators that are called as known ones are
    {"pkg/a.py": base().replace("class Base:", "class ABCMeta(type): 0\nclass Base(metaclass=ABCMeta):")},
    {"pkg/a.py": base().replace("class Base:", "from .b import dataclass\n@dataclass\nclass Base:"), "pkg/b.py": ""},
    # a function that is found on a class is given no receiver
    {
        "pkg/a.py": base("out.copy_(1)")
        .replace("    def f(self", "    @classmethod\n    def f(self")
        .replace("write(out, x)", "write(x, out)")
        .replace("self, out: torch.Tensor, x: torch.Tensor", "self, x, out=None")
    },
]


@pytest.mark.parametrize("files", NOT_ALL)
def test_every_override_must_write_it(files: dict[str, str], tmp_path: Path) -> None:
    root = checkout(tmp_path, {"pkg/a.py": base(), **files})
    decision = zeros(run([root]), "pkg/a.py")
    assert decision.verdict in ("unknown", "refuted")


def test_an_override_in_a_file_alone_counts() -> None:
    text = base(extra="class B(Base):\n    def write(self, out, x): pass\n")
    (decision,) = decide_file(text.encode(), "a.py").decisions
    assert decision.verdict == "unknown"
    (decision,) = decide_file(base().encode(), "a.py").decisions
    assert decision.verdict == "assumed"


def test_the_override_that_does_not_is_named(tmp_path: Path) -> None:
    both = "from .a import Base\nclass B(Base):\n    def write(self, out, x):\n        out[1:] = x[1:]\n"
    decision = zeros(run([checkout(tmp_path, {"pkg/a.py": base(), "pkg/b.py": both})]), "pkg/a.py")
    assert decision.reason is not None
    told = " ".join(step.text for step in decision.reason.witness)
    assert "1 of 2 implementations write all of it; B.write does not" in told
    assert "pkg/b.py:4" in told


def test_an_assumption_is_not_named_where_nothing_rests_on_it(tmp_path: Path) -> None:
    text = base().replace("        self.write(out, x)", "        out.copy_(x)\n        self.write(out, x)")
    decision = zeros(run([checkout(tmp_path, {"pkg/a.py": text})]), "pkg/a.py")
    assert (decision.verdict, decision.assumes) == ("proved", ())


def test_an_assumption_counts_where_the_callee_does_nothing(tmp_path: Path) -> None:
    text = base("pass").replace("        return out", "        out.copy_(x)\n        return out")
    decision = zeros(run([checkout(tmp_path, {"pkg/a.py": text})]), "pkg/a.py")
    assert (decision.verdict, decision.assumes) == ("assumed", ("closed-world",))


def test_the_first_reader_of_what_is_kept_is_named() -> None:
    text = """
import torch
class A:
    def __init__(self, n: int):
        self.buffer = torch.zeros(n)
    def look(self, n: int):
        return n, self.buffer.sum()
    def again(self):
        return self.buffer
"""
    (decision,) = decide_file(text.encode(), "a.py").decisions
    assert decision.reason is not None
    assert decision.reason.code == "kept"
    assert "kept in self.buffer, which look() uses at line 7" in decision.reason.message


OPTIONAL = """
import torch
def g(out: torch.Tensor, x: torch.Tensor, bias{note} = None):
    if bias is None:
        return
    out.copy_(x)
def f(x: torch.Tensor, {given}):
    out = torch.zeros(4)
    g(out, x, {passed})
    return out
"""


@pytest.mark.parametrize("note", ["", ": torch.Tensor", ": int"])
@pytest.mark.parametrize(
    ("given", "passed"),
    [("bias=None", "bias"), ("bias: torch.Tensor = None", "bias"), ("bias: int = None", "bias"), ("*rest", "*rest")],
)
def test_what_may_be_none_by_default_may_be_none(note: str, given: str, passed: str) -> None:
    text = OPTIONAL.format(note=note, given=given, passed=passed)
    (decision,) = decide_file(text.encode(), "a.py").decisions
    assert decision.verdict in ("unknown", "refuted")


def test_a_parameter_that_cannot_be_none_is_not() -> None:
    text = OPTIONAL.format(note="", given="bias: torch.Tensor", passed="bias")
    (decision,) = decide_file(text.encode(), "a.py").decisions
    assert decision.verdict == "proved"


WALKED_LATER = [
    "s = list([map(torch.sum, [out])][0])",
    "s = list(zip([1], map(torch.sum, [out])))",
    "s = walk(map(torch.sum, [out]))",
    "s = list(lazy(out))",
    "s = list(lazy(out, True))",
    "s = next(made(out))",
    "s = walk(t.sum() for t in [out])",
    "s = method(out)()",
]


@pytest.mark.parametrize("line", WALKED_LATER)
def test_what_runs_later_may_look(line: str) -> None:
    text = f"""
import torch
def walk(it):
    (a,) = it
    return a
def lazy(x, both=False):
    return filter(torch.any, [x]) if both else map(torch.sum, [x])
def made(x):
    return (t.sum() for t in [x])
def method(x):
    return x.sum
def f(x):
    out = torch.zeros(3)
    {line}
    out.copy_(x)
    return s, out
"""
    (decision,) = [d for d in decide_file(text.encode(), "a.py").decisions if d.codemod == "zeros_to_empty"]
    assert decision.verdict in ("unknown", "refuted")


def test_a_plan_reads_the_files_around_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = caller("from pkg.ops import write", "write")
    root = checkout(tmp_path, {"pkg/ops.py": WRITE, "pkg/a.py": call, "pkg/b.py": call, "pkg/c.py": call})
    made: list[summary.Checkout] = []
    real = summary.Summaries

    def counted(around: summary.Checkout) -> summary.Summaries:
        made.append(around)
        return real(around)

    files = scan([root]).files
    monkeypatch.setattr(summary, "Summaries", counted)
    fixed = list(plan(files, [root], Options()))
    assert [b"torch.empty(4)" in item.change.after for item in fixed if isinstance(item, Fixed)] == [True] * 3
    assert len(made) == 1
