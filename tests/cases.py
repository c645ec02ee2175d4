"""Case pages: tests/cases/<codemod>.md, read into plain data.

A page is a list of sections: `## title`, a line on why where it helps, one fenced block. A `diff`
block is a rewrite; lines start with ` `, `-` or `+`. A `python` block changes nothing. In both a site
that stays is marked on its first line, `# refused: code` (`code, code` for several sites in one line),
`# proved: saves nothing`, or `# assumed: name` (rewritten where that is accepted). Comment lines of their own at the
end of a block tell more:

    # run: f(torch.rand(4)), f(torch.rand(3))      calls on which both forms must agree
    # differs                                      the naive rewrite of the marked lines is seen to be wrong
    # once: instance                               how often the rewrite saves something

`import torch` stands on top of every block that imports nothing itself, and what a Triton kernel needs, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PAGES = Path(__file__).parent / "cases"
SECTION = re.compile(r"^## (?P<title>.+?)$(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(?P<kind>diff|python)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"# (?P<word>refused|proved|assumed): (?P<codes>[a-z, -]+)$")
TOLD = re.compile(r"^# (?P<word>run|differs|once)(?:: (?P<value>.+))?$")
SAVES_NOTHING = "saves nothing"


@dataclass(frozen=True)
class Case:
    """`refused` and `idle` (proved, saves nothing) are (line, code) and lines of `before`, which count from 1."""

    page: str  # the codemod
    title: str
    kind: Literal["rewrite", "refusal", "nothing"]
    before: str
    after: str
    refused: tuple[tuple[int, str], ...] = ()
    idle: tuple[int, ...] = ()
    assumed: tuple[tuple[int, str], ...] = ()
    runs: tuple[str, ...] = ()
    differs: bool = False
    once: str | None = None

    def __str__(self) -> str:
        return f"{self.page}-{re.sub(r'[^a-z0-9]+', '-', self.title.lower()).strip('-')}"


def cases() -> tuple[Case, ...]:
    """Every case of every page. Raises ValueError for a page that breaks the format."""
    return tuple(case for page in sorted(PAGES.glob("*.md")) for case in parse(page.stem, page.read_text("utf-8")))


def parse(page: str, text: str) -> Iterator[Case]:
    """The cases of one page."""
    for section in SECTION.finditer(text):
        title, blocks = section["title"], list(BLOCK.finditer(section["body"]))
        if len(blocks) != 1:
            raise ValueError(f"{page}: {title!r} has {len(blocks)} blocks instead of one")
        yield _case(page, title, blocks[0]["kind"], blocks[0]["text"].splitlines())


def _case(page: str, title: str, kind: str, lines: list[str]) -> Case:
    if kind == "diff":
        if strange := [line for line in lines if line[:1] not in (" ", "-", "+")]:
            raise ValueError(f"{page}: {title!r} has a line that is no diff: {strange[0]!r}")
        told = dict(_told([line[1:] for line in lines if line[0] == " "]))
        before = _source([line[1:] for line in lines if line[0] != "+"])
        after = _source([line[1:] for line in lines if line[0] != "-"])
    else:
        told, before = dict(_told(lines)), _source(lines)
        after = before
    marks = tuple(_marks(before))
    refused = tuple((line, code) for line, word, code in marks if word == "refused")
    idle = tuple(line for line, word, _ in marks if word == "proved")
    assumed = tuple((line, code) for line, word, code in marks if word == "assumed")
    if (kind == "diff") == (before == after):
        raise ValueError(f"{page}: {title!r} is a {kind} block, but before and after say otherwise")
    return Case(
        page=page,
        title=title,
        kind="rewrite" if kind == "diff" else "refusal" if refused or assumed else "nothing",
        before=before,
        after=after,
        refused=refused,
        idle=idle,
        assumed=assumed,
        runs=_calls(told.get("run")),
        differs="differs" in told,
        once=told.get("once"),
    )


def _told(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if found := TOLD.match(line):
            yield found["word"], found["value"] or ""


def _source(lines: list[str]) -> str:
    kept = [line for line in lines if not TOLD.match(line)]
    if not any(line.startswith(("import ", "from ")) for line in kept):
        kept.insert(0, "import torch")
        if any("@triton.jit" in line for line in kept):
            kept[1:1] = ["import triton", "import triton.language as tl", "", ""]
    return "\n".join(kept) + "\n"


def _marks(source: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(source.splitlines(), 1):
        if found := MARK.search(line):
            for code in found["codes"].split(", "):
                yield number, found["word"], code


def _calls(run: str | None) -> tuple[str, ...]:
    """The calls of a `# run:` line, one by one."""
    if run is None:
        return ()
    body = ast.parse(f"[{run}]", mode="eval").body
    assert isinstance(body, ast.List)
    if other := [call for call in body.elts if not isinstance(call, ast.Call)]:
        raise ValueError(f"not a call: {ast.unparse(other[0])}")
    return tuple(ast.unparse(call) for call in body.elts)
