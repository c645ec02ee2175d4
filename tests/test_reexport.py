"""Modules of a checkout that hand on Triton: which of them need no assumption."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_callees import checkout

from codemods import Options, decide_file, run
from codemods.core.verdict import Decision

IMPORTED = """
    from .missing import Language, Missing
    if HAS:
        import triton
        import triton.language as tl
    else:
        triton = Missing()
        tl = Language()
"""
PLACEHOLDER = """
    import types

    class Missing(types.ModuleType):
        def __init__(self):
            super().__init__("triton")
            self.__version__ = "3.0.0"
            self.jit = self._decorator("jit")
            self.Config = self._decorator("Config")
            self.language = Language()

        def _decorator(self, name):
            def decorator(*args, **kwargs):
                if args and callable(args[0]):
                    return args[0]
                return lambda f: f
            return decorator

    class Language(types.ModuleType):
        def __init__(self):
            super().__init__("triton.language")
            self.constexpr = None
"""
PLAIN = """
    class Missing:
        version = "3.0.0"
        def jit(self, function=None, **options):
            if function is None:
                return lambda f: f
            return function
    class Language: pass
"""
USER = """
    import torch
    from pkg.compat import tl, triton

    @triton.jit
    def fill(out, n, B: tl.constexpr):
        at = tl.program_id(0) * B + tl.arange(0, B)
        tl.store(out + at, 1.0, mask=at < n)

    def f(n: int):
        out = torch.zeros(n, device="cuda")
        fill[(triton.cdiv(n, 64),)](out, n, 64)
        return out
