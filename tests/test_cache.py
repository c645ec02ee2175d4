"""Results of earlier runs: whatever changes, a run that uses them finds what a run without them finds."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from commands import PROVED, ROOT, execute, invoke

import codemods
from codemods import Options, Scan, scan
from codemods.pipeline import cache
from codemods.read import schemas

CALL = "import torch\n{imports}\ndef f(x: torch.Tensor):\n    out = torch.zeros(4)\n    {call}\n    return out\n"
WRITE = "import torch\ndef write(out: torch.Tensor, x: torch.Tensor):\n    {body}\n"
METHOD = """
    import torch
    class Base:
        def f(self, x: torch.Tensor):
            out = torch.zeros(4)
            self.write(out, x)
            return out
        def write(self, out: torch.Tensor, x: torch.Tensor):
            out.copy_(x)
"""
OVERRIDES = "class Sub({base}):\n    def write(self, out, x):\n        pass\n"
SCHEMA = 'TORCH_LIBRARY(ns, m) {{\n  m.def("scale(Tensor{mark} out, Tensor x) -> Tensor");\n}}\n'
FILES = {
    "pyproject.toml": "",
    "csrc/ops.cpp": SCHEMA.format(mark=""),
    "pkg/__init__.py": "",
    "pkg/ops.py": WRITE.format(body="out.copy_(x)"),
    "pkg/deep.py": "from .ops import write\n",
    "pkg/other.py": "",
    "pkg/a.py": CALL.format(imports="from .ops import write", call="write(out, x)"),
    "pkg/b.py": CALL.format(imports="from .deep import write", call="write(out, x)"),
    "pkg/c.py": CALL.format(imports="from .missing import write", call="write(out, x)"),
    "pkg/d.py": METHOD,
    "pkg/e.py": CALL.format(imports="", call="torch.ops.ns.scale(out, x)"),
    "pkg/f.py": CALL.format(imports="", call="out.copy_(x)"),
    "pkg/g.py": CALL.format(imports="from . import ops", call="ops.write(out, x)"),
    "pkg/h.py": CALL.format(imports="import pkg.folder.inner", call="pkg.folder.inner.write(out, x)"),
}
CHANGES: dict[str, dict[str, str | None]] = {  # None: the file goes
    "the file itself": {"pkg/f.py": CALL.format(imports="", call="pass")},
    "a callee": {"pkg/ops.py": WRITE.format(body="out[1:].copy_(x)")},
    "a callee goes": {"pkg/ops.py": None},
    "a module in a folder that was not there": {"pkg/folder/inner.py": WRITE.format(body="out.copy_(x)")},
    "a module that was not there": {"pkg/missing.py": WRITE.format(body="out.copy_(x)")},
    "a package instead of a module": {"pkg/ops/__init__.py": WRITE.format(body="pass")},
    "what hands on a callee": {"pkg/deep.py": "from .ops import write\nwrite = print\n"},
    "what hands on a callee goes": {"pkg/deep.py": None},
    "a package gives a module another meaning": {"pkg/__init__.py": "ops = None\n"},
    "a callee's file gives it another value": {"pkg/ops.py": WRITE.format(body="out.copy_(x)") + "g().write = 1\n"},
    "a subclass": {"pkg/other.py": "from .d import Base\n" + OVERRIDES.format(base="Base")},
    "a subclass in a new file": {"pkg/new/x.py": "from pkg.d import Base\n" + OVERRIDES.format(base="Base")},
    "a subclass under another name": {
        "pkg/other.py": "from .d import Base as Other\n",
        "pkg/more.py": "from .other import Other\n" + OVERRIDES.format(base="Other"),
    },
    "where imports begin": {"pkg/__init__.py": None},
    "a package around it": {"__init__.py": ""},
    "an operator": {"csrc/ops.cpp": SCHEMA.format(mark="!")},
    "an operator in a new file": {"csrc/deep/more.cu": SCHEMA.format(mark="!")},
    "an operator goes": {"csrc/ops.cpp": None},
    "which project it is": {"pyproject.toml": None},
}


def put(root: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        file = root / name
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "checkout", dict(FILES))
    return tmp_path / "checkout"


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are not taken from the cache."""
    names: list[str] = []
    real = codemods._decide

    def decide(item: codemods.Item, options: Options, run: str) -> codemods.Found:
        names.append(item[0].name)
        return real(item, options, run)

    monkeypatch.setattr(codemods, "_decide", decide)
    return names


def told(root: Path, cached: bool = True, **options: object) -> Scan:
    """Without what depends on time, and on what else was looked at."""
    schemas.forget()  # as in a process of its own
    result = scan([root], replace(Options(cached=cached), **options))  # type: ignore[arg-type]
    files = tuple((file, replace(found, looked=frozenset())) for file, found in result.files)
    return Scan(replace(result.report, seconds=0.0), files)


