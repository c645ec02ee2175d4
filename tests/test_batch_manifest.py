"""Manifests: what they may hold, how entries are named, and that an error says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from codemods.batch.manifest import TIMEOUT, Entry, Wanted, load
from codemods.core.errors import UsageError

CODEMODS = ("drop_fill", "zeros_to_empty")


def read(tmp_path: Path, text: str, file: str = "m.toml", given: Wanted | None = None) -> tuple[Entry, ...]:
    (tmp_path / file).write_text(text)
    return load(tmp_path / file, CODEMODS, given or Wanted())


def test_a_list_holds_paths_and_urls(tmp_path: Path) -> None:
    text = "# all of them\n\n  a/vllm  # ours\n/b/x#y\nhttps://host.example/org/sglang.git\ngit@host.example:org/peft\n"
    found = read(tmp_path, text, "list")
    assert [(one.name, one.path, one.git) for one in found] == [
        ("vllm", tmp_path / "a/vllm", ""),
        ("x-y", Path("/b/x#y"), ""),
        ("sglang", None, "https://host.example/org/sglang.git"),
        ("peft", None, "git@host.example:org/peft"),
    ]
    assert {one.wanted for one in found} == {Wanted(timeout=TIMEOUT)}


def test_toml_has_options_and_defaults(tmp_path: Path) -> None:
    text = """
assume = ["closed-world"]
timeout = 60

[[entry]]
path = "a"
select = ["drop_fill"]
exclude = ["tests/"]
all = true

[[entry]]
git = "../upstream.git"
rev = "v1"
name = "two"
timeout = 1.5
assume = []
"""
    first, second = read(tmp_path, text)
    assert first.wanted == Wanted(("drop_fill",), None, ("tests/",), ("closed-world",), True, 60)
    assert (second.name, second.git, second.rev) == ("two", str(tmp_path.parent / "upstream.git"), "v1")
    assert second.wanted == Wanted(assume=(), timeout=1.5)


def test_what_is_given_counts_before_the_manifest(tmp_path: Path) -> None:
    text = 'timeout = 60\n[[entry]]\npath = "a"\nassume = ["x"]\ntimeout = 1\n'
    (entry,) = read(tmp_path, text, given=Wanted(timeout=9, ignore=("drop_fill",)))
    assert entry.wanted == Wanted(ignore=("drop_fill",), assume=("x",), timeout=9)


def test_names_are_distinct_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, "a/vllm\nb/vllm\nVLLM\nb/vllm-2\nsummary.csv\ncheckouts\n", "list")
    assert [one.name for one in found] == ["vllm", "vllm-2", "VLLM-3", "vllm-2-2", "summary.csv-2", "checkouts-2"]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("..", None),
        ("/", "checkout"),
        (".hidden", "hidden"),
        ("a b/c:d\\..", "checkout"),
        ("https://host.example/..", "checkout"),
        ("https://host.example/a/..git/", "checkout"),
        ("git@host.example:../../etc", "etc"),
        ("-rf", "rf"),
        ("größe", "größe"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_name_stays_in_its_folder(tmp_path: Path, place: str, name: str | None) -> None:
    (entry,) = read(tmp_path, place, "list")
    assert entry.name == (tmp_path.parent.name if name is None else name)
    assert Path(entry.name).name == entry.name


ENTRY = '[[entry]]\npath = "a"\n'
WRONG = {
    "m.toml:1: colour: unknown key (there are: select, ": "colour = 1\n" + ENTRY,
    "m.toml:2: timeout: must be a number of seconds above 0": "all = true\ntimeout = 0\n" + ENTRY,
    "m.toml:3: [[entry]] 1: pth: unknown key (there are: path, git, ": "\n[[entry]]\npth = 'a'\n",
    "m.toml:5: [[entry]] 2: select: unknown codemod 'x'": f"{ENTRY}{ENTRY}select = ['x']\n",
    "m.toml:5: [[entry]] 2: all: must be true or false": f"{ENTRY}{ENTRY}all = 1\n",
    "m.toml:4: [[entry]] 2: path: must be a string with something in it": f"{ENTRY}[[entry]]\npath = ''\n",
    "m.toml:3: [[entry]] 2: must have a path or git": f"{ENTRY}[[entry]]\nname = 'b'\n",
    "m.toml:3: [[entry]] 1: git: there is a path, too": f"{ENTRY}git = 'b'\n",
    "m.toml:3: [[entry]] 1: rev: is for git": f"{ENTRY}rev = 'b'\n",
    "m.toml:3: [[entry]] 1: name: '../b' cannot name a folder": f"{ENTRY}name = '../b'\n",
    "m.toml:3: [[entry]] 1: timeout: must be a number": f"{ENTRY}timeout = true\n",
    "m.toml:4: [[entry]] 1: assume: must be a list of strings": f"{ENTRY}all = false\nassume = 'x'\n",
    "m.toml:1: [[entry]] must be a list of tables": "entry = 3\n",
    "m.toml:1: [[entry]] 2: must have a path or git": "entry = [{path = 'a'}, {}]\n",
    "m.toml:3: tool: unknown key": "\n\n[tool]\nx = 1\n" + ENTRY,
    "m.toml: not valid TOML: ": "[[entry]\n",
    "m.toml: names no checkout": "all = true\n",
}


@pytest.mark.parametrize("message", WRONG)
def test_an_error_says_where_it_stands(tmp_path: Path, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read(tmp_path, WRONG[message])
    assert str(error.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(error.value)


def test_an_error_in_a_list_says_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"list:2: a path cannot hold a null byte"):
        read(tmp_path, "a\nb\0\n", "list")
    (tmp_path / "list").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"list: not UTF-8: invalid start byte at byte 0"):
        load(tmp_path / "list", CODEMODS, Wanted())
