"""The command `torch-codemods`: what is typed and what is shown; it decides nothing.

stdout carries findings or a diff, everything else goes to stderr.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

if TYPE_CHECKING:
    from codemods import Found, Keep, Options, Scan
    from codemods.read.discover import File
    from codemods.review.carry_out import Wishes
    from codemods.review.limit import Site
    from codemods.write.show import ReadLine

P = ParamSpec("P")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

results = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The results that are kept between runs.")
app.add_typer(results, name="cache")

Names = list[str] | None
Paths = Annotated[
    list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files and directories; none: the current directory.")
]
Select = Annotated[Names, typer.Option(metavar="NAMES", help="Only these codemods, comma separated.")]
Ignore = Annotated[Names, typer.Option(metavar="NAMES", help="Not these codemods, comma separated.")]
Excluded = Annotated[Names, typer.Option("--exclude", metavar="PATTERNS", help="Files to skip, as in .gitignore.")]
Assume = Annotated[Names, typer.Option(metavar="NAMES", help="Assumptions to accept, by name.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Decide everything anew, and keep nothing.")]
Verdicts = Annotated[Names, typer.Option("--verdict", metavar="NAMES", help="Show only these.")]
OutputFormat = Annotated[
    str, typer.Option(metavar="FORMAT", help="text, concise, json, jsonl, github, gitlab, sarif or markdown.")
]
Since = Annotated[
    str | None, typer.Option(metavar="REV", help="Only sites on lines that changed since a git revision.")
]
Baseline = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Not the sites of this report, which is of --output-format json.")
]
Statistics = Annotated[bool, typer.Option("--statistics", help="Show counts instead of sites.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 also where there is something to rewrite.")]
Diff = Annotated[bool, typer.Option("--diff", help="Print the diff with its evidence and write nothing.")]
PatchFile = Annotated[str, typer.Option("--patch", metavar="FILE", help="Where the patch goes; - is stdout.")]
Bowler = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Rewrite with this Bowler script instead; nothing is proved.")
]
Interactive = Annotated[bool, typer.Option("--interactive", "-i", help="Ask for each hunk whether it is wanted.")]
ReportFile = Annotated[str | None, typer.Option("--report", metavar="FILE", help="Tell in Markdown what and why.")]
Commit = Annotated[bool, typer.Option("--commit", help="Make a git commit of exactly the rewrites.")]
Signoff = Annotated[bool, typer.Option("--signoff", "-s", help="Sign the commit off.")]
Everything = Annotated[bool, typer.Option("--all", help="Rewrite proved sites that save nothing, too.")]
Manifest = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="A list of checkouts, or TOML with options for each.")
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results go.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", metavar="N", help="Entries at a time; 0: one a processor.", min=0)]
Timeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="For each entry; an hour if nobody says.")]
Resume = Annotated[bool, typer.Option("--resume", help="Leave entries alone that are done and have not changed.")]
Write = Annotated[bool, typer.Option("--write", help="Rewrite the checkouts; otherwise only tell what would be done.")]
Version = Annotated[bool, typer.Option("--version", is_eager=True, help="Show the version and leave.")]


def command(function: Callable[P, int]) -> Callable[P, None]:
    """The status a function returns is the exit status; an error is one line."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        from codemods.write.streams import in_words, say

        try:
            status = function(*args, **kwargs)
        except KeyboardInterrupt:
            say("torch-codemods: interrupted")
            status = 130
        except Exception as error:
            say(f"torch-codemods: {in_words(error)}")
            status = 2
        raise typer.Exit(status)

    return guarded


@app.callback(invoke_without_command=True)
def main(version: Version = False) -> None:
    """Rewrites PyTorch code to do less work, with a proof for each change."""
    if version:
        from codemods import VERSION
        from codemods.write.streams import emit

        emit(f"torch-codemods {VERSION}\n")
        raise typer.Exit


@app.command()
@command
def check(
    paths: Paths = None,
    select: Select = None,
    ignore: Ignore = None,
    verdict: Verdicts = None,
    exclude: Excluded = None,
    assume: Assume = None,
    output_format: OutputFormat = "",
    since: Since = None,
    baseline: Baseline = None,
    statistics: Statistics = False,
    exit_zero: ExitZero = False,
    no_cache: NoCache = False,
) -> int:
    """Show every candidate site and what was decided about it.

    Exits with 1 when a proved site saves something or a file could not be parsed.
    """
    from codemods import applicable
    from codemods.core.report import exit_status
    from codemods.core.verdict import VERDICTS
    from codemods.read.config import check_names, split
    from codemods.write import summary
    from codemods.write.streams import emit, say, tell

    shown = split(verdict) or VERDICTS
    check_names(shown, VERDICTS, "--verdict", "verdict")
    paths = paths or [Path()]
    options, style = _settings(paths, select, ignore, exclude, assume, output_format)
    options = replace(options, cached=not no_cache)
    scan, _ = _limited(paths, options, since, baseline)
    emit(_findings(scan, shown, style, statistics, options))
    tell(scan.report)
    say(summary.counts(scan.report))
    found = any(applicable(decision, options) for decision in scan.report.decisions)
    return exit_status(scan.report.failed, found=found and not exit_zero, forgiving=exit_zero)


