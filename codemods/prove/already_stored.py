"""AlreadyStored: a guarded store writes once more what an earlier one has written."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.kernel import Assign, Block, Branch, Kernel, Loop, Node, Place, Store, every, inner, places
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.between import obstacle, told
from codemods.prove.settle import Settling, Side, settling

OFF = frozenset({("const", ("bool", "False")), ("const", ("int", "0"))})
ON = frozenset({("const", ("bool", "True")), ("const", ("int", "1"))})


@dataclass(frozen=True, slots=True)
class Nest:
    """A store that is the only one in the loops around it, from the outside in."""

    loops: tuple[Loop, ...]
    store: Store


@dataclass(frozen=True, slots=True)
class AlreadyStored:
    """When the guard finds its flag unset, no block that sets it has run. What else ran has stored the same values
    at the same places, turn by turn, and nothing has changed them since.

    Taking out the second round leaves each program with the same last store to each place; other programs see no
    order of stores that they could not have seen before.
    """

    guard: Branch

    def check(self, flow: Flow) -> Verdict:
        kernel = flow.kernel
        assert kernel is not None and self.guard.unset is not None, "such a branch is in a kernel"
        place = next(place for place in places(kernel.body) if place.node is self.guard)
        start = _unset_at(kernel, place, self.guard.unset)
        if start is None:
            message = f"{self.guard.unset} is not certainly unset before the first store, and only ever set from there"
            return Refused("flag-used", message, (told(flow, self.guard, "the guard"),))
        second = _nest(self.guard.then)
        if second is None or self.guard.other:
            return Refused("not-understood", "the guard holds more than one store in plain loops", needs="one store")
        span = place.block[start + 1 : place.index]
        storing = [node for node in span if _stores(node)]
        if not storing:
            message = f"nothing is stored between {self.guard.unset} is unset and asked for"
            return Refused("other-place", message, (told(flow, second.store, "the store"),))
        if refused := obstacle(flow, (*span, self.guard)):
            return refused
        first = _match(storing, second)
        if first is None:
            return _no_nest(flow, storing[-1])
        if storing[-1] not in (*first.loops, first.store):
            message = "a store between the two may be to the same memory"
            return Refused(
                "store-between", message, (told(flow, storing[-1], "stores"),), needs="that they do not alias"
            )
        return _compare(flow, first, second, settling(kernel, _quiet(span, self.guard.unset), _turns(first, second)))


def _unset_at(kernel: Kernel, guard: Place, flag: str) -> int | None:
    """Where in the guard's own block the flag is unset, if that is the only place, and elsewhere it is only set."""
    given = [(place, place.node) for place in places(kernel.body)]
    known = [
        (place, _constant(kernel, node)) for place, node in given if isinstance(node, Assign) and node.name == flag
    ]
    unset = [place for place, constant in known if constant in OFF]
    if len(unset) != 1 or unset[0].block is not guard.block:
        return None
    if not all(constant in OFF | ON for _, constant in known):
        return None
    return unset[0].index


def _constant(kernel: Kernel, node: Assign) -> tuple[str, Hashable] | None:
    """What is given, where that is all that the statement does."""
    term = kernel.terms[node.value]
    return (term.op, term.data) if node.alone else None


def _quiet(span: Block, flag: str) -> frozenset[Side]:
    """The blocks that set the flag."""
    return frozenset(
        (node.ident, side)
        for node in every(span)
        if isinstance(node, Branch | Loop)
        for side, block in enumerate(inner(node))
        if any(isinstance(one, Assign) and one.name == flag for one in block)
    )


def _stores(node: Node) -> bool:
    return any(isinstance(one, Store) for one in every((node,)))


def _nest(block: Block) -> Nest | None:
    """The only store of a block, in loops or by itself; None where it is guarded."""
    match [node for node in block if _stores(node)]:
        case [Store() as store]:
            return Nest((), store)
        case [Loop(body=body) as loop] if rest := _nest(body):
            return Nest((loop, *rest.loops), rest.store)
    return None


def _match(storing: list[Node], second: Nest) -> Nest | None:
    """The store that the second one may repeat: the last through the same expression, or the last."""
    nests = [nest for node in storing if (nest := _nest((node,))) and nest.store.target == second.store.target]
    return nests[-1] if nests else _nest((storing[-1],))


def _no_nest(flow: Flow, node: Node) -> Refused:
    held = [one for one in every((node,)) if isinstance(one, Store)]
    if len(held) > 1:
        message = "more than one store runs before the guard, and they may be to the same memory"
        return Refused("store-between", message, tuple(told(flow, one, "stores") for one in held))
    return Refused("guarded", "the first store does not always run", (told(flow, held[0], "the first store"),))


def _turns(first: Nest, second: Nest) -> dict[int, int]:
    loops = zip(first.loops, second.loops)  # noqa: B905 - where one is longer, the nests differ anyway
    return {one.ident: other.ident for one, other in loops}


def _compare(flow: Flow, first: Nest, second: Nest, settled: Settling) -> Verdict:
    one, other = first.store, second.store
    where = (told(flow, one, f"stores through {one.target}"), told(flow, other, "the store that would go"))
    loops = zip(first.loops, second.loops)  # noqa: B905 - as above
    if len(first.loops) != len(second.loops) or not all(_same_loop(a, b, settled) for a, b in loops):
        return Refused("other-place", "the two stores do not run over the same range", where)
    if settled.value(one.pointer) != settled.value(other.pointer):
        return Refused("other-place", "the two stores are not certainly to the same addresses", where)
    if list(map(settled.value, one.mask)) != list(map(settled.value, other.mask)):
        return Refused("other-place", "the two stores do not have the same mask", where)
    if not settled.same_bits(one.value, other.value):
        return Refused("another-value", "the first store may leave another value than the second", where)
    text = f"stores the same value through {one.target} in all that runs while the flag is unset"
    assert flow.kernel is not None
    return Proved((told(flow, one, text),), flow.kernel.assumes)


def _same_loop(one: Loop, other: Loop, settled: Settling) -> bool:
    if one.kind != other.kind:
        return False
    return list(map(settled.value, one.bounds)) == list(map(settled.value, other.bounds))
