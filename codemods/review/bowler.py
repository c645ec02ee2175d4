"""A user's own Bowler script as a codemod: our files, our patch and report, its queries.

Bowler is asked for trees only. It would read and write files in the locale's encoding, pass over in a log line what its
grammar does not know, and end a last line that had no end.
"""

from __future__ import annotations

import ast
import contextlib
import os
import runpy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codemods import Fixed
from codemods.core.errors import UsageError
from codemods.core.report import Notice, Report
from codemods.core.span import Span, Step
from codemods.core.verdict import Decision, Proved
from codemods.read.discover import Exclude, File, discover, read
from codemods.read.parse import parse, unreadable
from codemods.write.patch import Change, Hunk, hunks, root_of
from codemods.write.source import CannotEdit, Source, decode


class _NotRewrittenError(Exception):
    """The file stays as it is; with the line and the reason."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True, slots=True)
class Script:
    """A file with queries, compiled; a pair is the tool that runs one and which files it is for."""

    path: Path
    tools: tuple[tuple[Any, Any], ...]


def load(path: Path, paths: Sequence[Path]) -> Script:
    """The queries that the script runs, recorded instead of run; of its `main()`, where it has one.

    Raises UsageError where Bowler is not installed, and for a script that fails, runs none or wants to look at hunks.
    """
    try:
        from bowler import Query
        from bowler.tool import BowlerTool
    except ImportError as error:
        hint = "pip install 'torch-codemods[bowler]'"
        raise UsageError(f"--bowler: bowler cannot be imported ({error}): {hint}") from None
    if not path.is_file():
        raise UsageError(f"--bowler: {path} is not a file")
    with _recorded(Query) as queries, contextlib.redirect_stdout(sys.stderr), _arguments(path, paths):
        _execute(path, queries)
    if not queries:
        raise UsageError(f"--bowler: {path} runs no Query")
    if any(query.processors for query in queries):
        raise UsageError(f"--bowler: {path}: process() looks at hunks, which --diff is for; it is not supported")
    tools = []
    for query in queries:
        options = {"print_function": query.python_version == 3}
        tool = BowlerTool(query.compile(), interactive=False, silent=True, in_process=True, options=options)
        tools.append((tool, query.filename_matcher))
    return Script(path, tuple(tools))


def plan(script: Script, paths: Sequence[Path], exclude: Sequence[Exclude]) -> tuple[list[Fixed], Report]:
    """What the script changes, file by file; one that it cannot read or breaks is among the failed ones."""
    root = Path(os.path.commonpath({root_of(path) for path in paths}))
    fixed: list[Fixed] = []
    failed: list[Notice] = []
    scanned = 0
    for item in discover(paths, exclude):
        source = read(item) if isinstance(item, File) else item
        if isinstance(source, Notice):
            failed.append(source)
        elif isinstance(item, File):
            scanned += 1
            try:
                text = _rewritten(script, item, source)
            except _NotRewrittenError as error:
                failed.append(Notice(item.name, error.line, str(error)))
                continue
            if text != source:
                change = Change(item.path, item.path.relative_to(root).as_posix(), source, text)
                fixed.append(Fixed(change, (_decisions(script, item, change),)))
    decisions = tuple(decision for one in fixed for decision in one.rounds[0])
    return fixed, Report(decisions, scanned, scanned - len(failed), tuple(failed))


# --- the script


@contextlib.contextmanager
def _recorded(query: Any) -> Iterator[list[Any]]:
    """Every query that is executed, by whichever of its methods: all of them end in `execute`."""
    found: list[Any] = []

    def record(self: Any, **_: object) -> Any:
        self.retcode = 0
        found.append(self)
        return self

    real = query.execute
    query.execute = record
    try:
        yield found
    finally:
        query.execute = real


@contextlib.contextmanager
def _arguments(path: Path, paths: Sequence[Path]) -> Iterator[None]:
    """As if it was called with the paths, from its own directory's point of view."""
    before = sys.argv[:], sys.path[:]
    sys.argv[:] = [str(path), *map(str, paths)]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.argv[:], sys.path[:] = before


