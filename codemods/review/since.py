"""Which lines differ from those of a git revision."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from codemods.core.errors import UsageError
from codemods.core.verdict import Decision
from codemods.review.git import git, repository

Lines = frozenset[int] | None  # None: all of them
_DIFF = ("diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")


def changed(paths: Sequence[Path], revision: str) -> Mapping[Path, Lines]:
    """The files of the repositories around `paths` that differ from the revision, with the lines that do.

    What counts is the working tree; a file that git does not know is new, and so are all of its lines.
    Raises UsageError outside of git and for what is no revision.
    """
    found: dict[Path, Lines] = {}
    for root in dict.fromkeys(repository(path.resolve(), "--since") for path in paths):
        if git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").returncode:
            raise UsageError(f"--since: {revision} is not a revision of {root}")
        found |= _changed(root, revision)
        new = git(root, "ls-files", "-z", "--others").stdout  # ignored ones too: they are scanned
        found |= {root / os.fsdecode(name): None for name in new.split(b"\0") if name.endswith(b".py")}
    return found


def touches(decision: Decision, lines: Lines) -> bool:
    """A line of the site was changed, or one that its proof stands on."""
    if lines is None:
        return True
    spans = [decision.span, *(step.span for step in decision.because if step.path == decision.path)]
    return any(line in lines for span in spans for line in range(span.line, span.end_line + 1))


def _changed(root: Path, revision: str) -> Mapping[Path, Lines]:
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    answer = git(root, "-c", "core.quotePath=true", *_DIFF, revision, "--")
    if answer.returncode:
        raise UsageError(f"--since: {answer.stderr.decode(errors='replace').strip().splitlines()[0]}")
    try:
        # one character a byte: a file may be in any coding, and of two in one diff
        patch = PatchSet.from_string(answer.stdout, encoding="latin-1")
    except UnidiffParseError as error:
        raise UsageError(f"--since: what git diff prints cannot be read: {error}") from None
    return {
        root / _name(file.target_file): frozenset(
            line for hunk in file for line in range(hunk.target_start, hunk.target_start + hunk.target_length)
        )
        for file in patch
    }


def _name(quoted: str) -> str:
    """A name as git writes it: in quotes with the escapes of C where a byte of it is not plain."""
    raw = ast.literal_eval(f"b{quoted}") if quoted.startswith('"') else quoted.encode("latin-1")
    assert isinstance(raw, bytes)
    return os.fsdecode(raw.removeprefix(b"b/"))
