"""A checkout from git, without its history."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from codemods.core.errors import UsageError
from codemods.review.git import git

QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")}


def clone(url: str, revision: str, place: Path) -> None:
    """Fetch one revision, "" is what HEAD stands for there, into a folder that is whole or not there.

    Raises UsageError with what git says. It never asks for a password.
    """
    for name in _git(Path(), "rev-parse", "--local-env-vars").split():
        os.environ.pop(name, None)  # in a hook they name the repository that runs it, which is not to be touched
    os.environ.update(QUIET)
    unfinished = place.with_name(f".{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        _git(unfinished, "init", "--quiet")
        _git(unfinished, "remote", "add", "--", "origin", url)
        _git(unfinished, "fetch", "--quiet", "--depth", "1", "--", "origin", revision or "HEAD")
        _git(unfinished, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        shutil.rmtree(place, ignore_errors=True)
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _git(folder: Path, *arguments: str) -> str:
    done = git(folder, *arguments)
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise UsageError(f"git {arguments[0]}: {said or f'exit status {done.returncode}'}")
    return done.stdout.decode(errors="replace")