"""
SETTLED = {
    "triton, or a placeholder": (IMPORTED, PLACEHOLDER),
    "a plain class": (IMPORTED, PLAIN),
    "triton alone": ("import triton\nfrom triton import language as tl\n", ""),
    "through a second module": ("from .inner import tl, triton\n", ""),
    "where the import fails": (
        "from .missing import *\n".replace("*", "Language, Missing")
        + "try:\n    import triton\n    import triton.language as tl\n"
        + "except ImportError:\n    triton = Missing()\n    tl = Language()\n",
        PLAIN,
    ),
}


def decided(folder: Path, compat: str, missing: str, user: str = USER) -> Decision:
    inner = "import triton\nimport triton.language as tl\n"
    files = {"pkg/compat.py": compat, "pkg/missing.py": missing, "pkg/inner.py": inner, "pkg/a.py": user}
    report = run([checkout(folder, files)], Options(select=("zeros_to_empty",)))
    (decision,) = [decision for decision in report.decisions if decision.path == "pkg/a.py"]
    return decision


@pytest.mark.parametrize("way", SETTLED)
def test_a_module_that_hands_on_triton_or_a_placeholder_is_no_assumption(way: str, tmp_path: Path) -> None:
    decision = decided(tmp_path, *SETTLED[way])
    assert (decision.verdict, decision.assumes) == ("proved", ())


OTHERS = {
    "another library": IMPORTED.replace("Missing()", "mock.MagicMock()"),
    "a class that is not here": IMPORTED.replace(".missing", "elsewhere"),
    "a call with arguments": IMPORTED.replace("Missing()", "Missing(fake)"),
    "a function": IMPORTED.replace("from .missing", "def Missing(): return fake\n    from .missing").replace(
        "Language, Missing", "Language"
    ),
    "another language": IMPORTED.replace("import triton.language as tl", "from shop import tl"),
    "another module": IMPORTED.replace("import triton.language as tl", "import shop.language as tl"),
    "no triton at all": IMPORTED.replace("import triton\n", "pass\n"),
    "a name that is bound again": IMPORTED + "    tl = wrap(tl)\n",
    "a name that a loop binds": IMPORTED + "    for tl in (): pass\n",
    "a name that a function binds": IMPORTED + "    def use():\n        global tl\n        tl = fake\n",
    "names that are not written out": IMPORTED + "    from .missing import *\n",
    "triton with other functions": IMPORTED + "    if HAS:\n        triton.jit = fake\n",
    "a global that is set": IMPORTED + "    globals()['tl'] = fake\n",
}


@pytest.mark.parametrize("way", OTHERS)
def test_any_other_module_stays_an_assumption(way: str, tmp_path: Path) -> None:
    assert decided(tmp_path, OTHERS[way], PLACEHOLDER).assumes == ("reexport:pkg.compat",)


GIVING = {
    "a kernel that can be launched": PLAIN.replace("return function", "return Launcher(function)"),
    "a mock": PLAIN.replace("class Missing:", "class Missing(MagicMock):"),
    "any attribute": PLAIN.replace("def jit", "def __getattr__"),
    "something that is set": PLAIN.replace("version =", "jit =").replace('"3.0.0"', "launcher"),
    "a captured object": PLAIN.replace("lambda f: f", "lambda f: self.launcher"),
    "a default": PLAIN.replace("function=None", "function=launcher"),
    "an item": PLACEHOLDER.replace("return args[0]", "return kwargs['fake']"),
    "an attribute from elsewhere": PLACEHOLDER.replace('self._decorator("jit")', "launcher()"),
    "another class": PLACEHOLDER.replace('super().__init__("triton")', "self.__class__ = Launcher"),
    "a decorated class": PLAIN.replace("class Missing", "@exchange\n    class Missing"),
    "a metaclass": PLAIN.replace("class Missing", "class Missing(metaclass=Meta)"),
    "a decorated method": PLAIN.replace("def jit", "@property\n        def jit"),
    "a number": PLAIN.replace("def jit", "def cdiv(self, a, b):\n            return a\n        def jit"),
    "an attribute that is set on the class": PLAIN + "    Missing.jit = launcher\n",
    "an attribute that is set by name": PLAIN + "    setattr(Missing, 'jit', launcher)\n",
    "a class that is defined twice": PLAIN + PLAIN,
}


@pytest.mark.parametrize("way", GIVING)
def test_a_placeholder_that_may_launch_stays_an_assumption(way: str, tmp_path: Path) -> None:
    assert decided(tmp_path, IMPORTED, GIVING[way]).assumes == ("reexport:pkg.compat",)


@pytest.mark.parametrize(
    "patch",
    [
        "tl.store = other",
        "setattr(triton, 'jit', other)",
        "t = tl\n    t.store = other",
        "def g():\n        from pkg.compat import tl as t\n        t.store = other",
    ],
)
def test_a_file_that_gives_it_other_functions_keeps_the_assumption(patch: str, tmp_path: Path) -> None:
    decision = decided(tmp_path, *SETTLED["a plain class"], f"{USER}\n    {patch}\n")
    assert decision.assumes == ("reexport:pkg.compat",) or decision.verdict == "unknown"


def test_a_submodule_of_the_name_keeps_the_assumption(tmp_path: Path) -> None:
    checkout(tmp_path, {"pkg/compat/tl.py": "def store(*given): pass\n"})
    (tmp_path / "pkg" / "compat" / "__init__.py").write_text("import triton\nimport triton.language as tl\n")
    checkout(tmp_path, {"pkg/a.py": USER})
    (decision,) = run([tmp_path], Options(select=("zeros_to_empty",))).decisions
    assert decision.assumes == ("reexport:pkg.compat",)


def test_a_decision_rests_on_the_module_and_the_placeholder(tmp_path: Path) -> None:
    from codemods import scan

    decided(tmp_path, *SETTLED["a plain class"])
    found = {file.name: found for file, found in scan([tmp_path]).files}["pkg/a.py"]
    assert {tmp_path / "pkg" / "compat.py", tmp_path / "pkg" / "missing.py"} <= {
        Path(one.place) for one in found.looked
    }


MIXED = [
    "import triton\n    from shop import tl",
    "import triton\n    from shop.tl import language\n    import triton.language as tl",
    "import triton\n    import triton.language as tl\n    import shop",
]


@pytest.mark.parametrize("imports", MIXED)
def test_a_kernel_that_names_another_language_rests_on_it(imports: str, tmp_path: Path) -> None:
    name = {"language": "language", "shop": "shop.tl"}.get(imports.split()[-1], "tl")
    name = "language" if "import language" in imports else name
    user = USER.replace("from pkg.compat import tl, triton", imports).replace("tl.store(", f"{name}.store(")
    decision = decided(tmp_path, "", "", user)
    assert decision.assumes == ("reexport:shop",) or decision.verdict == "unknown"


# --- imports inside kernels

HELPERS = """
    from ..compat import tl, triton
    SCALE = 2
    @triton.jit
    def put(out, at, value, n):
        tl.store(out + at, value * SCALE, mask=at < n)
    @triton.jit
    def off(block: tl.constexpr):
        return tl.program_id(0) * block + tl.arange(0, block)
