"""Schemas of operators that the checkout itself registers, in C++ or in Python.

    m.def("topk_softmax(Tensor! topk_weights, ...) -> ()")                 C++, TORCH_LIBRARY
    lib.define("bgmv(Tensor inputs, Tensor loras) -> Tensor")              torch.library
    @torch.library.custom_op("ns::name", mutates_args=("out",))            the signature of the function
    direct_register_custom_op("name", function, mutates_args=["out"])

Nothing is read before somebody asks for an operator, and then only files that register any.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from codemods.core.syntax import walk
from codemods.ops.schema import Parameter, Schema, SchemaError, parse
from codemods.read.discover import SKIPPED
from codemods.read.looked import Looked, digest, together

SOURCES = (".cpp", ".cc", ".cu", ".cuh", ".h", ".hpp", ".hip", ".py")
REGISTERS = re.compile(rb'\bdef\s*\(\s*"|\bdefine\s*\(|\bmutates_args\b')
MOST_BYTES = 2_000_000
MOST_FILES = 50_000  # more than any project has: somebody's home directory
COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
DEFINED = re.compile(r'\bTORCH_LIBRARY\w*\s*\(([^,)]*(?:\([^)]*\))?[^,)]*),|\bdef\s*\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)')
STRING = re.compile(r'"((?:\\.|[^"\\])*)"')


@lru_cache(maxsize=4096)
def declared(root: Path, path: str) -> Schema | None:
    """What the files below `root` say about `torch.ops.SPACE.NAME`; None where they say nothing, or different things.

    An operator that returns nothing and marks nothing as written must write something: its schema is not used.
    """
    parts = path.split(".")
    if parts[:2] != ["torch", "ops"] or len(parts) not in (4, 5):
        return None
    space, name = parts[2:4]
    found = [
        schema
        for python, text in registering(root).texts
        if name in text
        for known, schema in (_python(text) if python else _cpp(text))
        if known.rpartition("::")[2] == name and known.rpartition("::")[0] in ("", space)
    ]
    only = _joined([schema for schema in found if schema is not None])
    if only is None or None in found or not only.returns and not any(item.mutated for item in only.parameters):
        return None
    return only


def _joined(schemas: list[Schema]) -> Schema | None:
    """One schema, where they differ in nothing but names: an argument with two names cannot be given by name."""
    alike = {tuple(replace(item, name="") for item in schema.parameters) for schema in schemas}
    if len(alike) != 1 or len({schema.returns for schema in schemas}) != 1:
        return None
    rows = zip(*(schema.parameters for schema in schemas), strict=True)
    parameters = [replace(same[0], name=" or ".join(sorted({item.name for item in same}))) for same in rows]
    return replace(schemas[0], parameters=tuple(parameters))


@dataclass(frozen=True, slots=True)
class Registering:
    """The files that register operators: whether it is Python, and the text."""

    texts: tuple[tuple[bool, str], ...]
    looked: Looked


@lru_cache(maxsize=8)
def registering(root: Path) -> Registering:
    texts: list[tuple[bool, str]] = []
    parts: list[tuple[str, str]] = []
    for file, source in sources(root):
        parts.append((str(file), digest(source)))
        if source and REGISTERS.search(source):
            texts.append((file.suffix == ".py", source.decode("utf-8", "replace")))
    looked = Looked("operators", str(root), together(parts), digest(repr(texts).encode("utf-8", "surrogatepass")))
    return Registering(tuple(texts), looked)


def sources(root: Path) -> Iterator[tuple[Path, bytes]]:
    """The files that might; nothing of what cannot be read or is too large, and none where there are too many."""
    files = tuple(islice(_files(root), MOST_FILES + 1))
    yield from ((file, _read(file)) for file in files if len(files) <= MOST_FILES)


def forget() -> None:
    """Files have changed since."""
    registering.cache_clear()
    declared.cache_clear()


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(SOURCES))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() and file.stat().st_size <= MOST_BYTES else b""
    except OSError:
        return b""


def _parsed(text: str) -> Schema | None:
    try:
        return parse(text)
    except SchemaError:
        return None


# C++


def _cpp(text: str) -> Iterator[tuple[str, Schema | None]]:
    """Every `def("..")`, by its name; the namespace is that of the block around it, where it is written out."""
    text = COMMENT.sub(lambda match: match[1] or " ", text)
    space = ""
    for match in DEFINED.finditer(text):
        if match[2] is None:
            word = match[1].strip()
            space = word if word.isidentifier() and not word.isupper() else ""
            continue
        schema = "".join(STRING.findall(match[2])).replace("\\n", " ")
        name = schema.partition("(")[0].partition(".")[0].strip()
        yield name if "::" in name or not space else f"{space}::{name}", _parsed(schema)


# Python


def _python(text: str) -> Iterator[tuple[str, Schema | None]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    functions: dict[str, list[ast.FunctionDef]] = {}
    spaces: dict[str, str] = {}
    for node in walk(tree):
        match node:
            case ast.FunctionDef(name=name):
                functions.setdefault(name, []).append(node)
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(args=[ast.Constant(value=str(space)), *_], func=func),
            ) if ast.unparse(func).endswith("Library"):
                spaces[name] = space
    for node in walk(tree):
        match node:
            case ast.FunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    if isinstance(decorator, ast.Call) and _keyword(decorator, "mutates_args") is not None:
                        yield _name(decorator) or node.name, _signature(node, decorator)
            case ast.Call(func=ast.Attribute(attr="define", value=owner), args=[ast.Constant(value=str(told)), *more]):
                if more and isinstance(more[0], ast.Constant) and isinstance(more[0].value, str):
                    told += more[0].value
                space = spaces.get(owner.id, "") if isinstance(owner, ast.Name) else ""
                name = told.partition("(")[0].partition(".")[0].strip()
                yield name if "::" in name or not space else f"{space}::{name}", _parsed(told)
            case ast.Call(func=func) if ast.unparse(func).endswith("custom_op") and len(node.args) != 1:
                function = _keyword(node, "op_func") or _keyword(node, "fn") or _second(node)
                known = functions.get(function.id, []) if isinstance(function, ast.Name) else []
                if (name := _name(node)) and function is not None:
                    yield name, _signature(known[0], node) if len(known) == 1 else None


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _second(call: ast.Call) -> ast.expr | None:
    return call.args[1] if len(call.args) > 1 else None


def _name(call: ast.Call) -> str:
    first = call.args[0] if call.args else _keyword(call, "op_name") or _keyword(call, "name")
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _signature(function: ast.FunctionDef, call: ast.Call) -> Schema | None:
    """The schema that torch infers from a signature: only what `mutates_args` names is written, results are new."""
    told = _keyword(call, "mutates_args") or (call.args[2] if len(call.args) > 2 else None)
    try:
        written = ast.literal_eval(told) if told is not None else None
    except (ValueError, SyntaxError):
        return None
    spec = function.args
    if not isinstance(written, list | tuple | set | frozenset | str) or spec.vararg or spec.kwarg:
        return None
    plain = [*spec.posonlyargs, *spec.args]
    required = len(plain) - len(spec.defaults)
    parameters = [
        *(_parameter(arg, written, place < required, False) for place, arg in enumerate(plain)),
        *(
            _parameter(arg, written, default is None, True)
            for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        ),
    ]
    nothing = isinstance(function.returns, ast.Constant) and function.returns.value is None
    tensor = function.returns is not None and ast.unparse(function.returns) in ("Tensor", "torch.Tensor")
    return Schema(function.name, tuple(parameters), () if nothing else (frozenset(),), tensor=tensor)


def _parameter(arg: ast.arg, written: object, required: bool, keyword: bool) -> Parameter:
    note = ast.unparse(arg.annotation) if arg.annotation else "Tensor"
    tensor = "Tensor" in note
    every = written == "unknown"
    mutated = tensor and (every or isinstance(written, list | tuple | set | frozenset) and arg.arg in written)
    several = tensor and re.search(r"\b(?:[Ll]ist|Sequence|[Tt]uple)\b", note) is not None
    return Parameter(arg.arg, tensor, several, mutated, required=required, keyword=keyword)
