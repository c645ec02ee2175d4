"""Where the imports of a file begin, what it is called by them, and which project it belongs to."""

from __future__ import annotations

from pathlib import Path

MARKS = (".git", "pyproject.toml", "setup.py")


def root_of(file: Path) -> Path:
    """The directory in which the imports of a file begin: the one around the topmost package above it. Folders in a
    package need no `__init__.py` of their own."""
    folder = file.parent
    above = [folder, *folder.parents][:-1]
    packages = [place for place, one in enumerate(above) if (one / "__init__.py").is_file()]
    inner = [one.name for one in above[: packages[-1] + 1]] if packages else []
    if all(name.isidentifier() for name in inner):
        return above[packages[-1]].parent if packages else folder
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def dotted_of(file: Path, root: Path) -> tuple[str, str]:
    """The dotted name of a file, and that of the package around it."""
    parts = file.relative_to(root).with_suffix("").parts
    if parts[-1] == "__init__":
        return ".".join(parts[:-1]), ".".join(parts[:-1])
    return ".".join(parts), ".".join(parts[:-1])


def project_of(folder: Path) -> Path | None:
    """The root of the project that a folder is in, None where nothing marks one."""
    return next((one for one in (folder, *folder.parents) if any((one / mark).exists() for mark in MARKS)), None)
