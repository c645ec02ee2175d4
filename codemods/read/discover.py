"""Which files to look at: a walk like Ruff's, and a filter on bytes before anything is parsed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codemods.core.report import Notice
from codemods.read.config import ConfigError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# fmt: off
SKIPPED = frozenset({
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode",
    "__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "site-packages", "venv",
})
# fmt: on
CANDIDATE = re.compile(
    rb"\b(?:new_)?(?:zeros|ones|full|empty)(?:_like)?\s*(?:\\\r?\n\s*)?\(|\b(?:zero_|fill_)\s*(?:\\\r?\n\s*)?\("
)
STORE = re.compile(rb"\bstore\s*(?:\\\r?\n\s*)?\(")
MARKER = b"torch-codemods:"


@dataclass(frozen=True, slots=True)
class File:
    """A file to scan. `path` is absolute; `name` is relative to the argument it was found under, with "/"."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Exclude:
    """Patterns as in a .gitignore that lies in `base`."""

    base: Path
    patterns: tuple[str, ...]


def interesting(source: bytes) -> bool:
    """Some codemod may have a word to say on it: it names torch and an allocation or a fill, or triton and two stores,
    or has a suppression."""
    return (b"torch" in source and CANDIDATE.search(source) is not None) or holds_stores(source) or MARKER in source


def holds_stores(source: bytes) -> bool:
    """The file speaks of Triton, and of more than one store."""
    first = STORE.search(source) if b"triton" in source else None
    return first is not None and STORE.search(source, first.end()) is not None


def discover(paths: Sequence[Path], exclude: Sequence[Exclude] = ()) -> Iterator[File | Notice]:
    """Every Python file under `paths`, each once, in the order of the arguments and then of the names.

    A file that is named is always scanned. Links below an argument are not followed: what they
    lead to is found where it really lies, or lies outside. Raises FileNotFoundError for a path
    that does not exist, before anything is yielded.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or directory")
    specs = [(rule.base.resolve(), _spec(rule.patterns)) for rule in exclude if rule.patterns]
    seen: set[Path] = set()
    for path in paths:
        root = path.resolve()
        found = _walk(root, specs) if root.is_dir() else iter((File(root, path.name),))
        for item in found:
            if isinstance(item, Notice):
                yield item
            elif item.path not in seen:
                seen.add(item.path)
                yield item


def read(file: File) -> bytes | Notice:
    """The bytes of a file, or why they cannot be had."""
    try:
        if not stat.S_ISREG(file.path.stat().st_mode):
            return Notice(file.name, 1, "not a regular file")
        return file.path.read_bytes()
    except OSError as error:
        return Notice(file.name, 1, f"cannot be read: {_plain(error)}")


def locate(place: str) -> tuple[Path, int]:
    """The file and the line of FILE:LINE, or of FILE:LINE:COLUMN. Raises ConfigError for what is neither."""
    file, _, line = place.rpartition(":")
    before, _, maybe = file.rpartition(":")
    if before and maybe.isdecimal() and not Path(file).exists():
        file, line = before, maybe
    if not file or not line.isdecimal():
        raise ConfigError(f"{place}: must be FILE:LINE")
    if Path(file).is_dir():
        raise ConfigError(f"{file}: is a directory")
    return Path(file), int(line)


def _walk(root: Path, specs: Sequence[tuple[Path, GitIgnoreSpec]]) -> Iterator[File | Notice]:
    found: list[File | Notice] = []
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(root / folder))
        except OSError as error:
            found.append(Notice(folder or ".", 1, f"cannot be read: {_plain(error)}"))
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if _is(entry, directory=True):
                if not _skipped(entry.name) and not _excluded(root, name + "/", specs):
                    waiting.append(name)
            elif entry.name.endswith(".py") and _is(entry, directory=False) and not _excluded(root, name, specs):
                found.append(File(root / name, name))
    return iter(sorted(found, key=lambda item: (item.name if isinstance(item, File) else item.path).split("/")))


def _is(entry: os.DirEntry[str], *, directory: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) if directory else entry.is_file(follow_symlinks=False)
    except OSError:
        return not directory  # read() will say what is wrong with it


def _skipped(name: str) -> bool:
    return name in SKIPPED or name.endswith(".egg-info")


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)


def _excluded(root: Path, name: str, specs: Sequence[tuple[Path, GitIgnoreSpec]]) -> bool:
    """By a pattern that counts from its own base, or from the argument that is scanned."""
    for base, spec in specs:
        if spec.match_file(name):
            return True
        try:
            below = (root / name).relative_to(base).as_posix()
        except ValueError:
            continue
        if spec.match_file(below + "/" * name.endswith("/")):
            return True
    return False


def _plain(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
