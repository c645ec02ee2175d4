"""Which part of an argument a launch may look at before the launch itself has written it.

The programs of a launch run in any order, so that only what a program has stored itself counts as written.
"""

from __future__ import annotations

from collections.abc import Callable

from codemods.core.access import Access
from codemods.core.condition import blind, conjuncts
from codemods.core.poly import ZERO, Poly, poly, replace
from codemods.core.region import ALL, Box, Run
from codemods.core.size import Size, as_size
from codemods.cover.boxes import Shape
from codemods.cover.space import free


def seen(own: list[Access], shape: Shape | None, size: Callable[[Poly], Size | None]) -> tuple[Box | None, str]:
    """The region, None for no part of it, and the words that say so."""
    region: Box | None = None
    words = ""
    stores = [access for access in own if access.kind == "store"]
    for access in own:
        if access.kind == "store" or access.kind == "load" and any(_stored(access, store) for store in stores):
            continue
        part, text = _part(access, stores, shape, size)
        words = words or text
        region = part if region is None or region == part else ALL
    return region, words if stores else ""


def _stored(load: Access, store: Access) -> bool:
    """The program has stored at the same place before, whenever it loads."""
    return (
        _earlier(store, load)
        and store.loops == load.loops[: len(store.loops)]
        and store.offset == load.offset
        and _under(store, load)
    )


def _under(store: Access, load: Access) -> bool:
    """Whatever makes the program load makes it store. Of what cannot be seen, two parts may differ."""
    return blind(store.test) is None and set(conjuncts(store.test)) <= set(conjuncts(load.test))


def _earlier(store: Access, load: Access) -> bool:
    known = store.offset is not None and store.bases == load.bases and store.bases is not None
    return known and len(store.bases or ()) == 1 and store.order < load.order


def _part(
    load: Access, stores: list[Access], shape: Shape | None, size: Callable[[Poly], Size | None]
) -> tuple[Box, str]:
    start = load.offset
    if load.kind == "load" and start is not None and any(_last_turn(load, store) for store in stores):
        (turns,) = load.loops
        start = replace(start, lambda atom: ZERO if atom == turns.turn else None)
    place = f"{load.path}:{load.line}"
    if start is None or shape is None or len(shape.extents) != 1 or free(start) or shape.strides[0] != poly(1):
        return ALL, f"may see what was there before, at `{load.text}` ({place})"
    index = size(start)
    if index is None or not index.natural:
        return ALL, f"may see what was there before, at `{load.text}` ({place})"
    part = ALL.along(0, Run(index, index + as_size(1)))
    return part, f"loads {part} before any store ({place})"


def _last_turn(load: Access, store: Access) -> bool:
    """In every turn but the first, the turn before has stored at the place of this load."""
    if len(load.loops) != 1 or store.loops != load.loops or not load.loops[0].total or load.bases != store.bases:
        return False
    (turns,) = load.loops
    if store.offset is None or load.offset is None or len(store.bases or ()) != 1:
        return False
    before = replace(store.offset, lambda atom: poly(turns.turn) - 1 if atom == turns.turn else None)
    steady = {part for part in conjuncts(store.test) if not any(turns.turn in free(value) for value in part.polys())}
    return before == load.offset and steady == set(conjuncts(store.test)) and _under(store, load)
