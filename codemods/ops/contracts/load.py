"""Rows of contracts from TOML. A wrong row is an error that says where it stands and what is wrong with it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codemods.core.region import ALL, SOME, Box, Run
from codemods.core.size import ZERO, Size, as_size
from codemods.ops.contracts import Contract, Promise
from codemods.ops.schema import Parameter, Schema, SchemaError, parse

KEYS = ("names", "schema", "source", "arguments", "omitted", "reaches")
ARGUMENT = ("reads", "writes", "layout", "keeps", "when")
HEADER = ("library", "version", "repository", "op")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
SLICE = re.compile(r"(-?\d*):(-?\d*)")


class ContractError(ValueError):
    """A row that cannot be used; the message is one line that says where it stands."""


class _WrongError(Exception):
    """What is wrong with a row, and a piece of text near which it stands."""

    def __init__(self, message: str, near: str = "") -> None:
        super().__init__(message)
        self.near = near


def read_file(file: Path) -> tuple[Contract, ...]:
    """The rows of one library of this package. Raises ContractError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = file.read_text(encoding="utf-8")
    try:
        table = tomllib.loads(text)
    except ValueError as error:
        raise ContractError(f"{file}: not valid TOML: {error}") from None
    for key in table:
        if key not in HEADER:
            raise ContractError(f"{file}:{_find(text, 0, len(text), key)}: {key}: unknown key ({_are(HEADER)})")
    for key in HEADER[:3]:
        if not isinstance(table.get(key), str):
            raise ContractError(f"{file}:1: {key}: must be a string")
    return rows(file, text, table["library"], table.get("op"), "op", table["version"])


def rows(file: Path, text: str, library: str, given: object, header: str, version: str = "") -> tuple[Contract, ...]:
    """The rows of a library. `header` is the name under which they stand in the file, `text` its content.

    Raises ContractError with the file and the line of the first wrong one.
    """
    made: list[Contract] = []
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        line = _line(text, max(text.find(header), 0))
        raise ContractError(f"{file}:{line}: [[{header}]] must be a list of tables")
    spans = _spans(text, header, len(given))
    known: dict[str, int] = {}
    for index, (row, (start, end)) in enumerate(zip(given, spans, strict=True)):
        try:
            contract = _contract(row, library, version)
            for name in contract.names:
                if name in known:
                    raise _WrongError(f"names: {name} has a row already, at line {known[name]}", name)
                known[name] = _line(text, start)
        except _WrongError as wrong:
            where = f"{file}:{_find(text, start, end, wrong.near)}: [[{header}]] {index + 1}"
            raise ContractError(f"{where}: {wrong}") from None
        made.append(contract)
    return tuple(made)


def _contract(row: Mapping[str, Any], library: str, version: str) -> Contract:
    _known(row, KEYS, "")
    names = _strings(row, "names")
    if not names:
        raise _WrongError("names: must name the operator at least once", "names")
    for name in names:
        if not NAME.fullmatch(name):
            raise _WrongError(f"names: {name!r} is no dotted name", name)
    schema = _schema(row)
    source = row.get("source")
    if not isinstance(source, str) or not source.strip():
        raise _WrongError("source: must say where the operator was read", "source")
    arguments = row.get("arguments", {})
    if not isinstance(arguments, dict):
        raise _WrongError("arguments: must be a table", "arguments")
    by_name = {parameter.name: parameter for parameter in schema.parameters}
    promises = {name: _promise(name, by_name.get(name), told, schema) for name, told in arguments.items()}
    omitted = _strings(row, "omitted")
    for name in omitted:
        if name not in by_name:
            raise _WrongError(f"omitted: {schema.name} has no argument {name!r}", "omitted")
    reaches = row.get("reaches", "")
    if not isinstance(reaches, str):
        raise _WrongError("reaches: must be words", "reaches")
    where = ", ".join(filter(None, (source, f"{library} {version}" if version else library)))
    return Contract(library, names, schema, where, promises, omitted, quiet=not reaches)