"""
RELATIVE = """
    import torch
    from ..compat import tl, triton
    from .helpers import off as place, put
    @triton.jit
    def fill(out, n, B: tl.constexpr):
        put(out, place(B), 1.0, n)
    def f(n: int):
        out = torch.zeros(n)
        fill[(triton.cdiv(n, 128),)](out, n, B=128)
        return out
"""
COMPAT = """
    import triton
    import triton.language as tl
"""


def relative(tmp_path: Path, inits: bool = True, **changed: str) -> list[Decision]:
    files = {"pkg/__init__.py": "", "pkg/compat.py": COMPAT, "pkg/sub/helpers.py": HELPERS, "pkg/sub/user.py": RELATIVE}
    files |= {f"pkg/sub/{name}.py" if name != "compat" else "pkg/compat.py": text for name, text in changed.items()}
    checkout(tmp_path, files)
    if not inits:
        (tmp_path / "pkg/sub/__init__.py").unlink()
    return list(run([tmp_path / "pkg/sub/user.py"], Options(select=("zeros_to_empty",))).decisions)


@pytest.mark.parametrize("inits", [True, False])
def test_a_kernel_uses_functions_of_another_file(tmp_path: Path, inits: bool) -> None:
    (decision,) = relative(tmp_path, inits)
    assert decision.verdict == "proved"
    assert any("helpers.py" in step.text for step in decision.because), decision.because


def test_the_files_of_the_functions_are_told(tmp_path: Path) -> None:
    relative(tmp_path)
    found = decide_file(
        (tmp_path / "pkg/sub/user.py").read_bytes(), "pkg/sub/user.py", path=tmp_path / "pkg/sub/user.py"
    )
    assert {"compat.py", "helpers.py"} <= {Path(one.place).name for one in found.looked}


def test_a_function_of_another_file_that_stores_less(tmp_path: Path) -> None:
    (decision,) = relative(tmp_path, helpers=HELPERS.replace("mask=at < n", "mask=at < n - 1"))
    assert decision.verdict in ("unknown", "refuted")


def test_a_function_of_another_file_that_is_exchanged(tmp_path: Path) -> None:
    (decision,) = relative(tmp_path, helpers=HELPERS + "    def change(new):\n        globals()['put'] = new\n")
    assert decision.verdict == "unknown"


def test_a_function_of_another_file_that_is_no_kernel(tmp_path: Path) -> None:
    text = HELPERS.replace("@triton.jit\n    def put", "def put")
    (decision,) = relative(tmp_path, helpers=text)
    assert decision.verdict == "unknown"


def test_triton_that_a_relative_import_may_exchange(tmp_path: Path) -> None:
    (decision,) = relative(tmp_path, compat=COMPAT + "    tl = object()\n")
    assert decision.verdict in ("assumed", "unknown")


def test_triton_that_the_file_itself_patches(tmp_path: Path) -> None:
    (decision,) = relative(tmp_path, user=RELATIVE + "    tl.store = print\n")
    assert decision.verdict in ("assumed", "unknown")