def test_what_has_not_changed_is_not_decided_again(root: Path, decided: list[str]) -> None:
    first = told(root)
    assert len(decided) == 8
    decided.clear()
    assert told(root) == first == told(root, cached=False)
    assert len(decided) == 8  # all by the last one
    verdicts = {d.path: d.verdict for d in first.report.decisions}
    assert [verdicts[f"pkg/{name}.py"] for name in "abcdf"] == ["proved", "proved", "unknown", "assumed", "proved"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_a_decision_rests_on_is_seen(change: str, root: Path, decided: list[str]) -> None:
    before = told(root)
    put(root, CHANGES[change])
    anew = told(root, cached=False)
    assert anew != before
    decided.clear()
    assert told(root) == anew
    seen = list(decided)
    assert seen
    decided.clear()
    assert told(root) == anew
    assert not decided
    shutil.rmtree(root)
    put(root, dict(FILES))
    assert told(root) == before  # and back


@pytest.mark.parametrize(
    ("file", "text", "again"),
    [
        ("pkg/f.py", FILES["pkg/f.py"] + "# more\n", ["pkg/f.py"]),
        ("pkg/ops.py", FILES["pkg/ops.py"] + "# more\n", ["pkg/a.py", "pkg/b.py", "pkg/g.py"]),
        ("pkg/other.py", "from .d import Base\nbase = Base\n# class X(Y): pass\n", []),
        ("pkg/new.py", "class X(list):\n    pass\n", ["pkg/d.py"]),
        ("csrc/ops.cpp", FILES["csrc/ops.cpp"] + "// more\n", ["pkg/e.py"]),
        ("csrc/other.cpp", "int x;\n", []),
        ("README.md", "more", []),
    ],
)
def test_no_more_is_decided_than_must_be(
    file: str, text: str, again: list[str], root: Path, decided: list[str]
) -> None:
    told(root)
    decided.clear()
    put(root, {file: text})
    told(root)
    assert decided == again


def test_options_are_kept_apart(root: Path) -> None:
    first = told(root)
    some = told(root, select=("drop_fill",))
    assert some == told(root, cached=False, select=("drop_fill",)) != first
    assert told(root) == first


def test_contracts_of_the_project_are_part_of_it(root: Path) -> None:
    contract = """
        [[tool.torch-codemods.contracts.mine]]
        names = ["torch.ops.ns.scale"]
        schema = "scale(Tensor! out, Tensor x) -> ()"
        source = "csrc/ops.cpp:1"
    """
    check = ("check", root, "--output-format", "concise")
    without = invoke(*check).stdout
    put(root, {"pyproject.toml": contract})
    assert invoke(*check).stdout == invoke(*check, "--no-cache").stdout != without
    put(root, {"pyproject.toml": ""})
    assert invoke(*check).stdout == without


def test_a_changed_tool_decides_anew(root: Path, decided: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told(root)
    decided.clear()
    monkeypatch.setattr(cache, "_tool", lambda: "another one")
    told(root)
    assert len(decided) == 8


def test_the_tool_is_known_by_its_own_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "read").mkdir()
    (tmp_path / "read/a.py").write_text("x = 1\n")
    monkeypatch.setattr(codemods, "__path__", [str(tmp_path)])
    first = cache._tool()
    assert cache._tool() == first
    for name, text in (("read/a.py", "x = 2\n"), ("read/b.json", "{}"), ("c.toml", "")):
        (tmp_path / name).write_text(text)
        now = cache._tool()
        assert now != first
        first = now


def only(results: Path) -> Path:
    (file,) = results.iterdir()
    return file


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "one byte": lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
    "foreign": lambda data: b"something else" * 100,
    "another key": lambda data: data[:30] + bytes(32) + data[62:],
}


def signed(data: bytes, body: bytes) -> bytes:
    """As if it had been written by the tool."""
    import hashlib

    return data[: len(cache.MAGIC) + 32] + hashlib.sha256(body).digest() + body


class Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("harm",)


