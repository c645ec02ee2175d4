"""The layers of the program, enforced: what imports what, and how large a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import PROVED, ROOT

PACKAGE = ROOT / "codemods"
FILES = sorted((*PACKAGE.rglob("*.py"), ROOT / "cli.py"))
LAYERS = {  # what a file of each layer may import of ours
    "cli": {"cli", "batch", "review", "pipeline", "codemod", "read", "prove", "write", "cover", "ops", "core"},
    "batch": {"batch", "review", "pipeline", "read", "write", "core"},
    "review": {"review", "pipeline", "read", "write", "core"},
    "pipeline": {"pipeline", "codemod", "read", "prove", "write", "cover", "ops", "core"},
    "codemod": {"prove", "ops", "core"},
    "read": {"read", "cover", "ops", "core"},
    "prove": {"prove", "cover", "ops", "core"},
    "write": {"write", "core"},
    "cover": {"cover", "core"},
    "ops": {"ops", "core"},
    "core": {"core"},
}
ABSENT = {"torch", "triton"}
ONLY = {  # what one file alone may import
    "libcst": "codemods/write/surgery.py",
    "rich": "codemods/write/terminal.py",
    "typer": "cli.py",
    "click": "cli.py",
    "bowler": "codemods/review/bowler.py",
    "sarif_pydantic": "codemods/write/sarif.py",
    "unidiff": "codemods/review/since.py",
}
MOST_LINES = 400


def layer(module: str) -> str:
    match module.split("."):
        case ["codemods"] | ["codemods", "pipeline", *_]:
            return "pipeline"
        case ["cli"] | ["codemods", "__main__"]:
            return "cli"
        case ["codemods", ("batch" | "core" | "cover" | "ops" | "prove" | "read" | "review" | "write") as name, *_]:
            return name
    return "codemod"


def module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[str]:
    """The modules a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(source), names=names, level=0):
                for name in names:
                    below = ROOT.joinpath(*source.split("."), name.name)
                    yield f"{source}.{name.name}" if below.with_suffix(".py").exists() or below.is_dir() else source
            case ast.ImportFrom():
                yield "a relative import"


def short(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", FILES, ids=short)
def test_imports_go_one_way(file: Path) -> None:
    ours = {name for name in imports(file) if name.split(".")[0] in ("codemods", "cli")}
    wrong = {name for name in ours if layer(name) not in LAYERS[layer(module(file))]}
    assert not wrong


@pytest.mark.parametrize("file", FILES, ids=short)
def test_heavy_libraries_stay_where_they_belong(file: Path) -> None:
    foreign = {name.split(".")[0] for name in imports(file)}
    assert "a relative import" not in foreign
    assert not foreign & ABSENT
    assert {name for name in foreign if ONLY.get(name, short(file)) != short(file)} == set()


@pytest.mark.parametrize("file", FILES, ids=short)
def test_files_are_small(file: Path) -> None:
    lines = file.read_bytes().count(b"\n")
    assert lines < MOST_LINES


@pytest.mark.parametrize("file", [file for file in FILES if layer(module(file)) == "codemod"], ids=short)
def test_a_plain_file_is_a_codemod_with_a_promise(file: Path) -> None:
    tree = ast.parse(file.read_bytes())
    assert "propose" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert ast.get_docstring(tree)


def test_the_test_sees_what_it_forbids(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        "import torch\ndef f():\n    from codemods.read import host\n    from codemods import read\nfrom . import x\n"
    )
    assert set(imports(file)) == {"torch", "codemods.read.host", "codemods.read", "a relative import"}
    assert [layer(name) for name in ("codemods", "codemods.read.host", "codemods.drop_fill")] == [
        "pipeline",
        "read",
        "codemod",
    ]


def loaded(code: str, folder: Path) -> set[str]:
    """The modules in memory after some code ran in a process of its own."""
    code = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}\nprint(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, check=True, text=True, timeout=60
    )
    return set(result.stdout.splitlines()[-1].split())


def test_a_check_loads_neither_torch_nor_triton_nor_libcst(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(PROVED)
    command = "from cli import app\nassert app(['check', 'a.py'], standalone_mode=False) == 1"
    modules = loaded(command, tmp_path)
    assert "codemods.write.report" in modules
    assert not modules & {
        "torch",
        "triton",
        "libcst",
        "numpy",
        "rich",
        "sarif_pydantic",
        "unidiff",
        "codemods.batch",
        "codemods.review",
    }


def test_importing_the_package_is_cheap(tmp_path: Path) -> None:
    modules = loaded("import codemods", tmp_path)
    assert "codemods" in modules
    assert not modules & {"tomllib", "tomli", "pathspec", "libcst", "typer", "codemods.read.host", "concurrent.futures"}


def test_help_loads_nothing_of_the_analysis(tmp_path: Path) -> None:
    modules = loaded("from cli import app\napp(['--help'], standalone_mode=False)", tmp_path)
    assert "cli" in modules
    assert not {name for name in modules if name.split(".")[0] == "codemods"}
