"""Python files in every formatting, and decisions on them, for the tests of `codemods.write`."""

from __future__ import annotations

import ast
import codecs

from hypothesis import strategies as st

from codemods.core.edit import Edit, Remove, Replace, after, rename_callee
from codemods.core.span import Span, span
from codemods.core.verdict import Decision, Proved

SMALL = (
    "x = torch.zeros(3)",
    "x.zero_()",
    "(x.zero_())",
    "x[\n 0].zero_()",
    "y = 'WORD'",
    "y = f(  'WORD', torch.zeros(\n\t4,  # WORD\n 5))",
    "z = torch.full((2, 3), 1.0 , device=d)",
    "'WORD'",
    "s = '''a\n\tWORD\f\n'''",
    "v = 1 + \\\n  torch.zeros(2)",
)
BLANK = ("", "\f", "  ", "# WORD \\", "\t# x.zero_()")
WORDS = {"utf-8": "naïve \u2028 日本 \U0001f600", "latin-1": "naïve", "shift_jis": "日本表", "cp1252": "€"}


def decision(place: Span, *edits: Edit, codemod: str = "drop_fill", fix: str | None = None) -> Decision:
    return Decision(codemod, "m.py", place, "f", "x", edits, (Proved(),), fix=fix)


def renamed(call: ast.Call) -> Decision:
    return decision(span(call), rename_callee(call, "empty"), codemod="zeros_to_empty")


def find(source: bytes) -> list[Decision]:
    """`torch.zeros(..)` and `torch.full(size, value)` become `torch.empty`, and statements `x.zero_()` go."""
    found: list[Decision] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(ast.Call(func=ast.Attribute(attr="zero_"))):
                found.append(decision(span(node), Remove(span(node))))
            case ast.Call(func=ast.Attribute(attr="zeros")):
                found.append(renamed(node))
            case ast.Call(func=ast.Attribute(attr="full"), args=[size, value]):
                edits = rename_callee(node, "empty"), Replace(after(size, value), "")
                found.append(decision(span(node), *edits, codemod="zeros_to_empty"))
    return found


@st.composite
def _row(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(("; ", ";", " ; \\\n "))).join(
        draw(st.lists(st.sampled_from(SMALL), min_size=1, max_size=3))
    )
    return text + draw(st.sampled_from(("", "", ";", " ; ", "  # WORD", ";# x")))


@st.composite
def _suite(draw: st.DrawFn, indent: str, unit: str, depth: int) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        lines += draw(st.lists(st.sampled_from(BLANK), max_size=1))
        kind = draw(st.sampled_from(("row", "row", "if", "inline", "def", "class", "try") if depth else ("row",)))
        block = _suite(indent + unit, unit, depth - 1)
        match kind:
            case "row":
                lines.append(indent + draw(_row()))
            case "inline":
                lines.append(f"{indent}if x: {draw(_row())}")
            case "if":
                lines += [f"{indent}if x:  # WORD", *draw(block), f"{indent}else:", *draw(block)]
            case "try":
                lines += [f"{indent}try:", *draw(block), f"{indent}finally:", *draw(block)]
            case "def":
                lines += [f"{indent}@torch.jit", f"{indent}def f(x=torch.zeros(1)):", *draw(block)]
            case "class":
                lines += [f"{indent}class C:", *draw(block)]
    return lines


@st.composite
def sources(draw: st.DrawFn) -> bytes:
    """Files with mixed line ends, form feeds, tabs, marks, codings, semicolons, one-line suites, continuations."""
    coding = draw(st.sampled_from(("utf-8", "utf-8", "latin-1", "shift_jis", "cp1252")))
    cookie = [f"# -*- coding: {coding} -*-"] if coding != "utf-8" or draw(st.booleans()) else []
    lines = [*cookie, *draw(_suite("", draw(st.sampled_from(("\t", "  ", " \t"))), 2))]
    text = "\n".join(lines).replace("WORD", WORDS[coding]) + draw(st.sampled_from(("\n", "", "\n\n\f\n")))
    ends = draw(st.sampled_from((("\n",), ("\r\n",), ("\r",), ("\n", "\r\n", "\r"))))
    first, *rest = text.split("\n")
    ended = first + "".join(ends[number % len(ends)] + line for number, line in enumerate(rest))
    mark = codecs.BOM_UTF8 if coding == "utf-8" and draw(st.booleans()) else b""
    return mark + ended.encode(coding)
