"""Following every path from an event, knowing by which way it came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codemods.core.event import Event, Flow, Tags

Choices = frozenset[tuple[int, int]]  # (join, edge) of the joins that a path has passed, the last time it did


@dataclass(frozen=True, slots=True)
class Way:
    """The joins that matter for one buffer: those on which one of its events depends."""

    flow: Flow
    joins: frozenset[int]

    def after(self, point: int, choices: Choices) -> Iterator[tuple[int, Choices]]:
        """The points that may follow, with the choices that going there makes."""
        for target in self.flow.next[point]:
            edge = self.flow.joins.get(target, {}).get(point)
            if edge is not None and edge[0] in self.joins:
                yield target, frozenset({edge, *(pair for pair in choices if pair[0] != edge[0])})
            else:
                yield target, choices


def way(flow: Flow, events: list[Event]) -> Way:
    tags = {pair for event in events for group in (event.when, *getattr(event, "unless", ())) for pair in group}
    return Way(flow, frozenset(join for join, _ in tags))


def agrees(tags: Tags, choices: Choices) -> bool:
    """A path with these choices may be one that the tags speak of."""
    taken = dict(choices)
    return all(taken.get(join, edge) == edge for join, edge in tags)
