"""Which part of a tensor the stores of a launch surely reach together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from codemods.core.access import Access
from codemods.core.condition import (
    FALSE,
    TRUE,
    AtLeast,
    Condition,
    Every,
    Flag,
    Some,
    both,
    either,
    negated,
)
from codemods.core.poly import Atom, Poly, deep
from codemods.core.poly import replace as exchanged
from codemods.cover.boxes import Interval, Shape, box, chained, covers, full, interval, union
from codemods.cover.space import FREE, Open
from codemods.cover.tiles import reach

MOST_CASES = 12
MOST_FLAGS = 3


@dataclass(frozen=True, slots=True)
class Covered:
    """`part`: indices from .. up to in each dimension. `by`: the stores that reach it. `gap`: why it is not all."""

    part: tuple[Interval, ...] | None
    by: tuple[Access, ...] = ()
    gap: str = ""
    line: int = 0


def covered(stores: list[Access], shape: Shape, grid: tuple[Poly, ...]) -> Covered:
    """In every case that the arguments of the launch leave open."""
    question = next((flag for store in stores if (flag := _open(store.test))), None)
    return _decided(stores, shape, grid, question, 0)


def _decided(
    stores: list[Access], shape: Shape, grid: tuple[Poly, ...], question: Condition | None, depth: int
) -> Covered:
    found = _together(stores, shape, grid)
    if question is None or depth >= MOST_FLAGS or _whole(found, shape):
        return found
    cases = []
    for answer in (question, negated(question)):
        kept = [replace(store, test=known) for store in stores if (known := assuming(store.test, answer)) != FALSE]
        facts = shape.facts
        if isinstance(answer, AtLeast):
            facts = replace(facts, least=(*facts.least, answer.value))
        narrowed = replace(shape, facts=facts)
        if not kept:
            return Covered(None, (), f"nothing is stored unless {spelled(negated(answer))}", stores[0].line)
        more = next((flag for store in kept if (flag := _open(store.test))), None)
        cases.append(_decided(kept, narrowed, grid, more, depth + 1))
    parts = [case for case in cases if not _whole(case, shape)]
    if len(parts) > 1 and parts[0].part != parts[1].part:  # neither is reached in both cases
        return replace(parts[0], part=None)
    return parts[0] if parts else cases[0]


def _whole(found: Covered, shape: Shape) -> bool:
    return found.part is not None and not found.gap


def _open(test: Condition) -> Condition | None:
    """A part of a condition that depends on the launch alone."""
    match test:
        case Flag():
            return replace(test, holds=True)
        case AtLeast(value):
            atoms = deep(value)
            return test if atoms and not any(atom.kind in FREE or atom.kind == "blind" for atom in atoms) else None
        case Every(parts) | Some(parts):
            found = [inner for part in parts if (inner := _open(part))]
            return found[0] if found else None
    return None


def assuming(test: Condition, fact: Condition) -> Condition:
    """The condition, where a part of it is known to hold."""
    if test == fact:
        return TRUE
    if test == negated(fact):
        return FALSE
    match test:
        case Every(parts):
            return both(*(assuming(part, fact) for part in parts))
        case Some(parts):
            return either(*(assuming(part, fact) for part in parts))
    return test


def spelled(test: Condition) -> str:
    match test:
        case Flag(text, holds):
            return text if holds else f"not {text}"
        case AtLeast(value):
            return f"{value} >= 0"
    return str(test)


def _together(stores: list[Access], shape: Shape, grid: tuple[Poly, ...]) -> Covered:
    boxes, flat, by, gaps = [], [], [], []
    for store in stores:
        try:
            for offset, test in cases(store):
                found = reach(store, test, offset, grid, shape.facts)
                by.append(store)
                if shape.dense:
                    with suppress(Open):
                        flat.append(interval(found))
                boxes.append(box(found, shape))
        except Open as reason:
            gaps.append((str(reason), store.line))
    if shape.dense and chained(flat, shape.count, shape.facts):
        return Covered(full(shape), tuple(dict.fromkeys(by)))
    if not boxes:
        text, line = gaps[0] if gaps else ("no store", 0)
        return Covered(None, (), text, line)
    part = union(boxes, shape)
    if all(covers(one, extent, shape.facts) for one, extent in zip(part, shape.extents, strict=True)):
        return Covered(full(shape), tuple(dict.fromkeys(by)))
    text, line = gaps[0] if gaps else ("", by[0].line)
    return Covered(part, tuple(dict.fromkeys(by)), text or "only a part is reached", line)


def cases(store: Access) -> Iterator[tuple[Poly, Condition]]:
    """The store as several, each under a conjunction and with no choice in its address; together they are it."""
    assert store.offset is not None
    todo = [(store.offset, store.test)]
    for _ in range(MOST_CASES):
        if not todo:
            return
        offset, test = todo.pop(0)
        if test == FALSE:
            continue
        choice = _choice(offset, test)
        if choice is not None:
            todo += [_chosen(offset, test, choice, 1), _chosen(offset, test, choice, 2)]
            continue
        parts = test.parts if isinstance(test, Every) else (test,)
        several = next((part for part in parts if isinstance(part, Some)), None)
        if several is None:
            yield offset, test
            continue
        rest = both(*(part for part in parts if part is not several))
        todo += [(offset, both(rest, part)) for part in several.parts]
    if todo:
        raise Open("too many cases")


def _choice(offset: Poly, test: Condition) -> Atom | None:
    for value in (offset, *test.polys()):
        for atom in sorted(deep(value)):
            if atom.kind == "pick":
                return atom
    return None


def _chosen(offset: Poly, test: Condition, choice: Atom, index: int) -> tuple[Poly, Condition]:
    decides, value = choice.parts[0], choice.parts[index]
    assert isinstance(value, Poly)

    def new(atom: Atom) -> Poly | None:
        return value if atom == choice else None

    under: Condition = decides if index == 1 else negated(decides)  # type: ignore[assignment,arg-type]
    return exchanged(offset, new), both(under, test.mapped(lambda part: exchanged(part, new)))
