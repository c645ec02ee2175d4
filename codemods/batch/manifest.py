"""The entries of a manifest: a plain list of checkouts, or TOML with options for each."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from codemods.core.errors import UsageError
from codemods.read.config import LISTS, check_names

OPTIONS = (*LISTS, "all", "timeout")
KEYS = ("path", "git", "rev", "name", *OPTIONS)
RESERVED = ("checkouts", "summary.jsonl", "summary.csv")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[\w.-]+@[\w.-]+:")
TIMEOUT = 3600.0  # seconds, where nobody says anything
NAME = re.compile(r"\w[\w.-]{0,99}")
COMMENT = re.compile(r"(?:^|\s+)#.*")
HEADER = re.compile(r"^[ \t]*\[\[\s*[\"']?entry[\"']?\s*\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for in a checkout. None: as its own configuration says. `timeout` in seconds."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None  # patterns as in a .gitignore at the root of the checkout
    assume: tuple[str, ...] | None = None
    all: bool | None = None
    timeout: float | None = None

    def before(self, other: Wanted) -> Wanted:
        """These, and those of `other` where nothing is said here."""
        given = {name: getattr(self, name) for name in OPTIONS if getattr(self, name) is not None}
        return replace(other, **given)


@dataclass(frozen=True, slots=True)
class Entry:
    """One checkout. `name`: of its folder among the results, unlike that of any other entry.

    Either `path` is set, absolute and not looked at yet, or `git`, which is what git can fetch; `rev` of it, "" is
    what its HEAD stands for.
    """

    name: str
    path: Path | None = None
    git: str = ""
    rev: str = ""
    wanted: Wanted = field(default_factory=Wanted)


class _WrongError(Exception):
    """What is wrong with a table, and the key that it is about."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def load(file: Path, codemods: Sequence[str], given: Wanted) -> tuple[Entry, ...]:
    """The entries in the order of the file; `given` counts before what stands there.

    Raises UsageError that says where in the file something is wrong, and OSError.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8: {error.reason} at byte {error.start}") from None
    lowest = Wanted(timeout=TIMEOUT)
    made = list(_from_toml(file, text, codemods) if file.suffix == ".toml" else _from_list(file, text))
    if not made:
        raise UsageError(f"{file}: names no checkout")
    return _distinct([replace(entry, wanted=given.before(entry.wanted).before(lowest)) for entry in made])


def _from_list(file: Path, text: str) -> Iterator[Entry]:
    """One path or URL a line; what follows a # that stands at the start or behind a blank is a comment."""
    for number, line in enumerate(text.splitlines(), 1):
        place = COMMENT.sub("", line).strip()
        if "\0" in place:
            raise UsageError(f"{file}:{number}: a path cannot hold a null byte")
        if place and URL.match(place):
            yield Entry(_named(place), git=place)
        elif place:
            yield _checkout(file, place)


def _checkout(file: Path, place: str) -> Entry:
    path = _absolute(file, place)
    return Entry(_named(path.name), path=path)


def _absolute(file: Path, place: str) -> Path:
    return Path(os.path.abspath(file.parent / os.path.expanduser(place)))  # noqa: PTH100, PTH111 (they never raise)


def _from_toml(file: Path, text: str, codemods: Sequence[str]) -> Iterator[Entry]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: not valid TOML: {error}") from None
    tables = table.pop("entry", [])
    spans = _spans(text, len(tables) if isinstance(tables, list) else 0)
    try:
        _known(table, (*OPTIONS, "entry"))
        defaults = _wanted(table, codemods)
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            raise _WrongError("[[entry]] must be a list of tables", "entry")
    except _WrongError as wrong:
        end = spans[0][0] if spans else len(text)
        raise UsageError(f"{file}:{_line(text, 0, end or len(text), wrong.key)}: {wrong}") from None
    for number, (one, (start, end)) in enumerate(zip(tables, spans, strict=True), 1):
        try:
            entry = _entry(file, one, codemods)
        except _WrongError as wrong:
            where = f"{file}:{_line(text, start, end, wrong.key)}: [[entry]] {number}"
            raise UsageError(f"{where}: {wrong}") from None
        yield replace(entry, wanted=entry.wanted.before(defaults))


def _entry(file: Path, table: Mapping[str, Any], codemods: Sequence[str]) -> Entry:
    _known(table, KEYS)
    path, git, rev, name = (_string(table, key) for key in KEYS[:4])
    if bool(path) == bool(git):
        raise _WrongError("git: there is a path, too" if path else "must have a path or git", "git" if path else "")
    if rev and not git:
        raise _WrongError("rev: is for git; a path is taken as it is", "rev")
    if name and not NAME.fullmatch(name):
        raise _WrongError(f"name: {name!r} cannot name a folder (letters, digits and . _ -, first no . or -)", "name")
    if git and not URL.match(git):
        git = str(_absolute(file, git))
    entry = _checkout(file, path) if path else Entry(_named(git), git=git, rev=rev)
    return replace(entry, name=name or entry.name, wanted=_wanted(table, codemods))


def _wanted(table: Mapping[str, Any], codemods: Sequence[str]) -> Wanted:
    lists: dict[str, tuple[str, ...]] = {}
    for key in LISTS:
        value = table.get(key)
        if value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _WrongError(f"{key}: must be a list of strings", key)
        lists[key] = tuple(value)
        if key in ("select", "ignore"):
            try:
                check_names(lists[key], codemods, key)
            except UsageError as error:
                raise _WrongError(str(error), key) from None
    every, timeout = table.get("all"), table.get("timeout")
    if not isinstance(every, bool | None):
        raise _WrongError("all: must be true or false", "all")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0):
        raise _WrongError("timeout: must be a number of seconds above 0", "timeout")
    return Wanted(**lists, all=every, timeout=timeout)


def _string(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or "\0" in value or (key in table and not value.strip()):
        raise _WrongError(f"{key}: must be a string with something in it", key)
    return value


def _known(table: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            raise _WrongError(f"{key}: unknown key (there are: {', '.join(keys)})", key)


def _named(place: str) -> str:
    """A name for a folder: the last part of a path or a URL, without what could lead out of a folder."""
    last = re.split(r"[/\\:]", place.rstrip("/\\"))[-1].removesuffix(".git")
    return re.sub(r"[^\w.-]+", "-", last).strip(".-")[:100] or "checkout"


def _distinct(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """With a number behind a name that one before has, also for file systems to which A and a are the same."""
    taken = {name.casefold() for name in RESERVED}
    made: list[Entry] = []
    for entry in entries:
        name, number = entry.name, 2
        while name.casefold() in taken:
            name, number = f"{entry.name}-{number}", number + 1
        taken.add(name.casefold())
        made.append(replace(entry, name=name))
    return tuple(made)


def _spans(text: str, count: int) -> list[tuple[int, int]]:
    """Where in the text each entry stands; all of it where they are not written as tables."""
    starts = [match.start() for match in HEADER.finditer(text)]
    if not count or len(starts) != count:
        return [(0, len(text))] * count
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _line(text: str, start: int, end: int, key: str) -> int:
    """The line of a key, or of the table that it should stand in."""
    found = re.search(rf"(?<![\w.-])[\"']?{re.escape(key)}[\"']?\s*[=\].]", text[start:end]) if key else None
    return text.count("\n", 0, start + found.start() if found else start) + 1