@app.command()
@command
def fix(
    paths: Paths = None,
    select: Select = None,
    ignore: Ignore = None,
    exclude: Excluded = None,
    assume: Assume = None,
    since: Since = None,
    baseline: Baseline = None,
    bowler: Bowler = None,
    diff: Diff = False,
    interactive: Interactive = False,
    patch: PatchFile = "model_patch.diff",
    report: ReportFile = None,
    commit: Commit = False,
    signoff: Signoff = False,
    everything: Everything = False,
    no_cache: NoCache = False,
) -> int:
    """Rewrite the proved sites in place and write what was done to a patch."""
    from codemods import Fixed, plan
    from codemods.core.report import exit_status
    from codemods.review.carry_out import Wishes, carry_out, write_report
    from codemods.review.limit import site
    from codemods.write import summary
    from codemods.write.streams import say, tell

    wishes = Wishes(diff, interactive, patch, report, commit, signoff)
    wishes.check()
    paths = paths or [Path()]
    options, _ = _settings(paths, select, ignore, exclude, assume, "")
    options = replace(options, every=everything, cached=not no_cache)
    if bowler is not None:
        return _with_bowler(bowler, paths, options, wishes, (select, ignore, assume, since, baseline, interactive))
    scan, counts = _limited(paths, options, since, baseline)
    planned = list(plan(scan.files, paths, options, counts))
    fixed = [item for item in planned if isinstance(item, Fixed)]
    failed = (*scan.report.failed, *(item for item in planned if not isinstance(item, Fixed)))
    tell(replace(scan.report, failed=failed))
    refused = [decision for decision in scan.report.decisions if decision.reason]
    if not fixed:
        say(f"nothing to rewrite: {summary.counts(scan.report)}")
        return max(exit_status(failed), write_report(wishes, (), refused))

    def again(wanted: frozenset[Site]) -> list[Fixed]:
        result = plan(scan.files, paths, options, lambda file, decision: site(file, decision) in wanted)
        return [item for item in result if isinstance(item, Fixed)]

    return max(exit_status(failed), carry_out(wishes, fixed, refused, options, again))


@results.command()
@command
def clean() -> int:
    """Remove all kept results."""
    from codemods.pipeline.cache import clean, folder
    from codemods.write.streams import say
    from codemods.write.summary import count

    say(f"{count(clean(), 'file')} removed from {folder()}")
    return 0


@results.command(name="dir")
@command
def dir_() -> int:
    """Show where results are kept."""
    from codemods.pipeline.cache import folder
    from codemods.write.streams import emit

    emit(f"{folder()}\n")
    return 0


@app.command()
@command
def explain(place: Annotated[str, typer.Argument(metavar="FILE:LINE")], assume: Assume = None) -> int:
    """Tell the whole argument for the sites of one line."""
    from codemods.core.report import exit_status
    from codemods.read.config import ConfigError
    from codemods.read.discover import locate
    from codemods.write.streams import emit, tell
    from codemods.write.summary import argument, facts
    from codemods.write.terminal import drawn

    file, line = locate(place)
    options, _ = _settings([file], None, None, None, assume, "")
    scan = _scan([file], replace(options, explain=True, select=None, ignore=()))
    tell(scan.report)
    sites = scan.report.decisions
    here = [d for d in sites if d.span.line == line] or [d for d in sites if d.span.line <= line <= d.span.end_line]
    others = [life for life in scan.report.lives if line == life.span.line]
    if not here and not others and not scan.report.failed:
        elsewhere = ", ".join(sorted({str(d.span.line) for d in sites}, key=int)) or "no line"
        raise ConfigError(f"{file}:{line}: no candidate site here (there is one at: {elsewhere})")
    read_line = _reader(scan.files)
    emit(drawn(text for decision in here for text in argument(decision, read_line)))
    emit(drawn(text for life in others for text in facts(life, read_line)))
    return exit_status(scan.report.failed)


@app.command(name="list")
@command
def list_() -> int:
    """Show the codemods and what each promises."""
    import textwrap

    from codemods import describe, names
    from codemods.write.streams import emit

    pages = (f"{name}\n" + textwrap.indent(describe(name), "    ") + "\n" for name in names())
    emit("\n".join(pages))
    return 0