def _schema(row: Mapping[str, Any]) -> Schema:
    text = row.get("schema")
    if not isinstance(text, str):
        raise _WrongError("schema: must be a string such as 'name(Tensor! out, Tensor x) -> ()'", "schema")
    try:
        schema = parse(text)
    except SchemaError as error:
        raise _WrongError(f"schema: {error}", "schema") from None
    names = [parameter.name for parameter in schema.parameters]
    for name in names:
        if names.count(name) > 1:
            raise _WrongError(f"schema: two arguments are called {name!r}", "schema")
    return schema


def _promise(name: str, parameter: Parameter | None, told: object, schema: Schema) -> Promise:
    where = f"arguments.{name}"
    if parameter is None:
        raise _WrongError(f"{where}: {schema.name} has no such argument", f"arguments.{name}")
    if not isinstance(told, dict):
        raise _WrongError(f'{where}: must be a table such as {{ writes = "all" }}', where)
    _known(told, ARGUMENT, f"{where}.", where)
    for key, value in told.items():
        if not isinstance(value, str):
            raise _WrongError(f"{where}.{key}: must be a string", where)
    writes, when = told.get("writes", "some" if parameter.mutated else "nothing"), told.get("when", "")
    if writes != "nothing" and not parameter.mutated:
        raise _WrongError(f"{where}.writes: the schema does not mark it as written", where)
    if writes not in ("some", "nothing") and parameter.several:
        raise _WrongError(f"{where}.writes: of a list only 'some' can be said", where)
    if writes == "some" and "writes" in told and not when:
        raise _WrongError(f"{where}.when: must say which part is written", where)
    layout = told.get("layout", "any")
    if layout not in ("any", "contiguous"):
        raise _WrongError(f"{where}.layout: must be 'any' or 'contiguous', not {layout!r}", where)
    reads = _part(told.get("reads", "all" if parameter.tensor else "nothing"), f"{where}.reads", where)
    box = _part(writes, f"{where}.writes", where)
    touches = box is not None
    return Promise(reads, None if box == SOME else box, touches, told.get("keeps", ""), when, layout == "contiguous")


def _part(text: str, key: str, near: str) -> Box | None:
    """The part that words mean: all, some, nothing, or a slice such as `[1:, :4]`."""
    words = {"all": ALL, "some": SOME, "nothing": None}
    if text in words:
        return words[text]
    box = ALL
    axes = text[1:-1].split(",") if text.startswith("[") and text.endswith("]") else [""]
    for dimension, axis in enumerate(axes):
        match = SLICE.fullmatch(axis.strip())
        if match is None:
            raise _WrongError(f"{key}: must be 'all', 'some', 'nothing' or a slice such as '[1:]', not {text!r}", near)
        low, high = match[1], match[2]
        box = box.along(dimension, Run(as_size(int(low)) if low else ZERO, _size(high)))
    return box


def _size(text: str) -> Size | None:
    return as_size(int(text)) if text else None


def _strings(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _WrongError(f"{key}: must be a list of strings", key)
    return tuple(value)


def _known(table: Mapping[str, Any], keys: Sequence[str], prefix: str, near: str = "") -> None:
    for key in table:
        if key not in keys:
            raise _WrongError(f"{prefix}{key}: unknown key ({_are(keys)})", near or key)


def _are(keys: Sequence[str]) -> str:
    return f"there are: {', '.join(keys)}"


def _spans(text: str, header: str, count: int) -> list[tuple[int, int]]:
    """Where in the text each row stands; all of it where the rows are not written as tables."""
    starts = list(_headers(text, header))
    if len(starts) != count:
        return [(0, len(text))] * count
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _headers(text: str, header: str) -> Iterator[int]:
    parts = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in header.split("."))
    return (match.start() for match in re.finditer(rf"^[ \t]*\[\[\s*{parts}\s*\]\]", text, re.MULTILINE))


def _find(text: str, start: int, end: int, near: str) -> int:
    """The line of a piece of text, or of the row that it should stand in."""
    place = re.search(rf"(?<![\w.]){re.escape(near)}(?![\w])", text[start:end]) if near else None
    return _line(text, start + place.start() if place else start)


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
