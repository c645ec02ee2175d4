"""Schemas of operators: `topk_softmax(Tensor! topk_weights, Tensor gating) -> ()`, read without torch.

The notation is that of torch.library: `!` marks what the operator writes, in the short form (`Tensor!`) or with the
name of an alias set (`Tensor(a!)`); an alias set that a result names too is handed back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

HEAD = re.compile(r"\s*(?:(?P<space>\w+)::)?(?P<name>\w+)(?:\.\w+)?\s*\(")
PARAMETER = re.compile(r"(?P<kind>[\w.]+(?:[?!]|\[\d*\]|\([^()]*\))*)\s+(?P<name>\w+)\s*(?P<default>=.*)?", re.DOTALL)
RESULT = re.compile(r"(?P<kind>[\w.]+(?:[?!]|\[\d*\]|\([^()]*\))*)(?:\s+\w+)?")
SINGLE = re.compile(r"Tensor\(\w+!?\)")
SET = re.compile(r"\(\s*([\w|]+)\s*!?\s*(?:->\s*[\w|*]+\s*)?\)")


class SchemaError(ValueError):
    """A text that is no schema; the message says why."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    tensor: bool = False
    several: bool = False  # a list of them
    mutated: bool = False
    alias: frozenset[str] = frozenset()  # the alias sets that it is in
    required: bool = True
    keyword: bool = False  # cannot be given by position


@dataclass(frozen=True, slots=True)
class Schema:
    """`space` is the namespace, "" where the text does not say it. `returns`: the alias sets of each result."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: tuple[frozenset[str], ...] = ()
    space: str = ""
    tensor: bool = False  # there is one result, and it is a tensor

    @property
    def fresh(self) -> bool:
        """No result is, or shares memory with, an argument."""
        return not any(self.returns)

    def returned(self, parameter: Parameter) -> bool:
        """A result may be this argument, or a view of it."""
        return any(parameter.alias & sets for sets in self.returns)


def parse(text: str) -> Schema:
    """Read one schema. Raises SchemaError for what is none."""
    head = HEAD.match(text)
    if head is None:
        raise SchemaError(f"no name and parenthesis at the beginning of {_short(text)!r}")
    end = _closing(text, head.end() - 1)
    arrow, _, results = text[end + 1 :].partition("->")
    if arrow.strip() or not results.strip():
        raise SchemaError(f"no results: '->' is missing behind the arguments of {head['name']}")
    return Schema(
        head["name"],
        tuple(_parameters(text[head.end() : end])),
        tuple(_results(results.strip())),
        head["space"] or "",
        results.strip() in ("Tensor", "(Tensor)") or SINGLE.fullmatch(results.strip()) is not None,
    )


def bind(
    schema: Schema, positional: int, keywords: frozenset[str], missing_is_wrong: bool = True
) -> dict[str, int | str] | None:
    """Which argument of a call each parameter gets, by its place or keyword; None where the call does not fit."""
    places = [parameter for parameter in schema.parameters if not parameter.keyword]
    names = [parameter.name for parameter in schema.parameters]
    if positional > len(places):
        return None
    given: dict[str, int | str] = {parameter.name: place for place, parameter in enumerate(places[:positional])}
    if len(given) < positional:  # two parameters have one name
        return None
    for keyword in keywords:
        if names.count(keyword) != 1 or keyword in given:
            return None
        given[keyword] = keyword
    if missing_is_wrong and any(p.required and p.name not in given for p in schema.parameters):
        return None
    return given


def _parameters(text: str) -> Iterator[Parameter]:
    keyword = False
    for part in _split(text):
        if part == "*":
            keyword = True
            continue
        match = PARAMETER.fullmatch(part)
        if match is None:
            raise SchemaError(f"not an argument: {_short(part)!r}")
        kind = match["kind"]
        yield Parameter(
            match["name"],
            tensor="Tensor" in kind,
            several="[" in kind,
            mutated="!" in kind,
            alias=_sets(kind),
            required=match["default"] is None,
            keyword=keyword,
        )


def _results(text: str) -> Iterator[frozenset[str]]:
    inner = text[1 : _closing(text, 0)] if text.startswith("(") else text
    for part in _split(inner):
        match = RESULT.fullmatch(part)
        if match is None:
            raise SchemaError(f"not a result: {_short(part)!r}")
        yield _sets(match["kind"])


def _sets(kind: str) -> frozenset[str]:
    return frozenset(name for group in SET.findall(kind) for name in group.split("|"))


def _closing(text: str, opening: int) -> int:
    """The place of the parenthesis that closes the one at `opening`."""
    depth = 0
    for place, sign in _signs(text[opening:]):
        depth += (sign in "([") - (sign in ")]")
        if not depth:
            return opening + place
    raise SchemaError(f"a parenthesis is not closed in {_short(text)!r}")


def _split(text: str) -> list[str]:
    """At the commas that stand in no bracket and no string."""
    cuts, depth = [-1], 0
    for place, sign in _signs(text):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            cuts.append(place)
    parts = [text[start + 1 : end].strip() for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]
    return parts if any(parts) else []


def _signs(text: str) -> Iterator[tuple[int, str]]:
    """Every character that stands in no string, and its place."""
    quote = ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        else:
            yield place, sign


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < 60 else text[:57] + "..."
