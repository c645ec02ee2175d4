"""Overwritten: a later store of the same program takes the place of all that a store has written."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.kernel import Branch, Node, Place, Store, Unseen, every, places
from codemods.core.syntax import walk
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.between import obstacle, told
from codemods.prove.settle import settling


@dataclass(frozen=True, slots=True)
class Overwritten:
    """From the first store each path comes to the second one, and in between nothing looks, stores or waits.

    The second store is to the same addresses, under the same mask or under none.
    """

    first: Store
    second: Store

    def check(self, flow: Flow) -> Verdict:
        kernel = flow.kernel
        assert kernel is not None, "such a store is in a kernel"
        told_by = (told(flow, self.second, f"stores through {self.second.target}"),)
        gone = set(walk(self.first.node))
        for node in every(kernel.body):
            if isinstance(node, Unseen) and node.node in gone:
                return Refused("side-effect", f"{node.text} would no longer run, and it may have an effect")
        place = next(place for place in places(kernel.body) if place.node is self.first)
        between = _between(place, self.second)
        if isinstance(between, str):
            return Refused("guarded", between, told_by)
        if refused := obstacle(flow, between, loads=False, stores=False):
            return refused
        same = settling(kernel)
        if same.value(self.first.pointer) != same.value(self.second.pointer):
            return Refused("other-place", "the two stores are not certainly to the same addresses", told_by)
        if self.second.mask and list(map(same.value, self.first.mask)) != list(map(same.value, self.second.mask)):
            return Refused("other-place", "the second store is under another mask", told_by)
        return Proved(told_by, kernel.assumes)


def _between(first: Place, second: Store) -> list[Node] | str:
    """The nodes that run from the one store to the other; or why it is not certain that the other runs at all."""
    nodes: list[Node] = []
    for here in first.up():
        if here is not first and not isinstance(here.node, Branch):
            return "the second store runs at another time: the first is in a loop"
        rest = here.block[here.index + 1 :]
        if second in rest:
            return [*nodes, *rest[: rest.index(second)]]
        nodes += rest
    return "the second store does not always run behind the first"
