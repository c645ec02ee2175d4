"""A git commit of exactly the rewrites."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from codemods import Fixed
from codemods.core.errors import UsageError
from codemods.review.git import git, repository
from codemods.review.hunks import applied
from codemods.write.evidence import told
from codemods.write.show import plain
from codemods.write.summary import count

_UNFINISHED = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")


def check(paths: Sequence[Path]) -> Path:
    """The repository that a commit of these files goes to.

    Raises UsageError outside of git, for files of two repositories, while the index holds changes, and for a file that
    git does not know or that has edits of its own: they would go in.
    """
    roots = {repository(path, "--commit") for path in paths}
    if len(roots) > 1:
        raise UsageError("--commit: the files lie in more than one git repository")
    (root,) = roots
    if git(root, "diff", "--cached", "--quiet").returncode:
        raise UsageError("--commit: the index holds other changes")
    for name in _UNFINISHED:
        if not git(root, "rev-parse", "--verify", "--quiet", name).returncode:
            raise UsageError(f"--commit: {name} is there: a merge or the like is not finished")
    for path in paths:
        if git(root, "ls-files", "--error-unmatch", "--", os.fsencode(path)).returncode:
            raise UsageError(f"--commit: {path} is not known to git")
        if git(root, "diff", "--quiet", "--", os.fsencode(path)).returncode:
            raise UsageError(f"--commit: {path} has edits that are not committed")
    return root


def commit(root: Path, fixed: Sequence[Fixed], *, signed: bool) -> str:
    """ "" when it is done, else why git refused, in one line. The files are written before."""
    options = ["--signoff"] if signed else []
    names = [os.fsencode(one.change.path) for one in fixed]
    text = message(fixed).encode("utf-8", "backslashreplace")
    done = git(
        root, "commit", "--quiet", *options, "--cleanup=whitespace", "--file=-", "--only", "--", *names, text=text
    )
    said = (done.stderr or done.stdout).decode(errors="replace").split("\n")
    return plain(next(filter(None, said), f"status {done.returncode}")) if done.returncode else ""


def message(fixed: Sequence[Fixed]) -> str:
    """Each site with its verdict and the evidence for it."""
    found = [(one.change.name, applied(one)) for one in fixed]
    sites = sum(len(decisions) for _, decisions in found)
    lines = [f"Drop needless tensor work: {count(sites, 'site')} in {count(len(found), 'file')}", ""]
    lines += [plain(row) for name, decisions in found for one in decisions for row in told(one, name)]
    return "\n".join(lines) + "\n"
