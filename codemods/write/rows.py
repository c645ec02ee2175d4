"""The sites of a run with what formats for other programs need: where they lie in the repository, and their source."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from codemods.core.span import Span, Step
from codemods.core.verdict import Decision
from codemods.write.patch import root_of
from codemods.write.source import CannotEdit, Source, decode


@dataclass(frozen=True, slots=True)
class Tree:
    """Files on disk, each read once, and their names in the repository."""

    sources: dict[Path, Source | None] = field(default_factory=dict)
    roots: dict[Path, Path] = field(default_factory=dict)

    def source(self, path: Path) -> Source | None:
        """None where the file cannot be read as text."""
        if path not in self.sources:
            try:
                self.sources[path] = decode(path.read_bytes())
            except (OSError, LookupError, CannotEdit):
                self.sources[path] = None
        return self.sources[path]

    def name(self, path: Path) -> str:
        """From the root of its git repository; outside git from the current directory, where it lies below."""
        if path.parent not in self.roots:
            root, here = root_of(path), Path.cwd()
            in_git = (root / ".git").exists()
            self.roots[path.parent] = here if not in_git and here in path.parents else root
        root = self.roots[path.parent]
        return (path.relative_to(root) if root in path.parents else path).as_posix()


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a file for people: lines and columns count from 1, columns in characters, the end is exclusive."""

    name: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Row:
    """One site. `key` names it without its line, `number` counts the sites of one file that have the same key.

    `todo`: `fix` would rewrite it.
    """

    decision: Decision
    file: Path
    tree: Tree
    todo: bool = False
    number: int = 0

    @property
    def text(self) -> str:
        """The first line of the site without the blanks around it; "" where it cannot be had."""
        source = self.tree.source(self.file)
        return source.line(self.decision.span.line).strip() if source else ""

    @property
    def key(self) -> tuple[str, ...]:
        return key_of(self.decision, self.text)

    @property
    def fingerprint(self) -> str:
        """The same for the same site on another line, and for no other site of the run."""
        decision = self.decision
        parts = (decision.codemod, self.place.name, decision.function, decision.subject, self.text, str(self.number))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def place(self) -> Place:
        return self.locate(Step(self.decision.path, self.decision.span, ""))

    def locate(self, step: Step) -> Place:
        """Where a step of the argument lies, which may be in another file."""
        base = Path(str(self.file).removesuffix(self.decision.path))
        path = self.file if step.path == self.decision.path else base / step.path
        return placed(self.tree.name(path), step.span, self.tree.source(path))


def rows(
    files: Iterable[tuple[Path, Sequence[Decision]]], todo: Callable[[Decision], bool] = lambda _: False
) -> list[Row]:
    """In the order of a report: by path, line, column and codemod."""
    tree = Tree()
    found: list[Row] = []
    for path, decisions in files:
        seen: Counter[tuple[str, ...]] = Counter()
        for decision in decisions:
            row = Row(decision, path, tree, todo(decision))
            found.append(replace(row, number=seen[row.key]))
            seen[row.key] += 1
    return sorted(found, key=lambda row: (row.decision.path, row.decision.span, row.decision.codemod))


def key_of(decision: Decision, text: str) -> tuple[str, ...]:
    """What stays when lines are put in above the site."""
    return decision.codemod, decision.path, decision.function, decision.subject, text


def placed(name: str, span: Span, source: Source | None) -> Place:
    return Place(
        name,
        max(span.line, 1),
        _characters(source, span.line, span.column) + 1,
        max(span.end_line, span.line, 1),
        _characters(source, span.end_line, span.end_column) + 1,
    )


def _characters(source: Source | None, line: int, column: int) -> int:
    """A column in bytes of UTF-8 as a column in characters."""
    text = source.line(line) if source else ""
    return len(text.encode()[:column].decode(errors="ignore")) if text else column
