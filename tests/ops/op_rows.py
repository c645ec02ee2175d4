"""From calls that were watched to one row of codemods/ops/torch.json."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from op_by_hand import by_hand
from op_measure import Sample, Seen, in_place, invoke, observe, relaid, replaced, tensors, untouched, writes_out
from op_samples import from_torch, fuzzed, schemas

# What a CPU cannot show: these copy when the memory is elsewhere, or of another kind.
COPIES_ELSEWHERE = "cpu to type contiguous numpy conj resolve_conj resolve_neg to_dense dequantize"
NEEDS_A_DEVICE = ("cuda", "xpu", "pin_memory")  # not measured: the most careful kind that returns memory, as for `to`
CHANGES = "changes an argument"


@dataclass(frozen=True)
class Row:
    text: str | None  # None: no row
    why: str  # for people: what was seen
    samples: int = 0


def resolved(table: str, name: str) -> Callable[..., Any]:
    match table:
        case "methods":
            return getattr(torch.Tensor, name)  # type: ignore[no-any-return]
        case "attributes":
            return lambda x: getattr(x, name)
        case "functional":
            return getattr(torch.nn.functional, name)  # type: ignore[no-any-return]
        case "init":
            return getattr(torch.nn.init, name)  # type: ignore[no-any-return]
        case _:
            found: Any = torch
            for part in name.split("."):
                found = getattr(found, part)
            return found  # type: ignore[no-any-return]


def schema_name(table: str, name: str) -> str | None:
    for candidate in (name.replace(".", "_"), name):
        if candidate in schemas():
            return candidate
    return None


def collected(table: str, name: str, tries: int = 80, quick: bool = False) -> list[Sample]:
    """All arguments to try. quick: only those made by hand and a few drawn ones."""
    hand = by_hand()
    keys = {"functional": [f"nn.functional.{name}", name], "init": [f"nn.init.{name}"]}
    samples = [call for key in keys.get(table, [f"Tensor.{name}", name]) for call in hand.get(key, [])]
    schema = schema_name(table, name)
    if table in ("methods", "attributes") or schema:
        samples += fuzzed(schema if table != "attributes" else None, f"{table}:{name}", tries)
    if table == "attributes":
        return [replace(call, args=call.args[:1]) for call in samples]
    if not quick:
        base = name[:-1] if name.endswith("_") else name
        for key in {base, f"nn.functional.{base}"} if table == "functional" else {base}:
            samples += from_torch(key)
    return [*samples, *(other for call in spread(samples, 40) for other in variants(call))]


def variants(call: Sample) -> Iterator[Sample]:
    """The same call with the first argument laid out differently."""
    if call.args and isinstance(call.args[0], torch.Tensor) and not call.args[0].is_conj():
        for first in relaid(call.args[0]):
            yield replace(call, args=(first, *call.args[1:]))


def mutates(name: str, table: str) -> bool:
    return (name.endswith("_") and not name.endswith("__")) or table == "init"


def measured(table: str, name: str, samples: Iterable[Sample]) -> Row:
    function = resolved(table, name)
    seen = [(call, what) for call in samples if (what := observe(function, call)) is not None]
    if not seen:
        return Row(None, "every call raised")
    if any(what.odd for _, what in seen):
        return Row(None, "returns something that we do not understand", len(seen))
    if mutates(name, table):
        return in_place_row(function, name, seen)
    if any(what.changed or what.restrided for _, what in seen) or writes_an_argument(table, name):
        return Row(None, CHANGES, len(seen))
    kind = "maybe" if name in COPIES_ELSEWHERE.split() else returned_kind(function, name, seen)
    row = kind_with_flags(function, kind, seen)
    return Row(row, "measured", len(seen)) if row else Row(None, "inplace=True does something else", len(seen))


def returned_kind(function: Callable[..., Any], name: str, seen: list[tuple[Sample, Seen]]) -> str:
    calls = [call for call, _ in seen]
    # without elements there is no memory to share
    solid = [(call, what) for call, what in seen if all(t.numel() for t in tensors((call.args, call.kwargs)))]
    owners = [owner for _, what in solid for owner in what.owners]
    if not owners:
        return "meta" if untouched(function, calls) else "new"
    if not any(owners):
        return "new"
    first = all(isinstance(call.args[0], torch.Tensor) for call, _ in solid if call.args)
    always = all(what.owners and all(owner == {0} for owner in what.owners) for _, what in solid)
    if first and always and not any(what.lazy for _, what in seen) and untouched(function, calls, only_first=True):
        return "view"
    return "maybe"


def kind_with_flags(function: Callable[..., Any], kind: str, seen: list[tuple[Sample, Seen]]) -> str | None:
    calls = [call for call, _ in seen]
    flags = []
    if kind == "new" and any(what.owners for _, what in seen):
        verdicts = [
            (call, verdict) for call in spread(calls, 30) if (verdict := writes_out(function, call)) is not None
        ]
        if verdicts and all(verdict for _, verdict in verdicts):
            flags.append("out")
            if any(resizes(function, call) for call, _ in verdicts):
                flags.append("resizes")
    telling = [call for call, what in seen if what.filled]
    if kind in ("new", "view") and len(telling) >= 5 and untouched(function, telling):
        flags.append("shape-only")
    if has_inplace(function):
        if not updates_first(function, calls):
            return None
        flags.append("inplace")
    return " ".join([kind, *flags])


def resizes(function: Callable[..., Any], call: Sample) -> bool:
    """Whether the shapes of the results depend on what the arguments hold."""
    shapes = set()
    for filled in (torch.zeros_like, torch.ones_like):
        other = Sample(replaced(call.args, filled), replaced(call.kwargs, filled))
        try:
            shapes.add(tuple(tuple(t.shape) for t in tensors(invoke(function, other))))
        except Exception:
            return False
    return len(shapes) > 1


def spread(calls: list[Sample], most: int) -> list[Sample]:
    """At most that many of them, from all parts of the list; those made by hand come first and stay."""
    rest = calls[20:]
    return calls[:20] + rest[:: max(1, -(-len(rest) // most))]


def has_inplace(function: Callable[..., Any]) -> bool:
    try:
        return "inplace" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def updates_first(function: Callable[..., Any], calls: list[Sample]) -> bool:
    """Whether `inplace=True` changes the first argument alone, and returns it."""
    found = []
    for call in calls:
        names = list(inspect.signature(function).parameters)
        if len(call.args) <= names.index("inplace"):
            what = observe(function, replace(call, kwargs={**call.kwargs, "inplace": True}))
            found += [what] if what else []
    first = {frozenset({0}), frozenset()}
    fine = all(what.changed <= {0} and not what.restrided and set(what.owners) <= first for what in found)
    return bool(found) and fine and any(0 in what.changed for what in found)


def in_place_row(function: Callable[..., Any], name: str, seen: list[tuple[Sample, Seen]]) -> Row:
    fine = all(
        call.args
        and isinstance(call.args[0], torch.Tensor)
        and what.changed <= {0}
        and what.restrided <= {0}
        and what.itself
        for call, what in seen
    )
    if not fine:
        return Row(None, "does not return its first argument, or changes another one", len(seen))
    calls = [call for call, _ in seen]
    if any(what.restrided for _, what in seen):
        return Row("restride", "measured", len(seen))
    if not any(what.changed for _, what in seen) and untouched(function, calls, only_first=True):
        return Row("restride", "measured", len(seen))
    kinds = {kind for call in spread(calls, 150) if (kind := in_place(function, call))}
    for kind in ("update", "partial", "overwrite"):
        if kind in kinds:
            return Row(kind, "measured", len(seen))
    return Row(None, "nothing to see", len(seen))


def writes_an_argument(table: str, name: str) -> bool:
    """Whether a schema says so, if only for arguments that were not drawn (running statistics)."""
    found = schemas().get(schema_name(table, name) or "", [])
    tensors_only = [a for s in found for a in s.arguments if str(a.type) in ("Tensor", "Optional[Tensor]")]
    return any(a.alias_info is not None and a.alias_info.is_write for a in tensors_only)


def annotated(table: str, name: str) -> str:
    """What the schemas claim: "alias" when a result may share memory with an argument, "fresh", "none" (no schema)."""
    found = schemas().get(schema_name(table, name) or "", [])
    marks = [r.alias_info for s in found for r in s.returns]
    return "none" if not found else "alias" if any(mark is not None for mark in marks) else "fresh"
