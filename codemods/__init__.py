"""Rewrites PyTorch code to do less work, with a proof for each change.

The pipeline, and the only file that knows every stage. Every plain file of this package is a
codemod: a function `propose(flow)` and a docstring that says what it promises.
"""

from __future__ import annotations

import ast
import gc
import importlib
import os
import pkgutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from codemods.core.report import VERSION as VERSION
from codemods.core.report import Life, Notice, Report
from codemods.core.span import Span, Step, span
from codemods.core.verdict import Decision, Refused, Verdict

if TYPE_CHECKING:
    from codemods.core.event import Flow
    from codemods.core.proposal import Proposal
    from codemods.ops.contracts import Contracts
    from codemods.prove import Obligation
    from codemods.read.discover import Exclude, File
    from codemods.read.looked import Looked
    from codemods.read.summary import Summaries
    from codemods.write.patch import Change

Item = tuple["File", bytes]
Progress = Callable[[int, int], None]  # files done, files in all
Keep = Callable[["File", Decision], bool]  # the decision as if on the lines that the file has on disk
MOST_ROUNDS = 10
MANY_OBJECTS = 200_000


@dataclass(frozen=True, slots=True)
class Options:
    """What to look for. Without `select` it is every codemod."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    exclude: tuple[Exclude, ...] = ()
    assume: tuple[str, ...] = ()  # names of assumptions that are accepted
    every: bool = False  # rewrite also where it saves nothing
    explain: bool = False  # tell the life of every buffer, and of suppressed sites too
    contracts: Contracts = field(default_factory=dict)  # the project's own
    cached: bool = False  # keep what is decided, and use what was decided before
    processes: int = 4  # at most: each has read its share of the checkout, and more take over 500 MB on a large one

    @property
    def selected(self) -> tuple[str, ...]:
        return tuple(name for name in (names() if self.select is None else self.select) if name not in self.ignore)


DEFAULTS = Options()


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about one file."""

    decisions: tuple[Decision, ...] = ()
    failed: tuple[Notice, ...] = ()
    notices: tuple[Notice, ...] = ()
    parsed: bool = False
    lives: tuple[Life, ...] = ()
    looked: frozenset[Looked] = frozenset()  # what else they rest on