DAMAGES |= {
    "no entries": lambda data: signed(data, pickle.dumps({"a.py": 1})),
    "no pickle": lambda data: signed(data, b"garbage"),
    "code": lambda data: signed(data, pickle.dumps(Harm())),
    "another class": lambda data: signed(data, pickle.dumps({"a.py": Path("x")})),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_no_cache(
    damage: str, root: Path, results: Path, decided: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = told(root)
    file = only(results)
    whole = file.read_bytes()
    file.write_bytes(DAMAGES[damage](whole))
    decided.clear()
    assert told(root) == first
    assert len(decided) == 8
    assert not (tmp_path / "harm").exists()
    decided.clear()
    assert told(root) == first  # it was written anew
    assert not decided


def test_only_the_user_can_read_it(root: Path, results: Path) -> None:
    told(root)
    assert stat.S_IMODE(results.stat().st_mode) == 0o700
    assert stat.S_IMODE(only(results).stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["a file", "in a file"])
def test_without_a_place_for_it_there_is_none(
    kind: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TORCH_CODEMODS_CACHE", str(tmp_path / "file" / ("x" * (kind == "in a file"))))
    result = invoke("check", root / "pkg" / "f.py")
    assert result.exit_code == 1
    assert "error" not in result.stderr


def test_somebody_without_a_home_has_none(
    root: Path, decided: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TORCH_CODEMODS_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("~/.cache", name))
    monkeypatch.chdir(tmp_path)
    assert told(root) == told(root)
    assert len(decided) == 16
    assert not (tmp_path / "~").exists()


def test_a_full_disk_leaves_nothing_behind(root: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    first = told(root)
    assert list(results.iterdir()) == []
    assert first == told(root, cached=False)


def test_a_file_that_failed_is_told_again(root: Path, decided: list[str]) -> None:
    put(root, {"pkg/bad.py": PROVED + "def\n"})
    first = told(root)
    decided.clear()
    assert told(root) == first
    assert decided == ["pkg/bad.py"]
    assert [notice.path for notice in first.report.failed] == ["pkg/bad.py"]


def test_what_nobody_uses_goes(root: Path, results: Path) -> None:
    results.mkdir(parents=True)
    long_ago = time.time() - cache.KEPT - 1000
    for name in ("old.results", "kept.txt"):
        (results / name).write_text("")
        os.utime(results / name, (long_ago, long_ago))
    told(root)
    assert not (results / "old.results").exists()
    assert (results / "kept.txt").exists()
    mine = next(file for file in results.iterdir() if file.suffix == ".results")
    os.utime(mine, (long_ago, long_ago))
    told(root)
    assert time.time() - mine.stat().st_mtime < 1000  # it is in use


def test_commands(root: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert invoke("cache", "dir").stdout == f"{results}\n"
    assert invoke("check", "pkg", "--no-cache").exit_code == 1
    assert not results.exists()
    assert invoke("cache", "clean").exit_code == 0
    assert invoke("check", "pkg").exit_code == 1
    assert invoke("fix", "--diff", "pkg").exit_code == 1
    (results / "notes.txt").write_text("")
    assert len(list(results.iterdir())) == 2
    assert invoke("cache", "clean").stderr == f"1 file removed from {results}\n"
    assert [file.name for file in results.iterdir()] == ["notes.txt"]


def test_fix_proves_what_it_rewrites(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results are right when they are read, and a callee changes before the files are written."""
    told(root)
    real = cache._still

    def still(*arguments: object) -> object:
        put(root, CHANGES["a callee"])
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "_still", still)
    monkeypatch.chdir(root)
    assert invoke("fix", "pkg").exit_code == 0
    assert "torch.zeros" in (root / "pkg/a.py").read_text()
    assert "torch.empty" in (root / "pkg/f.py").read_text()


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_while_the_run_goes_on_is_seen_by_the_next(
    change: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cache._save

    def save(*arguments: object) -> None:
        put(root, CHANGES[change])
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "_save", save)
    before = told(root)
    monkeypatch.setattr(cache, "_save", real)
    assert told(root) == told(root, cached=False) != before


def test_runs_at_the_same_time(root: Path, results: Path) -> None:
    alone = execute("check", "--no-cache", "--output-format", "concise", root, cwd=root)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "codemods", "check", "--output-format", "concise", str(root)]
    runs = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in "12345"
    ]
    assert {run.communicate(timeout=120)[0] for run in runs} == {alone.stdout}
    assert len(list(results.iterdir())) == 1
    assert execute("check", "--output-format", "concise", root, cwd=root).stdout == alone.stdout


TEXTS: dict[str, list[str | None]] = {}  # all that a file ever holds in the changes above
for files in (dict(FILES), *CHANGES.values()):
    for name, text in files.items():
        TEXTS.setdefault(name, [None]).append(text)


@pytest.mark.parametrize("seed", range(3))
def test_any_changes_one_after_the_other(seed: int, root: Path) -> None:
    draw = random.Random(seed)
    there = set(FILES)
    for _ in range(15):
        for name in draw.sample(sorted(TEXTS), draw.randint(1, 3)):
            text = draw.choice(TEXTS[name])
            if text is not None or name in there:
                put(root, {name: text})
            (there.discard if text is None else there.add)(name)
        assert told(root) == told(root, cached=False)


@pytest.mark.corpus
def test_any_changes_of_real_code(tmp_path: Path) -> None:
    """Files of a part of a package come and go, lose their end, and take each other's text."""
    import corpora

    corpus = next(one for one in corpora.load() if str(one) == "sglang-0.4.6.post5")
    with corpora.needed():
        source = corpora.fetch(corpus)
    root = tmp_path / "sglang"
    draw = random.Random(0)
    for part in ("srt/layers/moe", "srt/layers/quantization", "srt/distributed"):
        shutil.copytree(source / part, root / part)
    every = sorted(file for file in root.rglob("*.py"))
    texts = {file: file.read_bytes() for file in every}
    told(root)
    for _ in range(5):
        for file in draw.sample(every, 4):
            text = texts[draw.choice((file, file, draw.choice(every)))]
            match draw.choice(("goes", "ends early", "as it is")):
                case "goes":
                    file.unlink(missing_ok=True)
                case "ends early":
                    lines = text.split(b"\n")
                    file.write_bytes(b"\n".join(lines[: draw.randrange(len(lines))]))
                case "as it is":
                    file.write_bytes(text)
        assert told(root) == told(root, cached=False)