def _execute(path: Path, queries: Sequence[object]) -> None:
    try:
        names = runpy.run_path(str(path), run_name=path.stem)
        if callable(main := names.get("main")):
            main()
        if not queries:
            runpy.run_path(str(path), run_name="__main__")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a script that parses arguments of its own
        last = error.__traceback__
        line = 0
        while last is not None:
            line = last.tb_lineno if last.tb_frame.f_code.co_filename == str(path) else line
            last = last.tb_next
        line = (error.lineno or line) if isinstance(error, SyntaxError) else line
        raise UsageError(f"--bowler: {path}:{line}: {type(error).__name__}: {error}".replace("\n", " ")) from None


# --- one file


def _rewritten(script: Script, file: File, source: bytes) -> bytes:
    try:
        parse(source)
        text = decode(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, CannotEdit) as error:
        notice = unreadable(error, file.name)
        raise _NotRewrittenError(notice.line, notice.message) from None
    old = text.utf8.decode()
    new = old
    for tool, matches in script.tools:
        if matches is None or matches(str(file.path)):
            new = _transformed(tool, new, file)
    return source if new == old else _gated(text, new)


def _transformed(tool: Any, text: str, file: File) -> str:
    """By one query; the end of the last line stays as it was."""
    end = "" if text.endswith(("\n", "\r")) or not text else "\r\n" if "\r\n" in text else "\n"
    try:
        tree = tool.driver.parse_string(text + end)
    except Exception as error:  # ParseError, TokenError, IndentationError of its own parser
        raise _NotRewrittenError(_line(error), f"Bowler's grammar cannot read it: {error}") from None
    if str(tree) != text + end:
        raise _NotRewrittenError(1, "Bowler's grammar does not give the file back as it is")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            changed = tool.refactor_tree(tree, str(file.path))
    except Exception as error:
        why = f"the script fails on it: {type(error).__name__}: {error}".replace("\n", " ")
        raise _NotRewrittenError(1, why) from None
    return str(tree).removesuffix(end) if changed else text


def _line(error: Exception) -> int:
    """Where its parser stopped."""
    match getattr(error, "context", None), error.args:
        case (_, (int(line), int())), _:
            return line
        case _, (_, (int(line), int())):
            return line
    return getattr(error, "lineno", None) or 1


def _gated(old: Source, new: str) -> bytes:
    """In the coding of the file, once Python can read it."""
    try:
        data = old.raw[: old.bom] + old.encode(new)
        parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError, CannotEdit) as error:
        raise _NotRewrittenError(1, f"not rewritten: what the script makes of it cannot be parsed: {error}") from None
    return data


# --- what is told


def _decisions(script: Script, file: File, change: Change) -> tuple[Decision, ...]:
    """One a hunk. Nobody proved it: it holds as far as the script is right."""
    tree = parse(change.before)
    found = []
    for hunk in hunks(change):
        line, end_line, text = _changed(hunk)
        place = Span(line, 0, end_line, 0)
        because = Proved((Step(file.name, place, f"changed by {script.path.name}"),), (f"bowler:{script.path.name}",))
        found.append(Decision(script.path.stem, file.name, place, _function(tree, line), text, (), (because,)))
    return tuple(found)


def _changed(hunk: Hunk) -> tuple[int, int, str]:
    """The first and the last old line that changes, and the text of the first."""
    touched: list[int] = []
    number, first = hunk.line, ""
    for line in hunk.text.split(b"\n")[1:]:
        if line[:1] in (b"-", b"+"):
            touched.append(number - (line[:1] == b"+" and bool(touched)))
            first = first or line[1:].decode(errors="replace").strip()
        number += line[:1] in (b"-", b" ")
    return min(touched), max(touched), first or "an empty line"


def _function(tree: ast.Module, line: int) -> str:
    names: list[str] = []
    body: list[ast.stmt] = tree.body
    while True:
        around = [node for node in body if node.lineno <= line <= (node.end_lineno or 0)]
        if not around or not isinstance(around[0], ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return ".".join(names) or "<module>"
        names.append(around[0].name)
        body = around[0].body