@dataclass(frozen=True, slots=True)
class Scan:
    """A report, and which file each part of it came from."""

    report: Report
    files: tuple[tuple[File, Found], ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """One file rewritten, and the decisions that were applied, by the round they were applied in."""

    change: Change
    rounds: tuple[tuple[Decision, ...], ...]


@dataclass(slots=True)
class _Site:
    """The proposals of one codemod for one node, over all the flows that contain it."""

    flow: Flow
    proposal: Proposal
    verdicts: list[Verdict] = field(default_factory=list)
    life: list[Step] = field(default_factory=list)


@cache
def names() -> tuple[str, ...]:
    """The codemods, by name."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.ispkg and m.name != "__main__"))


def describe(name: str) -> str:
    """The docstring of a codemod."""
    return (importlib.import_module(f"codemods.{name}").__doc__ or "").strip()


def run(paths: Sequence[Path], options: Options = DEFAULTS, progress: Progress | None = None) -> Report:
    """Every candidate site under `paths` and what was decided about it.

    Raises FileNotFoundError for a path that does not exist and ConfigError for an unknown codemod.
    """
    return scan(paths, options, progress).report


def scan(paths: Sequence[Path], options: Options = DEFAULTS, progress: Progress | None = None) -> Scan:
    """As `run`, with the files."""
    from codemods.pipeline import cache
    from codemods.pipeline.pool import each
    from codemods.read.config import check_names
    from codemods.read.discover import File, discover, interesting, read

    started = time.perf_counter()
    gc.set_threshold(MANY_OBJECTS, 30, 30)  # trees and values live about as long as their file: collecting finds little
    check_names((*(options.select or ()), *options.ignore), names(), "select")
    failed: list[Notice] = []
    work: list[Item] = []
    scanned = 0
    for item in discover(paths, options.exclude):
        source = read(item) if isinstance(item, File) else item
        if isinstance(source, Notice):
            failed.append(source)
            continue
        scanned += 1
        if isinstance(item, File) and interesting(source):
            work.append((item, source))
    work_on = partial(_decide, options=options, run=os.urandom(8).hex())
    decide = partial(each, work_on, most=options.processes, progress=progress)
    found = cache.decided(paths, options, work, decide) if options.cached else list(decide(work))
    failed += [notice for result in found for notice in result.failed]
    report = Report(
        decisions=tuple(sorted((d for result in found for d in result.decisions), key=_order)),
        scanned=scanned,
        parsed=sum(result.parsed for result in found),
        failed=tuple(sorted(failed, key=lambda notice: (notice.path, notice.line))),
        notices=tuple(notice for result in found for notice in result.notices),
        seconds=time.perf_counter() - started,
        lives=tuple(life for result in found for life in result.lives),
    )
    return Scan(report, tuple(zip((file for file, _ in work), found, strict=True)))


def decide_file(
    source: bytes, name: str, options: Options = DEFAULTS, path: Path | None = None, run: str | None = None
) -> Found:
    """Decide every site of one file. `name` is the path to report; whatever goes wrong is in the result. The result
    depends on nothing but the source and, where `path` says where the file lies, on the files that it imports. They are
    read once in a `run`."""
    from codemods.read import suppress
    from codemods.read.parse import parse, unreadable
    from codemods.read.summary import summaries_of

    summaries = summaries_of(path.resolve() if path else None, name, run, options.contracts)
    try:
        tree = parse(source)
        lives: list[Life] = []
        sites = _sites(tree, source, name, options, summaries, lives)
        comments = suppress.suppressions(source)
    except _FunctionError as error:
        return Found(failed=(Notice(name, error.line, str(error), internal=True),), parsed=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Found(failed=(unreadable(error, name),))
    used: suppress.Used = set()
    decisions = []
    for site in sites:
        lines = _lines(site)
        taken = [comment for comment in comments if comment.takes(site.proposal.codemod, lines)]
        used |= {(comment.line, site.proposal.codemod) for comment in taken}
        if not taken or options.explain:
            decisions.append(_decision(site, source, name))
    told = suppress.notices(comments, used, names(), options.selected, name)
    looked = frozenset(summaries.checkout.looked)
    return Found(tuple(sorted(decisions, key=_order)), summaries.errors(), tuple(told), True, tuple(lives), looked)


def applicable(decision: Decision, options: Options) -> bool:
    """It is to be rewritten: proved, or assumed under names that are accepted, and worth it."""
    held = decision.verdict in ("proved", "assumed") and set(decision.assumes) <= set(options.assume)
    return held and bool(decision.edits) and (bool(decision.saves) or options.every)


def plan(
    files: Iterable[tuple[File, Found]], paths: Sequence[Path], options: Options, keep: Keep | None = None
) -> Iterator[Fixed | Notice]:
    """What to write, file by file, until the tool finds nothing more to do on its own result.

    `keep`: which of the rewrites are wanted; each is proved on the text that those before it leave.
    A patch of it applies at the root of the repository around `paths`, outside git in `paths`; what
    holds them all, where they differ. A file that cannot be rewritten is a Notice.
    """
    from codemods.write.patch import root_of

    root = Path(os.path.commonpath({root_of(path) for path in paths}))
    run = os.urandom(8).hex()  # nothing is written meanwhile: the files around are read once
    for file, found in files:
        if any(applicable(d, options) for d in found.decisions) and (result := _fix(file, options, root, keep, run)):
            yield result


def rewrite(
    source: bytes,
    name: str,
    options: Options = DEFAULTS,
    path: Path | None = None,
    keep: Callable[[Decision], bool] | None = None,
    run: str | None = None,
) -> tuple[bytes, tuple[tuple[Decision, ...], ...]]:
    """A file after everything is applied that is applicable, decided anew after each round, and those rounds.

    Raises CannotEdit where the text cannot be edited, GateError where an edit did more than it promised.
    """
    from codemods.write import edits, gate
    from codemods.write.independent import independent
    from codemods.write.origin import origin

    original = source
    rounds: list[tuple[Decision, ...]] = []
    while len(rounds) < MOST_ROUNDS:
        wanted = [d for d in decide_file(source, name, options, path, run).decisions if applicable(d, options)]
        if keep is not None and wanted:
            before = origin(original, source)
            wanted = [decision for decision in wanted if keep(before.moved(decision))]
        result = edits.apply(source, independent(wanted))
        if not result.applied:
            break
        gate.check(source, result)
        source = result.text
        rounds.append(result.applied)
    return source, tuple(rounds)


class _FunctionError(Exception):
    """An error of the tool itself while it read or proved a function."""

    def __init__(self, where: str, line: int, error: Exception) -> None:
        super().__init__(f"internal error {where}: {type(error).__name__}: {error}")
        self.line = line


def _decide(item: Item, options: Options, run: str) -> Found:
    file, source = item
    return decide_file(source, file.name, options, file.path, run)


def _sites(
    tree: ast.Module, source: bytes, name: str, options: Options, summaries: Summaries, lives: list[Life]
) -> list[_Site]:
    """Every site once; to explain, `lives` of other memory. Raises _FunctionError: a file half read has no proofs."""
    from codemods.read.host import flows
    from codemods.write.life import life, others

    proposers = [importlib.import_module(f"codemods.{codemod}").propose for codemod in options.selected]
    sites: dict[tuple[str, ast.AST], _Site] = {}
    where, line = "in the first function", 1
    try:
        for flow in flows(tree, source, name, summaries, options.explain):
            where, line = f"in {flow.function}", _first_line(flow)
            for propose in proposers:
                for proposal in propose(flow):
                    site = sites.setdefault((proposal.codemod, proposal.node), _Site(flow, proposal))
                    site.verdicts += [verdict for verdict in _prove(proposal, flow) if verdict not in site.verdicts]
                    if options.explain:
                        site.life += life(flow, proposal.node)
            if options.explain:
                lives += others(flow, {node for _, node in sites})
            where = f"in a function behind {flow.function}"  # where the next one is read
        _doubt(tree, source, name, sites.values())
    except (RecursionError, MemoryError):
        raise
    except Exception as error:
        raise _FunctionError(where, line, error) from error
    return list(sites.values())


def _doubt(tree: ast.Module, source: bytes, name: str, sites: Iterable[_Site]) -> None:
    """A file that gives torch other functions has no proofs."""
    from codemods.read.patches import patched

    proved = [site for site in sites if not any(isinstance(verdict, Refused) for verdict in site.verdicts)]
    if proved and (node := patched(tree, source)) is not None:
        place = span(node)
        step = Step(name, place, "names may stand for something else")
        message = f"line {place.line} may give torch, or a name of it or of the file, another meaning"
        for site in proved:
            site.verdicts.append(Refused("not-understood", message, (step,), needs="which functions are called here"))


def _first_line(flow: Flow) -> int:
    return min(filter(None, (span(event.node).line for event in flow.events if event is not None)), default=1)


def _prove(proposal: Proposal, flow: Flow) -> Iterator[Verdict]:
    """All obligations up to one that is certainly broken: a doubt does not hide a witness."""
    for obligation in cast("tuple[Obligation, ...]", proposal.obligations):
        verdict = obligation.check(flow)
        yield verdict
        if isinstance(verdict, Refused) and verdict.certain:
            return


def _decision(site: _Site, source: bytes, name: str) -> Decision:
    from codemods.write.preview import preview

    proposal = site.proposal
    refused = any(isinstance(verdict, Refused) for verdict in site.verdicts)
    return Decision(
        codemod=proposal.codemod,
        path=name,
        span=span(proposal.node),
        function=site.flow.function,
        subject=proposal.subject,
        edits=proposal.edits,
        verdicts=tuple(site.verdicts),
        saves=proposal.saves,
        fix=None if refused else preview(proposal.edits, _statement(site), source),
        life=tuple(dict.fromkeys(site.life)),
    )


def _order(decision: Decision) -> tuple[str, Span, str]:
    return decision.path, decision.span, decision.codemod


def _statement(site: _Site) -> ast.AST:
    """The statement around a site."""
    node: ast.AST | None = site.proposal.node
    while node is not None and not isinstance(node, ast.stmt):
        node = site.flow.parents.get(node)
    return node or site.proposal.node


def _lines(site: _Site) -> set[int]:
    """Where a comment counts for the site: the first and the last line of the call and of its statement."""
    node, statement = span(site.proposal.node), _statement(site)
    around = span(statement)
    simple = not hasattr(statement, "body") and not hasattr(statement, "cases")
    return {node.line, node.end_line, around.line, around.end_line if simple else around.line}


def _fix(file: File, options: Options, root: Path, keep: Keep | None, run: str) -> Fixed | Notice | None:
    """Rewrite the text of one file, read anew so that proofs and text are of the same bytes."""
    from codemods.read.discover import read
    from codemods.write.patch import Change
    from codemods.write.source import CannotEdit

    before = read(file)
    if isinstance(before, Notice):
        return before
    try:
        text, rounds = rewrite(before, file.name, options, file.path, keep and partial(keep, file), run)
    except CannotEdit as error:
        return Notice(file.name, 1, f"not rewritten: {error}")
    except Exception as error:
        return Notice(file.name, 1, f"internal error, not rewritten: {type(error).__name__}: {error}", internal=True)
    if text == before:
        return None
    return Fixed(Change(file.path, file.path.relative_to(root).as_posix(), before, text), rounds)
