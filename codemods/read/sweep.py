"""Loops that write element after element: what they have written once they have run out.

`for i in range(n): out[i] = ..` writes [0:n] where every way round the loop passes the write.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from codemods.core.event import Birth, Buffer, Event, Flow, Tags, Write
from codemods.core.region import Box, Run
from codemods.core.size import ONE, ZERO, Atom, Size, variable
from codemods.read.values import Def, Shape, size_in, varies

if TYPE_CHECKING:
    from codemods.read.lower import Lowering

Points = dict[int, list[int]]  # block -> its points


def sweep(flow: Flow, lowering: Lowering, first: dict[int, int], last: dict[int, int]) -> Flow:
    """The flow with the writes of whole loops added, and with what each loop head makes anew."""
    points = {block: list(range(first[block], last[block] + 1)) for block in first}
    heads = {head: loop for head, loop in lowering.graph.heads.items() if head in first}
    for head in sorted(heads, key=lambda head: len(heads[head])):
        bounds = _bounds(lowering, head)
        if bounds is not None:
            flow = _add(flow, lowering, head, points, _swept(flow, lowering, head, points, bounds))
    atoms = {atom for event in flow.events if event and event.region for atom in event.region.atoms}
    renews = {first[head]: frozenset(atom for atom in atoms if varies(atom.key, loop)) for head, loop in heads.items()}
    loops = {
        first[head]: frozenset(point for block in loop for point in points.get(block, ()))
        for head, loop in heads.items()
    }
    return replace(flow, renews={point: made for point, made in renews.items() if made}, loops=loops)


def _bounds(lowering: Lowering, head: int) -> tuple[Size, Size] | None:
    """From where to where the index of a loop counts, by ones."""
    if head not in lowering.graph.exhausted:
        return None
    state = lowering.entering(head)
    source = state.names.get(f"%it{head}")
    if source is None or source.bound is None or not source.items:
        return None
    if source.bound[1] == "range":
        start, stop, step = (item.size for item in source.items)
        return (start, stop) if start is not None and stop is not None and step == ONE else None
    lasting = all(_at(atom, state.epoch) for atom in (source.size or ZERO).atoms)
    return (ZERO, source.size) if source.bound[1] == "enumerate" and source.size is not None and lasting else None


def _at(atom: Atom, epoch: Hashable) -> bool:
    """A length that code which cannot be seen may change is still the one of now."""
    return not (isinstance(atom.key, tuple) and atom.key[0] in ("len", "object")) or atom.key[-1] == epoch


def _swept(flow: Flow, lowering: Lowering, head: int, points: Points, bounds: tuple[Size, Size]) -> list[Write]:
    loop = lowering.graph.heads[head]
    lowering.state = lowering.entering(head)  # the equalities that hold there
    inside = [point for block in loop if block in points for point in points[block]]
    groups: dict[tuple[Buffer, Box, Tags, tuple[Tags, ...]], list[int]] = {}
    born = {event.buffer for point in inside if isinstance(event := flow.events[point], Birth)}
    for point in inside:
        match flow.events[point]:
            case Write(sure=True, region=Box() as region, unless=unless, when=when) as event:
                lasting = not any(join in loop for tags in (when, *unless) for join, _ in tags)
                if lasting and event.buffer not in born and any(varies(atom.key, loop) for atom in region.atoms):
                    groups.setdefault((event.buffer, region, when, unless), []).append(point)
    made = []
    for (_, region, *_), written in groups.items():
        event = flow.events[written[0]]
        assert isinstance(event, Write)
        whole = _whole(region, head, loop, bounds, lowering.shapes.get(event.buffer), lowering.settle)
        if whole is not None and _always(flow, lowering, head, points, set(inside), set(written)):
            why = f"{event.why}, for every turn of the loop"
            made.append(replace(event, region=whole, why=why, value=None, api="", turns=points[head][0]))
    return made


def _whole(
    region: Box,
    head: int,
    loop: frozenset[int],
    bounds: tuple[Size, Size],
    shape: Shape,
    settle: Callable[[Size], Size],
) -> Box | None:
    """The union of a box over all turns of a loop."""
    index = Atom("index", ("loop", Def(head, 0)), True)
    for dimension, axis in region.axes:
        if not isinstance(axis, Run) or axis.high is None or not _moves(axis, loop):
            continue
        others = Box(tuple(item for item in region.axes if item[0] != dimension))
        if any(varies(atom.key, loop) for atom in others.atoms):
            return None
        if any(varies(atom.key, loop) and atom != index for atom in axis.low.atoms) or not axis.low.natural:
            return None
        if axis.high != _put(axis.low, index, variable(index) + ONE):
            return None
        start, stop = (_put(axis.low, index, bound) for bound in bounds)
        size = size_in(shape, dimension)
        size = None if size is None else settle(size)
        if not start.natural:
            return None
        if size is not None and stop == size:
            return region.along(dimension, Run(start, None))
        return region.along(dimension, Run(start, stop)) if stop.natural else None
    return None


def _moves(axis: Run, loop: frozenset[int]) -> bool:
    return any(varies(atom.key, loop) for atom in axis.low.atoms)


def _put(size: Size, index: Atom, value: Size) -> Size:
    return size.replace(lambda atom: value if atom == index else None)


def _always(flow: Flow, lowering: Lowering, head: int, points: Points, inside: set[int], written: set[int]) -> bool:
    """Every way from the start of the body back to the head passes one of the writes."""
    top = points[head][0]
    todo = [points[lowering.graph.blocks[head].next[0]][0]]
    seen: set[int] = set()
    while todo:
        point = todo.pop()
        if point == top:
            return False
        if point in seen or point in written or point not in inside:
            continue
        seen.add(point)
        todo += flow.next[point]
    return True


def _add(flow: Flow, lowering: Lowering, head: int, points: Points, writes: Iterable[Event]) -> Flow:
    """Put events at the place where a loop has run out."""
    done = lowering.graph.exhausted[head]
    new = list(writes)
    if not new or done not in points:
        return flow
    place = points[done][0]
    fresh = list(range(len(flow.events), len(flow.events) + len(new)))
    after = flow.next[place]
    following = [*flow.next, *[(point + 1,) for point in fresh[:-1]], after]
    following[place] = (fresh[0],)
    joins = {
        target: {
            (fresh[-1] if source == place and target in after else source): edge for source, edge in sources.items()
        }
        for target, sources in flow.joins.items()
    }
    points[done] += fresh
    return replace(flow, events=(*flow.events, *new), next=tuple(following), joins=joins)
