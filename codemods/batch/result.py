"""What became of an entry, kept in its folder as `entry.json`, and whether that still holds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from codemods import VERSION
from codemods.batch.manifest import Entry
from codemods.core.verdict import VERDICTS
from codemods.read.discover import File, discover, read
from codemods.read.schemas import SOURCES

FILE = "entry.json"
PATCH = "model_patch.diff"
ROWS = "sites.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """`failed`: there are no sites of it, and `message` says why; or, with `rewritten`, not all could be written.

    `key` and `fingerprint` stand for what was asked and what was read; `looked`: files and folders outside of the
    checkout that the decisions rest on. `counts` are sites, one number a verdict in the order of VERDICTS.
    """

    name: str
    state: Literal["done", "failed"]
    message: str = ""
    status: int = 2  # the exit status that this entry alone would give
    scanned: int = 0  # files
    unread: int = 0  # of them, those that could not be read or parsed
    counts: tuple[int, ...] = (0,) * len(VERDICTS)
    rewritten: int = 0  # sites, or those that would be
    write: bool = False
    root: str = ""  # where the patch applies
    seconds: float = 0.0
    key: str = ""
    fingerprint: str = ""
    looked: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        from codemods.write.files import write_atomically

        write_atomically(folder / FILE, (json.dumps(asdict(self), indent=2) + "\n").encode())


def load(folder: Path) -> Result | None:
    """None where there is none, or none that can be read."""
    try:
        table = json.loads((folder / FILE).read_bytes())
        return Result(**{**table, "counts": tuple(table["counts"]), "looked": tuple(table["looked"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def key(entry: Entry, *, write: bool) -> str:
    """The same for the same wishes to the same version of the tool. It tells nothing of a password in a URL."""
    lasting = replace(entry, wanted=replace(entry.wanted, timeout=None))  # who lets it take longer wants the same
    asked = json.dumps([VERSION, write, asdict(lasting)], default=str)
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(root: Path, looked: Iterable[str] = ()) -> str:
    """Of the Python files of a checkout, the settings that may hold for it, and what else was looked at.

    Raises FileNotFoundError where there is no checkout.
    """
    digest = hashlib.sha256()
    for item in discover([root]):
        content = read(item) if isinstance(item, File) else item
        _add(digest, item.name if isinstance(item, File) else item.path, content)
    settings = (folder / "pyproject.toml" for folder in (root, *root.resolve().parents))
    for path in (*settings, *(file for place in sorted(looked) for file in _files(Path(place)))):
        _add(digest, str(path), path.read_bytes() if path.is_file() else "nothing")
    return digest.hexdigest()


def _files(place: Path) -> Iterator[Path]:
    """Of a folder all sources in it."""
    if not place.is_dir():
        yield place
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(name for name in folders if name != ".git")
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(SOURCES))


def _add(digest: hashlib._Hash, name: str, content: object) -> None:
    data = content if isinstance(content, bytes) else repr(content).encode()
    digest.update(f"{len(data)} {name}\0".encode("utf-8", "surrogateescape") + data)
