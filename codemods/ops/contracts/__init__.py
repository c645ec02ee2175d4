"""Contracts: what operators do that cannot be seen, because they are compiled, as somebody read it in their source.

Each `*.toml` beside this file holds the rows of one library; a project adds its own in pyproject.toml. Contracts are
trusted, not proved: what rests on one is assumed, under the name `contract:LIBRARY`. docs/contracts.md says more.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from codemods.core.effect import Effect, Outcome
from codemods.core.region import ALL, SOME, Box
from codemods.ops.schema import Parameter, Schema, bind

Memory = Collection[Hashable]  # names of the memories that an argument may lie in; none for what is no tensor of ours


@dataclass(frozen=True, slots=True)
class Promise:
    """What an operator does to one argument, as far as somebody has found out."""

    reads: Box | None = ALL
    writes: Box | None = None
    touches: bool = True
    keeps: str = ""
    when: str = ""  # what must be true of the call, or which part is written, in words
    dense: bool = False  # it holds for a contiguous argument


@dataclass(frozen=True, slots=True)
class Contract:
    """One row. `promises` by the name of a parameter; what has none is read, or written as the schema says."""

    library: str
    names: tuple[str, ...]
    schema: Schema
    source: str  # "csrc/activation_kernels.cu:22, 0.10.0"
    promises: Mapping[str, Promise] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()  # it says nothing on calls that give these arguments
    quiet: bool = True


Contracts = Mapping[str, Contract]  # by each of the names
NONE: Contracts = {}


def outcome(
    path: str,
    positional: Sequence[Memory],
    keywords: Mapping[str, Memory],
    *,
    spread: bool = False,
    own: Contracts = NONE,
    declared: Schema | None = None,
) -> Outcome | None:
    """What a call of `path` does to its arguments; None where nothing is known about it.

    `spread`: it has arguments such as `*rest`. `own`: rows of the project, which go first. `declared`: the schema that
    the checkout registers for it, which is used where there is no row.
    """
    if path.startswith("torch.ops.") and path.count(".") == 4:  # an overload: torch.ops.ns.name.default
        path = path.rpartition(".")[0]
    contract = own.get(path) or shipped(path)
    if spread or contract is None and declared is None:
        return None
    if contract is not None:
        return _outcome(contract, f"contract:{contract.library}", positional, keywords)
    assert declared is not None
    space = path.removeprefix("torch.ops.").split(".")[0]
    row = Contract(space, (path,), declared, "its schema", quiet=False)
    return _outcome(row, f"schema:{space}", positional, keywords)


def shipped(path: str) -> Contract | None:
    """The row of this package."""
    for library, text in _texts().items():
        if f'"{path}"'.encode() in text:
            return _rows(library).get(path)
    return None


@cache
def _texts() -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.toml"))}


@cache
def _rows(library: str) -> Contracts:
    from codemods.ops.contracts.load import read_file

    return by_name(read_file(Path(__file__).with_name(f"{library}.toml")))


def by_name(rows: Sequence[Contract]) -> Contracts:
    return {name: row for row in rows for name in row.names}


def _outcome(
    row: Contract, assumes: str, positional: Sequence[Memory], keywords: Mapping[str, Memory]
) -> Outcome | None:
    given = bind(row.schema, len(positional), frozenset(keywords))
    if given is None or any(name in given for name in row.omitted):
        return None
    memory = {
        name: frozenset(positional[place] if isinstance(place, int) else keywords[place])
        for name, place in given.items()
    }
    effects = {
        given[parameter.name]: _effect(row, parameter, _shared(row.schema, parameter, memory))
        for parameter in row.schema.parameters
        if parameter.name in given
    }
    fresh = row.schema.tensor and not any(effect.returned for effect in effects.values())
    apart = assumes.startswith("contract:")
    return Outcome(effects, quiet=row.quiet, assumes=(assumes,), fresh=fresh, apart=apart)


def _shared(schema: Schema, parameter: Parameter, memory: Mapping[str, frozenset[Hashable]]) -> str:
    """Another argument that lies in the same memory, where the operator writes one of the two."""
    for other in schema.parameters:
        same = memory.get(parameter.name, frozenset()) & memory.get(other.name, frozenset())
        if same and other.name != parameter.name and (parameter.mutated or other.mutated):
            return other.name
    return ""


def _effect(row: Contract, parameter: Parameter, shared: str) -> Effect:
    returned = row.schema.returned(parameter)
    promise = row.promises.get(parameter.name)
    keeps = promise.keeps if promise else ""
    if not parameter.mutated:
        reads = promise.reads if promise else ALL
        told = f"{'reads it' if reads else 'looks at no element of it'} ({row.source})"
        return Effect(reads, touches=False, keeps=keeps, returned=returned, told=told)
    if shared:
        missing = f"it is {parameter.name} and {shared}, and what two arguments in one memory do is not known"
        return Effect(SOME, keeps=keeps, returned=returned, told=f"has it as {missing[6:]}", missing=missing)
    if promise is None:
        told = f"may look at it and change it ({row.source})"
        return Effect(SOME, returned=returned, told=told, missing="it may write some of it")
    part = f"writes {promise.writes}" if promise.writes is not None else "may write some of it"
    if promise.writes is None:
        part = "reads it, and may write some of it" if promise.reads else part
        when = f": {promise.when}" if promise.when else ""
    else:
        conditions = " and ".join(filter(None, ("it is contiguous" if promise.dense else "", promise.when)))
        when = f", if {conditions}" if conditions else ""
    return Effect(
        promise.reads,
        promise.writes,
        promise.touches and promise.writes != ALL,
        keeps,
        returned,
        told=f"{part}{when} ({row.source})",
        missing="" if promise.writes == ALL else f"it {part}{when}",
        dense=promise.dense,
    )