@app.command()
@command
def batch(
    manifest: Manifest,
    output: Output = Path("torch-codemods-batch"),
    jobs: Jobs = 0,
    timeout: Timeout = None,
    resume: Resume = False,
    write: Write = False,
    select: Select = None,
    ignore: Ignore = None,
    exclude: Excluded = None,
    assume: Assume = None,
    everything: Everything = False,
) -> int:
    """Do many checkouts, each in a process of its own."""
    from codemods.batch.command import batch
    from codemods.batch.manifest import Wanted
    from codemods.read.config import split

    wanted = Wanted(
        select=None if select is None else split(select) or ("",),
        ignore=None if ignore is None else split(ignore),
        exclude=None if exclude is None else split(exclude),
        assume=None if assume is None else split(assume),
        all=everything or None,
        timeout=timeout,
    )
    return batch(manifest, wanted, output, jobs, resume=resume, write=write)


def _settings(
    paths: Sequence[Path], select: Names, ignore: Names, exclude: Names, assume: Names, style: str
) -> tuple[Options, str]:
    """What holds: the command line before the configuration. Raises ConfigError for what cannot be used."""
    from codemods import names
    from codemods.pipeline.settings import options_of
    from codemods.read.config import FORMATS, check_names, load, split
    from codemods.read.discover import Exclude

    known = names()
    config = load(paths[0], known)
    check_names((style,) if style else (), FORMATS, "--output-format", "format")
    chosen = None if select is None else split(select) or ("",)
    ignored = None if ignore is None else split(ignore)
    check_names(chosen or (), known, "--select")
    check_names(ignored or (), known, "--ignore")
    skipped = None if exclude is None else Exclude(Path.cwd(), split(exclude))
    assumed = None if assume is None else split(assume)
    return options_of(config, chosen, ignored, skipped, assumed), style or config.output_format or "text"


def _scan(paths: Sequence[Path], options: Options) -> Scan:
    from codemods import scan

    if not sys.stderr.isatty():
        return scan(paths, options)
    from codemods.write.terminal import progress

    with progress() as tell:
        return scan(paths, options, tell)


def _limited(
    paths: Sequence[Path], options: Options, since: str | None, baseline: Path | None
) -> tuple[Scan, Keep | None]:
    """The scan without what does not count, and what does."""
    scan = _scan(paths, options)
    if since is None and baseline is None:
        return scan, None
    from codemods.review.limit import limit
    from codemods.write.streams import say
    from codemods.write.summary import count

    limits = limit(scan, paths, since, baseline)
    say(f"hidden: {count(len(limits.hidden), 'site')}")
    return limits.scan, limits.counts


def _with_bowler(
    script: Path, paths: Sequence[Path], options: Options, wishes: Wishes, others: Sequence[object]
) -> int:
    """As `fix`, with the rewrites of a script."""
    from codemods.core.errors import UsageError
    from codemods.core.report import exit_status
    from codemods.review.bowler import load, plan
    from codemods.review.carry_out import carry_out
    from codemods.write.streams import say, tell
    from codemods.write.summary import count

    if any(others):
        raise UsageError("--bowler takes only paths, --exclude, --diff, --patch, --report, --commit and --signoff")
    fixed, report = plan(load(script, paths), paths, options.exclude)
    tell(report)
    if not fixed:
        say(f"nothing to rewrite: {count(report.scanned, 'file')}, {len(report.failed)} failed")
        return exit_status(report.failed)
    return max(exit_status(report.failed), carry_out(wishes, fixed, (), options, lambda _: []))


def _findings(scan: Scan, shown: Sequence[str], style: str, statistics: bool, options: Options) -> str:
    """What goes to stdout."""
    from codemods import VERSION, applicable, describe, names
    from codemods.write import summary
    from codemods.write.streams import looking

    if style == "text" and not statistics and looking(sys.stdout):
        from codemods.write.terminal import drawn

        parts = [(os.path.relpath(file.path), found.decisions, _reader([(file, found)])) for file, found in scan.files]
        return drawn(line for part in parts for line in summary.grouped(*part, shown))
    if statistics:
        return summary.statistics(scan.report, shown, as_json=style == "json")
    if style in ("text", "concise", "markdown"):
        return summary.findings(scan.report, shown, style, _reader(scan.files))
    from codemods.write.rows import rows

    decisions = ((file.path, found.decisions) for file, found in scan.files)
    found = rows(decisions, lambda decision: applicable(decision, options))
    kept = [row for row in found if row.decision.verdict in shown]
    pages = {name: describe(name) for name in names()}
    return summary.exported(scan.report, kept, style, pages, VERSION)


def _reader(files: Iterable[tuple[File, Found]]) -> ReadLine:
    from codemods.write.show import line_reader

    places = {file.name: file.path for file, _ in files}
    return line_reader(lambda name: places.get(name, Path(name)).read_bytes())


if __name__ == "__main__":
    app(prog_name="torch-codemods")
