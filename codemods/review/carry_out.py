"""The end of `fix`: show, ask, write, report, commit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codemods import Fixed, Options
from codemods.core.errors import UsageError
from codemods.core.verdict import Decision
from codemods.review import commit as git_commit
from codemods.review import interactive
from codemods.review.hunks import applied, units
from codemods.review.limit import Site
from codemods.write import evidence, markdown
from codemods.write.deliver import check_place, deliver
from codemods.write.files import write_atomically
from codemods.write.show import Line, plain
from codemods.write.streams import emit, in_words, say

Again = Callable[[frozenset[Site]], list[Fixed]]  # the plan for these sites only


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be done with the rewrites."""

    diff: bool = False  # show them, write nothing
    interactive: bool = False
    patch: str = "model_patch.diff"
    report: str | None = None
    commit: bool = False
    signoff: bool = False

    def check(self) -> None:
        """Raises UsageError for what does not go together or cannot work; asked before anything is read."""
        for name in ("interactive", "commit"):
            if self.diff and getattr(self, name):
                raise UsageError(f"--diff writes nothing: it does not go with --{name}")
        if self.signoff and not self.commit:
            raise UsageError("--signoff is for --commit")
        if self.interactive and not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError("--interactive needs a terminal: --diff shows the same without one")
        if not self.diff:
            check_place("--patch", self.patch)
        if self.report is not None:
            check_place("--report", self.report)


def carry_out(
    wishes: Wishes, fixed: Sequence[Fixed], refused: Sequence[Decision], options: Options, again: Again
) -> int:
    """The exit status: 0 when all of it is done, 1 when it was only shown.

    Raises UsageError, before anything is written, where a commit cannot be made.
    """
    if wishes.diff:
        emit(_shown(fixed))
        return max(1, write_report(wishes, fixed, refused))
    if wishes.interactive:
        fixed = _chosen(fixed, options, again)
        if not fixed:
            say("nothing was chosen, nothing is written")
            return 0
    root = git_commit.check([one.change.path for one in fixed]) if wishes.commit else None
    sites = sum(len(decisions) for one in fixed for decisions in one.rounds)
    status = deliver([one.change for one in fixed], sites, wishes.patch)
    if status == 0:
        status = write_report(wishes, fixed, refused)
    if root is not None:
        status = max(status, _committed(root, fixed, wishes) if status == 0 else _not_committed("not all is written"))
    return status


def _shown(fixed: Sequence[Fixed]) -> bytes | str:
    """Colours for a terminal; for everyone else the patch, byte for byte."""
    if not sys.stdout.isatty():
        return b"".join(evidence.annotate(one.change, one.rounds) for one in fixed)
    from codemods.write.terminal import diff

    parts: list[tuple[list[Line], list[bytes]]] = []
    for one in fixed:
        parts.append(([Line("head", plain(one.change.name))], []))
        parts += [(interactive.heads(unit), [hunk.text for hunk in unit.hunks]) for unit in units(one)]
    return diff(parts)


def _chosen(fixed: Sequence[Fixed], options: Options, again: Again) -> list[Fixed]:
    """The wanted rewrites, proved again without those that are not wanted."""
    from codemods.write.terminal import ask, show

    wanted = interactive.choose(fixed, options, ask, show)
    say(interactive.summary(fixed, wanted))
    proved = again(wanted) if wanted else []
    for line in interactive.proved_again(fixed, proved, wanted):
        say(line)
    return interactive.unchanged(fixed, proved)


def write_report(wishes: Wishes, fixed: Sequence[Fixed], refused: Sequence[Decision]) -> int:
    """0, or 2 where it could not be written."""
    if wishes.report is None:
        return 0
    text = markdown.report([decision for one in fixed for decision in applied(one)], refused)
    try:
        write_atomically(Path(wishes.report), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        say(f"error: {wishes.report}: {in_words(error)}; there is no report")
        return 2
    say(f"the report is in {wishes.report}")
    return 0


def _committed(root: Path, fixed: Sequence[Fixed], wishes: Wishes) -> int:
    why = git_commit.commit(root, fixed, signed=wishes.signoff)
    if why:
        return _not_committed(f"git says: {why}")
    say("the rewrites are committed")
    return 0


def _not_committed(why: str) -> int:
    say(f"error: not committed: {why}")
    return 2
