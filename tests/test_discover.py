"""Which files are looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codemods.core.report import Notice
from codemods.read.config import ConfigError
from codemods.read.discover import Exclude, File, discover, interesting, locate, read


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("import torch\n")


def names(*paths: Path, exclude: tuple[Exclude, ...] = ()) -> list[str]:
    return [item.name for item in discover(paths, exclude) if isinstance(item, File)]


def test_python_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    put(tmp_path, "b.py", "a/z.py", "a/b/c.py", "a.py", "a/notes.txt", "a/stub.pyi")
    assert names(tmp_path) == ["a/b/c.py", "a/z.py", "a.py", "b.py"]


@pytest.mark.parametrize("folder", [".git", ".venv", "__pycache__", "node_modules", "build", "x.egg-info", "a/dist"])
def test_folders_that_hold_no_source_of_the_project(tmp_path: Path, folder: str) -> None:
    put(tmp_path, f"{folder}/a.py", "kept.py")
    assert names(tmp_path) == ["kept.py"]


def test_a_folder_is_scanned_when_it_is_named(tmp_path: Path) -> None:
    put(tmp_path, "build/a.py")
    assert names(tmp_path / "build") == ["a.py"]


def test_a_named_file_is_scanned_whatever_it_is_called_and_only_once(tmp_path: Path) -> None:
    put(tmp_path, "build/script", "a.py")
    skip = Exclude(tmp_path, ("*",))
    assert names(tmp_path / "build/script", exclude=(skip,)) == ["script"]
    assert names(tmp_path / "a.py", tmp_path) == ["a.py"]


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("b.py", ["a/c.py", "c.py"]),
        ("/c.py", ["a/b.py", "a/c.py"]),
        ("a/", ["c.py"]),
        ("a/*.py", ["c.py"]),
        ("pkg/a/c.py", ["a/b.py", "c.py"]),  # counted from the folder of the configuration
        ("nothing", ["a/b.py", "a/c.py", "c.py"]),
    ],
)
def test_exclude_as_in_gitignore(tmp_path: Path, pattern: str, kept: list[str]) -> None:
    put(tmp_path, "pkg/a/b.py", "pkg/a/c.py", "pkg/c.py")
    assert names(tmp_path / "pkg", exclude=(Exclude(tmp_path, (pattern,)),)) == kept


def test_a_later_pattern_takes_a_file_back_in(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "b.py")
    assert names(tmp_path, exclude=(Exclude(tmp_path, ("*.py", "!b.py")),)) == ["b.py"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "pkg/a.py", "outside.py")
    (tmp_path / "pkg/loop").symlink_to(tmp_path / "pkg", target_is_directory=True)
    (tmp_path / "pkg/linked.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "pkg/dangling.py").symlink_to(tmp_path / "nowhere.py")
    assert names(tmp_path / "pkg") == ["a.py"]


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "pkg/a.py")
    (tmp_path / "link").symlink_to(tmp_path / "pkg", target_is_directory=True)
    (tmp_path / "file").symlink_to(tmp_path / "pkg/a.py")
    found = [item for item in discover([tmp_path / "link"]) if isinstance(item, File)]
    assert found == [File((tmp_path / "pkg/a.py").resolve(), "a.py")]
    assert names(tmp_path / "file") == ["file"]


def test_a_folder_called_like_a_file(tmp_path: Path) -> None:
    put(tmp_path, "x.py/y.py")
    assert names(tmp_path) == ["x.py/y.py"]


def test_a_path_that_does_not_exist_stops_before_anything(tmp_path: Path) -> None:
    put(tmp_path, "a.py")
    with pytest.raises(FileNotFoundError, match="nope: no such file"):
        next(discover([tmp_path, tmp_path / "nope"]))


def test_what_is_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert names(tmp_path) == []
    assert read(File(tmp_path / "pipe.py", "pipe.py")) == Notice("pipe.py", 1, "not a regular file")


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a/b.py", "c.py")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list(discover([tmp_path]))
    assert Notice("a", 1, "cannot be read: permission denied") in found
    assert [item.name for item in found if isinstance(item, File)] == ["c.py"]


@pytest.mark.parametrize(
    "source",
    [
        b"import torch; torch.zeros(3)",
        b"import torch; torch.zeros_like (x)",
        b"import torch; x.new_full((1,), 2)",
        b"import torch; torch.empty(\n3)",
        b"import torch; x.zero_()",
        b"import torch; x.fill_ (1)",
        b"from torch import ones; ones(3)",
        b"x = 1  # torch-codemods: ignore because",
    ],
)
def test_files_that_may_hold_a_site(source: bytes) -> None:
    assert interesting(source)


@pytest.mark.parametrize(
    "source",
    [
        b"import torch",
        b"numpy.zeros(3)",
        b"import torch; my_zeros(3)",
        b"import torch; queue.empty",
        b"import torch; zero()",
    ],
)
def test_files_that_cannot(source: bytes) -> None:
    assert not interesting(source)


def test_a_place_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "a.py", "b:2")
    assert locate("a.py:12") == (Path("a.py"), 12)
    assert locate("a.py:12:5") == (Path("a.py"), 12)
    assert locate("b:2:7") == (Path("b:2"), 7)
    for wrong in ("a.py", "a.py:", ":3", "a.py:x", f"{tmp_path}:3"):
        with pytest.raises(ConfigError):
            locate(wrong)
