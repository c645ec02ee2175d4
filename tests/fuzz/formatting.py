"""The same program in odd formatting: another text with the same tree."""

from __future__ import annotations

import ast
import codecs
import io
import random
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

WORDS = {"utf-8": "naïve 日本 \U0001f600", "latin-1": "naïve", "cp1252": "€"}
COMMENTS = ("# x.zero_()", "# WORD", "# type: ignore", "# type: int", "#", "# torch.zeros(1) \\", "#'''", "# ) ] }")
COMPOUND = (
    "if",
    "for",
    "while",
    "try",
    "with",
    "def",
    "class",
    "match",
    "@",
    "async",
    "elif",
    "else",
    "except",
    "finally",
    "case",
)
SKIPPED = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)


@dataclass(frozen=True)
class Line:
    """A logical line: how deep it stands, and its tokens."""

    depth: int
    tokens: tuple[str, ...]

    @property
    def simple(self) -> bool:
        return self.tokens[0] not in COMPOUND

    @property
    def opens(self) -> bool:
        return self.tokens[-1] == ":"


def odd(source: str, rng: random.Random) -> bytes:
    """`source` in other words. Raises ValueError where that gives another tree."""
    text = _printed(list(_lines(_parenthesised(source, rng))), rng)
    if ast.dump(ast.parse(text)) != ast.dump(ast.parse(source)):
        raise ValueError("another tree")
    coding = rng.choice(("utf-8", "utf-8", "latin-1", "cp1252"))
    text = text.replace("WORD", WORDS[coding])
    if coding != "utf-8" or rng.random() < 0.2:
        text = f"# -*- coding: {coding} -*-\n{text}"
    if rng.random() < 0.2:
        text = text.rstrip("\n")
    ends = rng.choice((("\n",), ("\n",), ("\r\n",), ("\n", "\r\n")))
    first, *rest = text.split("\n")
    mark = codecs.BOM_UTF8 if coding == "utf-8" and rng.random() < 0.1 else b""
    return mark + (first + "".join(ends[place % len(ends)] + line for place, line in enumerate(rest))).encode(coding)


def _parenthesised(source: str, rng: random.Random) -> str:
    """Some expressions in parentheses of their own."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    marks: list[tuple[int, int, str]] = []
    for node in _expressions(ast.parse(source)):
        if rng.random() < 0.12:
            low, high = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[operator]
            marks += [(low, -(high - low), "("), (high, high - low, ")")]
    for at, _, mark in sorted(marks, key=lambda mark: (mark[0], mark[2] == "(", mark[1]), reverse=True):
        source = source[:at] + mark + source[at:]
    return source


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """Those that may stand in parentheses."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.pattern | ast.JoinedStr | ast.arguments):
            continue
        if isinstance(node, ast.expr) and not isinstance(node, ast.Slice | ast.Starred | ast.GeneratorExp):
            sliced = isinstance(tree, ast.Subscript) and isinstance(node, ast.Tuple)
            stored = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
            if not sliced and not stored and not isinstance(tree, ast.FunctionDef | ast.arg):
                yield node
        yield from _expressions(node)


def _lines(source: str) -> Iterator[Line]:
    depth, tokens = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            yield Line(depth, tuple(tokens))
            tokens = []
        elif token.type not in SKIPPED:
            tokens.append(token.string)


def _printed(lines: list[Line], rng: random.Random) -> str:
    unit, out, place = rng.choice(("    ", "\t", " ", "  ")), "", 0
    while place < len(lines):
        line = lines[place]
        if rng.random() < 0.1:
            out += rng.choice(("\n", "\f\n", f"{unit * line.depth}{rng.choice(COMMENTS)}\n", "   \n", "\t# WORD\n"))
        out += unit * line.depth + _spaced(line.tokens, rng)
        suite = _suite(lines, place)
        if suite and rng.random() < 0.3:
            out += " " * rng.randrange(3) + rng.choice(("; ", ";", " ;")).join(
                _spaced(one.tokens, rng) for one in suite
            )
            place += len(suite)
        else:
            while line.simple and place + 1 < len(lines) and _beside(line, lines[place + 1]) and rng.random() < 0.25:
                place += 1
                out += rng.choice(("; ", ";", " ; \\\n  ")) + _spaced(lines[place].tokens, rng)
            if line.simple and rng.random() < 0.05:
                out += ";"
        place += 1
        out += rng.choice(("", "", "", "", "  ", "  " + rng.choice(COMMENTS), rng.choice(COMMENTS))) + "\n"
    return out


def _beside(line: Line, other: Line) -> bool:
    return other.simple and other.depth == line.depth


def _suite(lines: list[Line], place: int) -> list[Line]:
    """The block behind a header, where it may stand on the header's own line."""
    line = lines[place]
    if not line.opens or line.tokens[0] == "match":
        return []
    inner = []
    for other in lines[place + 1 :]:
        if other.depth <= line.depth:
            break
        inner.append(other)
    return inner if all(other.simple for other in inner) else []


def _spaced(tokens: tuple[str, ...], rng: random.Random) -> str:
    """The tokens of a line, with odd blanks in between."""
    out, depth, wild = "", 0, rng.choice((0.0, 0.0, 0.05, 0.3))
    for token in tokens:
        depth -= token in (")", "]", "}")
        gap = " " if out and _clash(out[-1], token[0]) else ""
        if out and rng.random() < wild:
            inside = (" ", "\n", "\n  \t", f" {rng.choice(COMMENTS)}\n   ", "\f ", "  \\\n ", "\n\n")
            gap = rng.choice(inside if depth or token in (")", "]", "}") else (" ", "  ", " \\\n    ", "\t", " \f"))
        elif out and not gap and rng.random() < 0.4:
            gap = " "
        out += gap + token
        depth += token in ("(", "[", "{")
    return out


def _clash(last: str, first: str) -> bool:
    def word(char: str) -> bool:
        return char.isalnum() or char in "_\"'"

    return word(last) and (word(first) or first == ".") and not (first == "." and not last.isdigit())
