"""What was decided in earlier runs, so that only what has changed since is decided again.

One file for each set of arguments and options. An entry holds as long as the file that it is about, and all that was
looked at to decide it, is what it was, byte by byte. A cache that cannot be read, written or trusted is none.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codemods.read.looked import Again, digest

if TYPE_CHECKING:
    from codemods import Found, Item, Options

MAGIC = b"torch-codemods results 1\n"
SUFFIX = ".results"
SOURCES = (".py", ".json", ".toml")
KEPT = 30 * 24 * 3600  # seconds after which a file that nobody used goes
DAY = 24 * 3600
CLASSES = {("codemods", "Found"), ("codemods.pipeline.cache", "Entry"), ("codemods.read.looked", "Looked")}
CORE = "codemods.core."


@dataclass(frozen=True, slots=True)
class Entry:
    """`source`: the digest of the file."""

    source: str
    found: Found


Entries = Mapping[str, Entry]  # by the path of the file


def folder() -> Path:
    """Where results are kept."""
    if chosen := os.environ.get("TORCH_CODEMODS_CACHE"):
        return Path(chosen).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("torch-codemods") / "results"


def clean() -> int:
    """Remove all results; how many files there were. Raises OSError."""
    every = list(_files(folder()))
    for file in every:
        file.unlink(missing_ok=True)
    return len(every)


def decided(
    paths: Sequence[Path],
    options: Options,
    work: Sequence[Item],
    decide: Callable[[Sequence[Item]], Iterable[Found]],
) -> list[Found]:
    """The result for each item: what still holds is taken from the last run, the rest is decided."""
    place = folder()
    if not place.is_absolute():  # of somebody who has no home
        return list(decide(work))
    key = _key(paths, options)
    file = place / f"{key.hex()[:32]}{SUFFIX}"
    before = _load(file, key)
    again = Again()
    sources = [digest(source) for _, source in work]
    still = [_still(before.get(str(item.path)), now, again) for (item, _), now in zip(work, sources, strict=True)]
    new = iter(decide([item for item, entry in zip(work, still, strict=True) if entry is None]))
    every = [entry or Entry(now, next(new)) for entry, now in zip(still, sources, strict=True)]
    entries = {str(item.path): entry for (item, _), entry in zip(work, every, strict=True) if not entry.found.failed}
    if entries != before:
        _save(file, key, entries)
    return [entry.found for entry in every]


def _still(before: Entry | None, now: str, again: Again) -> Entry | None:
    """The entry, if it holds."""
    if before is None or before.source != now:
        return None
    looked = [again.still(one) for one in before.found.looked]
    same = frozenset(one for one in looked if one is not None)
    if len(same) < len(before.found.looked):
        return None
    return before if same == before.found.looked else replace(before, found=replace(before.found, looked=same))


def _key(paths: Sequence[Path], options: Options) -> bytes:
    """Everything but files that decides what is found."""
    where = tuple(str(path.resolve()) for path in paths)
    wanted = (options.selected, options.exclude, options.explain, options.contracts)
    plain = repr((_tool(), sys.version, where, _plain(wanted)))
    return hashlib.sha256(plain.encode("utf-8", "surrogateescape")).digest()


def _tool() -> str:
    """The digest of the tool itself: a version would not tell a checkout of it from one that was edited since."""
    import codemods

    told = hashlib.sha256()
    for root in codemods.__path__:
        for place, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(name for name in names if name.endswith(SOURCES)):
                data = Path(place, name).read_bytes()
                told.update(f"{name} {len(data)}\n".encode() + data)
    return told.hexdigest()


def _plain(value: object) -> object:
    """The same for what is equal, in every process, and different for what is not."""
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, *(_plain(getattr(value, one.name)) for one in fields(value))
    if isinstance(value, Mapping):
        return "mapping", *sorted((repr(_plain(key)), repr(_plain(inner))) for key, inner in value.items())
    if isinstance(value, set | frozenset):
        return "set", *sorted(repr(_plain(inner)) for inner in value)
    if isinstance(value, tuple | list):
        return "list", *(_plain(inner) for inner in value)
    return repr(value) if isinstance(value, str | int | float | Path | None) else pickle.dumps(value)


class _Unpickler(pickle.Unpickler):
    """Makes nothing but plain data of ours: a file that somebody else wrote runs no code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in CLASSES or module.startswith(CORE) and "." not in name:
            found = getattr(importlib.import_module(module), name)
            if isinstance(found, type) and is_dataclass(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name}")


def _load(file: Path, key: bytes) -> Entries:
    """Nothing, whatever is wrong with the file."""
    try:
        head = MAGIC + key
        data = file.read_bytes()
        body = memoryview(data)[len(head) + 32 :]
        if data[: len(head)] != head or hashlib.sha256(body).digest() != data[len(head) : len(head) + 32]:
            return {}
        entries = _Unpickler(io.BytesIO(body)).load()
        if time.time() - file.stat().st_mtime > DAY:
            os.utime(file)  # it is in use
    except Exception:
        return {}
    known = isinstance(entries, dict) and all(isinstance(entry, Entry) for entry in entries.values())
    return entries if known else {}


def _save(file: Path, key: bytes, entries: Entries) -> None:
    """Whole, or not at all: of two runs at the same time the last one counts. Without a place for it there is none."""
    body = pickle.dumps(entries, pickle.HIGHEST_PROTOCOL)
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(SUFFIX, ".new-", file.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(MAGIC + key + hashlib.sha256(body).digest() + body)
            os.replace(temporary, file)  # noqa: PTH105 (as in codemods/write/files.py)
        finally:
            Path(temporary).unlink(missing_ok=True)
        _evict(file.parent)


def _evict(place: Path) -> None:
    now = time.time()
    for file in _files(place):
        with contextlib.suppress(OSError):
            if now - file.stat().st_mtime > KEPT:
                file.unlink()


def _files(place: Path) -> Iterator[Path]:
    """Those that we have written, and no others that somebody keeps there."""
    if place.is_dir():
        yield from (file for file in place.iterdir() if file.name.endswith(SUFFIX) and file.is_file())
