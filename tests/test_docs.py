"""The documentation against the code: reasons, pages, links, the code in it, and every command with what it prints."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from cases import BLOCK, Case, parse
from commands import ROOT, execute

from codemods import Options, decide_file, describe, names, rewrite
from codemods.core.event import How
from codemods.core.verdict import Refused
from codemods.read import candidates, host

DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md")))
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CONSOLE = re.compile(r"(?<=^```console\n)\$ torch-codemods ([^\n]*)\n(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^###? `?([a-z]+(?:-[a-z]+)*)`?$", re.MULTILINE)
SOURCES = [*sorted((ROOT / "codemods" / "prove").glob("*.py")), *sorted((ROOT / "codemods").glob("*.py"))]
LEFT_OUT = "..."
GUIDE = "writing-a-codemod"  # its code is of a codemod that is not there


@dataclass(frozen=True)
class Shown:
    """A command on a page and what it is said to print; `...` stands for lines that are left out."""

    page: Path
    command: str
    output: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.command}"


def shown() -> Iterator[Shown]:
    for page in PAGES:
        for found in CONSOLE.finditer(page.read_text("utf-8")):
            yield Shown(page, found[1], found[2])


def code_of(page: Path) -> Iterator[Case]:
    """The blocks of a page that are written as cases: each `diff` of a whole function, each marked `python` block."""
    for number, block in enumerate(BLOCK.finditer(page.read_text("utf-8")), 1):
        whole = any(line.lstrip(" +-").startswith(("def ", "class ", "import ")) for line in block["text"].splitlines())
        if (
            whole
            and page.stem != GUIDE
            and (block["kind"] == "diff" or "# refused: " in block["text"] or "# proved: " in block["text"])
        ):
            yield from parse(page.stem, f"## block {number}\n\n{block[0]}\n")


CODE = [(page, case) for page in PAGES for case in code_of(page)]


def codes_in_the_source() -> set[str]:
    """Every reason that a refusal can be given."""
    found: set[str] = set(get_args(How))
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_bytes())):
            match node:
                case ast.Call(func=ast.Name(id="Refused"), args=[ast.Constant(value=str(code)), *_]):
                    found.add(code)
                case ast.FunctionDef(name=name) if name.endswith("_reason"):
                    found |= {
                        code
                        for inner in ast.walk(node)
                        if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Tuple)
                        for code in [getattr(inner.value.elts[0], "value", None)]
                        if isinstance(code, str)
                    }
    return found


def test_every_reason_has_a_section_and_no_other() -> None:
    headings = HEADING.findall((DOCS / "reasons.md").read_text("utf-8"))
    assert sorted(headings) == sorted(codes_in_the_source())


def test_every_codemod_has_a_page_that_the_readme_links() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in names():
        page = (DOCS / f"{name}.md").read_text("utf-8")
        promise = describe(name).splitlines()[0].partition(": ")[2].rstrip(".").lower()
        assert page.startswith(f"# {name}\n"), name
        assert promise in page.replace("`", "").lower(), name
        assert f"](docs/{name}.md)" in readme, name


def test_every_obligation_of_a_codemod_is_on_its_page() -> None:
    for name in names():
        source = (ROOT / "codemods" / f"{name}.py").read_text("utf-8")
        used = set(re.findall(r"^from codemods\.prove\.\w+ import (\w+)$", source, re.MULTILINE)) - {"AnyOf"}
        page = (DOCS / f"{name}.md").read_text("utf-8")
        assert used
        assert sorted(one for one in used if f"**{one}**" not in page) == [], name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text("utf-8"))
    links = [target.split("#") for target in LINK.findall(text) if "://" not in target]
    assert [path for path, *_ in links if path and not (page.parent / path).exists()] == []
    for path, *anchor in links:
        if anchor:
            headings = re.findall(
                r"^#+ (.+)$", ((page.parent / path) if path else page).read_text("utf-8"), re.MULTILINE
            )
            assert anchor[0] in {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_name_files_that_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:codemods|tests|docs|examples|benchmarks)/[\w./]+\w)`", page.read_text("utf-8")))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize(("page", "case"), CODE, ids=lambda part: str(part) if isinstance(part, Case) else part.stem)
def test_the_code_on_a_page_is_decided_as_it_says(page: Path, case: Case) -> None:
    options = Options(select=(page.stem,)) if page.stem in names() else Options()
    found = decide_file(case.before.encode(), "page.py", options)
    refused = {(d.span.line, d.reason.code) for d in found.decisions if d.reason}
    assert not found.failed
    assert set(case.refused) <= refused
    assert rewrite(case.before.encode(), "page.py", options)[0].decode() == case.after


def test_every_reason_shows_itself_in_its_own_section() -> None:
    text = (DOCS / "reasons.md").read_text("utf-8")
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        code = section.splitlines()[0].strip("`")
        if HEADING.match(f"## {code}"):
            assert f"# refused: {code}\n" in section, code


def test_the_codemod_that_the_guide_writes_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "SITE", re.compile(candidates.SITE.pattern + rb"|\bcopy_\s*\("))
    rewritten, refused = "", ""
    for block in BLOCK.finditer((DOCS / f"{GUIDE}.md").read_text("utf-8")):
        if "def propose(" in block["text"]:
            module: dict[str, Any] = {}
            exec(compile(block["text"], "drop_copy.py", "exec"), module)
        elif block["kind"] == "diff":
            rewritten = "".join(line[1:] + "\n" for line in block["text"].splitlines() if line[0] != "+")
        else:
            refused = block["text"]
    told = {}
    for source in (rewritten, refused):
        text = "import torch\n" + source
        for flow in host.flows(ast.parse(text), text.encode(), "page.py"):
            for proposal in module["propose"](flow):
                answers = [obligation.check(flow) for obligation in proposal.obligations]
                codes = [answer.code for answer in answers if isinstance(answer, Refused)]
                told[ast.unparse(proposal.node), flow.function] = codes
    assert told == {
        ("out.copy_(a)", "f"): [],
        ("out.copy_(b)", "f"): ["returned"],
        ("out.copy_(a)", "g"): ["gap"],
        ("out[1:].copy_(b)", "g"): ["returned"],
    }


def test_commands_are_shown() -> None:
    assert len(list(shown())) >= 5


@pytest.mark.parametrize("one", list(shown()), ids=str)
def test_a_command_prints_what_is_shown(one: Shown, accept: bool) -> None:
    result = execute(*one.command.split(), cwd=ROOT)
    printed = result.stdout.decode()
    if accept and LEFT_OUT not in one.output.splitlines():
        text = one.page.read_text("utf-8")
        one.page.write_text(text.replace(f"{one.command}\n{one.output}```", f"{one.command}\n{printed}```"), "utf-8")
        return
    assert result.returncode in (0, 1), result.stderr.decode()
    pattern = "".join(".*" if line == LEFT_OUT else re.escape(line) + "\n" for line in one.output.splitlines())
    same = re.fullmatch(pattern, printed, re.DOTALL)
    difference = difflib.unified_diff(one.output.splitlines(), printed.splitlines(), "the page", "printed", lineterm="")
    assert same, "\n".join(difference)
