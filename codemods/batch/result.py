"""What became of an entry, kept in its folder as `entry.json`, and whether that still holds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from codemods import VERSION
from codemods.batch.manifest import Entry
from codemods.core.verdict import VERDICTS
from codemods.read.discover import File, discover, read
from codemods.read.looked import Looked

FILE = "entry.json"
PATCH = "model_patch.diff"
ROWS = "sites.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """`failed`: there are no sites of it, and `message` says why; or, with `rewritten`, not all could be written.

    `key` and `fingerprint` stand for what was asked and what was read; `looked`: what else the decisions rest on, as
    it was when the entry was done. `counts` are sites, one number a verdict in the order of VERDICTS.
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
    looked: tuple[Looked, ...] = ()

    def save(self, folder: Path) -> None:
        from codemods.write.files import write_atomically

        write_atomically(folder / FILE, (json.dumps(asdict(self), indent=2) + "\n").encode())


def load(folder: Path) -> Result | None:
    """None where there is none, or none that can be read."""
    try:
        table = json.loads((folder / FILE).read_bytes())
        looked = tuple(Looked(**one) for one in table["looked"])
        return Result(**{**table, "counts": tuple(table["counts"]), "looked": looked})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def key(entry: Entry, *, write: bool) -> str:
    """The same for the same wishes to the same version of the tool. It tells nothing of a password in a URL."""
    lasting = replace(entry, wanted=replace(entry.wanted, timeout=None))  # who lets it take longer wants the same
    asked = json.dumps([VERSION, write, asdict(lasting)], default=str)
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(root: Path) -> str:
    """Of the Python files of a checkout, and the settings that may hold for it.

    Raises FileNotFoundError where there is no checkout.
    """
    digest = hashlib.sha256()
    for item in discover([root]):
        content = read(item) if isinstance(item, File) else item
        _add(digest, item.name if isinstance(item, File) else item.path, content)
    settings = (folder / "pyproject.toml" for folder in (root, *root.resolve().parents))
    for path in settings:
        _add(digest, str(path), path.read_bytes() if path.is_file() else "nothing")
    return digest.hexdigest()


def _add(digest: hashlib._Hash, name: str, content: object) -> None:
    data = content if isinstance(content, bytes) else repr(content).encode()
    digest.update(f"{len(data)} {name}\0".encode("utf-8", "surrogateescape") + data)
