"""What the decisions on a file rest on besides its own text, and whether it is still so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codemods.read.roots import project_of, root_of

Kind = Literal["file", "root", "classes", "project", "operators"]
ABSENT, UNREADABLE = "absent", "unreadable"


@dataclass(frozen=True, slots=True)
class Looked:
    """One thing that was looked at, or looked for:

    file       `place` is a path; it may not be there
    root       where the imports of the files in the folder `place` begin
    classes    which classes of the Python files below `place` have which bases
    project    which project the folder `place` is in
    operators  what the sources below `place` say about operators that they register

    `seen`: all that was read, by its digest, or what was found. `means`: what was made of it, by its digest, where that
    is less.
    """

    kind: Kind
    place: str
    seen: str
    means: str = ""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def content(file: Path) -> tuple[bytes | None, str]:
    """The bytes of a file, None where it cannot be read, and what `Looked.seen` is to say."""
    if not file.is_file():
        return None, ABSENT
    try:
        source = file.read_bytes()
    except OSError:
        return None, UNREADABLE
    return source, digest(source)


def together(parts: Iterable[tuple[str, str]]) -> str:
    """One digest of several files: their names, and what was seen of each."""
    return digest("\0".join(text for part in parts for text in part).encode("utf-8", "surrogateescape"))


def python_files(top: Path) -> list[Path]:
    """Every Python file below a folder, in order; links are not followed."""
    walk = os.walk(top)
    return sorted(Path(folder, name) for folder, _, files in walk for name in files if name.endswith(".py"))


def now(before: Looked) -> Looked:
    """The same thing as it is now."""
    return Looked(before.kind, before.place, _seen(before.kind, Path(before.place)))


class Again:
    """Looks once more, at each thing once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Kind, str], str] = {}
        self._made: dict[tuple[Kind, str], Looked] = {}

    def still(self, before: Looked) -> Looked | None:
        """What would be seen now, None where it does not mean the same."""
        thing = (before.kind, before.place)
        if thing not in self._seen:
            self._seen[thing] = _seen(before.kind, Path(before.place))
        if self._seen[thing] == before.seen:
            return before
        if not before.means:
            return None
        if thing not in self._made:
            self._made[thing] = _made(before.kind, Path(before.place))
        now = self._made[thing]
        return now if now.means == before.means else None


def _seen(kind: Kind, place: Path) -> str:
    match kind:
        case "file":
            return content(place)[1]
        case "root":
            return str(root_of(place / "any"))
        case "classes":
            return together((str(file), content(file)[1]) for file in python_files(place))
        case "project":
            return str(project_of(place) or "")
        case "operators":
            from codemods.read.schemas import sources

            return together((str(file), digest(source)) for file, source in sources(place))


def _made(kind: Kind, place: Path) -> Looked:
    if kind == "classes":
        from codemods.read.world import world_of

        return world_of(place)[1]
    from codemods.read.schemas import forget, registering

    forget()
    return registering(place).looked
