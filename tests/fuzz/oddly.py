"""The whole of `fix` on programs in odd formatting, and the gate on edits that went wrong."""

from __future__ import annotations

import ast
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fuzz.campaign import OPTIONS, rewrite
from fuzz.formatting import odd

import codemods
from codemods import applicable, decide_file
from codemods.write import edits, gate
from codemods.write.edits import Applied, CannotEdit, Splice
from codemods.write.gate import GateError
from codemods.write.independent import independent


@dataclass(frozen=True)
class Printed:
    """A program in odd formatting, and what is wrong with what became of it ("" where nothing is)."""

    text: bytes
    wrong: str = ""
    applied: int = 0
    same: bool = False  # all that was rewritten in plain formatting was rewritten in this one
    rejected: int = 0  # broken edits that the gate did not let through
    harmless: int = 0  # that gave the promised tree all the same


def reprinted(source: str, rng: random.Random) -> Printed | None:
    """None where the program is not rewritten at all, or could not be printed in another way."""
    plain = rewrite(source)
    if not plain.applied:
        return None
    try:
        text = odd(source, rng)
    except (ValueError, SyntaxError):
        return None
    try:
        new, rounds = codemods.rewrite(text, "program.py", OPTIONS)
    except CannotEdit:
        return Printed(text)
    except Exception as error:
        return Printed(text, f"{type(error).__name__}: {error}")
    applied = [(decision.codemod, decision.subject) for decisions in rounds for decision in decisions]
    first = decide_file(text, "program.py", OPTIONS).decisions
    cut = not any(one.reason and one.reason.code == "not-editable" for one in first)  # else others take its place
    same = cut and Counter(applied) == Counter(zip(plain.applied, plain.subjects))
    made = Printed(text, "", len(applied), same)
    if same and ast.dump(ast.parse(new)) != ast.dump(ast.parse(plain.text)):
        return replace(made, wrong="another tree than of the same program in plain formatting")
    return first_round(made, rng)


def first_round(made: Printed, rng: random.Random) -> Printed:
    wanted = [one for one in decide_file(made.text, "program.py", OPTIONS).decisions if applicable(one, OPTIONS)]
    result = edits.apply(made.text, independent(wanted))
    if missing := list(_lost(made.text, result)):
        return replace(made, wrong=f"a line that no edit is about is gone: {missing[0]!r}")
    rejected = harmless = 0
    expected = ast.dump(ast.parse(result.text))
    for broken in _broken(made.text, result, rng):
        try:
            gate.check(made.text, broken)
        except GateError:
            rejected += 1
            continue
        if ast.dump(ast.parse(broken.text)) != expected:
            return replace(made, wrong=f"the gate lets this through:\n{broken.text!r}\n{broken.splices}")
        harmless += 1
    return replace(made, rejected=rejected, harmless=harmless)


def _lost(source: bytes, result: Applied) -> Iterator[bytes]:
    """Lines outside of all statements with an edit which are not there any more, in their order."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    touched: set[int] = set()
    for decision in result.applied:
        for edit in decision.edits:
            low, high = edit.span.line, edit.span.end_line
            around = [one for one in statements if one.lineno <= low and high <= (one.end_lineno or 0)]
            inner = min(around, key=lambda one: (one.end_lineno or 0) - one.lineno, default=None)
            touched |= set(range(inner.lineno if inner else low, ((inner.end_lineno or 0) if inner else high) + 1))
    lines = source.replace(b"\x0c", b" ").splitlines()
    left = iter(result.text.replace(b"\x0c", b" ").splitlines())
    for number in range(1, len(lines) + 1):  # statements behind a semicolon move up
        if number - 1 in touched and lines[number - 2].rstrip().endswith(b"\\"):
            touched.add(number)
    for number in range(len(lines), 0, -1):
        if number + 1 in touched and lines[number - 1].rstrip().endswith(b"\\"):
            touched.add(number)
    for number, line in enumerate(lines, 1):
        if number not in touched and not any(line == other for other in left):
            yield line


def _broken(source: bytes, result: Applied, rng: random.Random) -> Iterator[Applied]:
    """The same edits, one of them a little wrong, or a change next to them."""
    for place, splice in enumerate(result.splices):
        for _ in range(3):
            other = _moved(splice, rng, len(source))
            splices = (*result.splices[:place], other, *result.splices[place + 1 :])
            if other != splice and all(one.end <= two.start for one, two in itertools.pairwise(splices)):
                yield replace(result, splices=splices, text=_spliced(source, splices))
    for _ in range(3):
        at = rng.randrange(len(source))
        extra = Splice(
            at, min(at + rng.choice((0, 1, 1, 2)), len(source)), rng.choice((b"", b"1", b" ", b"\n", b"x", b"# "))
        )
        splices = tuple(sorted((*result.splices, extra)))
        if all(one.end <= two.start for one, two in itertools.pairwise(splices)):
            yield replace(result, splices=splices, text=_spliced(source, splices))


def _moved(splice: Splice, rng: random.Random, size: int) -> Splice:
    match rng.randrange(5):
        case 0:
            return replace(splice, start=max(splice.start - rng.randrange(1, 4), 0))
        case 1:
            return replace(splice, end=min(splice.end + rng.randrange(1, 4), size))
        case 2:
            return replace(splice, text=splice.text[:-1] if splice.text else b" 1")
        case 3:
            return replace(splice, text=splice.text + rng.choice((b"1", b"x", b" ", b"()", b"\n")))
    return replace(splice, start=min(splice.start + 1, splice.end))


def _spliced(source: bytes, splices: tuple[Splice, ...]) -> bytes:
    out, upto = b"", 0
    for splice in splices:
        out += source[upto : splice.start] + splice.text
        upto = splice.end
    return out + source[upto:]
