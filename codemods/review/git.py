"""git, asked as a program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from codemods.core.errors import UsageError


def git(folder: Path, *arguments: str | bytes, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run it there, with paths taken as they are. Raises UsageError where there is no git."""
    environment = {**os.environ, "GIT_LITERAL_PATHSPECS": "1"}
    try:
        return subprocess.run(
            ["git", *arguments], cwd=folder, input=text, env=environment, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise UsageError("git is not installed") from None


def repository(path: Path, option: str) -> Path:
    """The root of the working tree that a file or directory lies in. Raises UsageError outside of one."""
    folder = path if path.is_dir() else path.parent
    found = git(folder, "rev-parse", "--show-toplevel")
    root = os.fsdecode(found.stdout).rstrip("\n")
    if found.returncode or not root:
        raise UsageError(f"{option}: {path} is not in a git repository")
    return Path(root).resolve()
