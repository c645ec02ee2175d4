"""AlreadyStored: a guarded store writes once more what an earlier one has written."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.kernel import Assign, Block, Branch, Kernel, Loop, Node, Place, Store, every, inner, places
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.between import obstacle, told
from codemods.prove.settle import Settling, Side, settling

OFF = frozenset({("bool", "False"), ("int", "0")})
ON = frozenset({("bool", "True"), ("int", "1")})


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
        if kernel is None or self.guard.unset is None:
            return Refused("not-understood", "the guard is not understood")
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
            return Refused("other-place", message, (told(flow, second[-1], "the store"),))
        if refused := obstacle(flow, (*span, self.guard)):
            return refused
        first = _match(storing, second)
        if first is None:
            return _no_nest(flow, storing[-1])
        if first[0] is not storing[-1]:
            message = "a store between the two may be to the same memory"
            return Refused(
                "store-between", message, (told(flow, storing[-1], "stores"),), needs="that they do not alias"
            )
        return _compare(flow, first, second, settling(kernel, _quiet(span, self.guard.unset), _turns(first, second)))


def _unset_at(kernel: Kernel, guard: Place, flag: str) -> int | None:
    """Where in the guard's own block the flag is unset, if that is the only place, and elsewhere it is only set."""
    given = [place for place in places(kernel.body) if isinstance(place.node, Assign) and place.node.name == flag]
    unset = [place for place in given if _constant(kernel, place, OFF)]
    others = [place for place in given if place not in unset]
    if len(unset) != 1 or unset[0].block is not guard.block:
        return None
    between = set(every(guard.block[unset[0].index + 1 : guard.index]))
    if not others or not all(_constant(kernel, place, ON) and place.node in between for place in others):
        return None
    return unset[0].index


def _constant(kernel: Kernel, place: Place, values: frozenset[tuple[str, str]]) -> bool:
    node = place.node
    if not isinstance(node, Assign) or not node.alone:
        return False
    term = kernel.terms[node.value]
    return term.op == "const" and term.data in values


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


Nest = tuple[Loop | Store, ...]


def _nest(block: Block) -> Nest | None:
    """The loops around the only store of a block, from the outside in, and the store; None where it is guarded."""
    held = [node for node in block if _stores(node)]
    match held:
        case [Store() as store]:
            return (store,)
        case [Loop(kind="range" | "static", body=body) as loop] if rest := _nest(body):
            return (loop, *rest)
    return None


def _match(storing: list[Node], second: Nest) -> Nest | None:
    """The store that the second one may repeat: the last that looks like it."""
    alike = [nest for node in storing if (nest := _nest((node,))) and len(nest) == len(second)]
    ends = [nest for nest in alike if _target(nest) == _target(second)] or alike
    return ends[-1] if ends else _nest((storing[-1],))


def _target(nest: Nest) -> str:
    store = nest[-1]
    assert isinstance(store, Store)
    return store.target


def _no_nest(flow: Flow, node: Node) -> Refused:
    held = [one for one in every((node,)) if isinstance(one, Store)]
    if len(held) > 1:
        message = "more than one store runs before the guard, and they may be to the same memory"
        return Refused("store-between", message, tuple(told(flow, one, "stores") for one in held))
    return Refused("guarded", "the first store does not always run", (told(flow, held[0], "the first store"),))


def _turns(first: Nest, second: Nest) -> dict[int, int]:
    loops = zip(first[:-1], second[:-1])  # noqa: B905 - where one is longer, the nests differ anyway
    return {one.ident: other.ident for one, other in loops if isinstance(one, Loop) and isinstance(other, Loop)}


def _compare(flow: Flow, first: Nest, second: Nest, settled: Settling) -> Verdict:
    one, other = first[-1], second[-1]
    assert isinstance(one, Store) and isinstance(other, Store)
    where = (told(flow, one, f"stores through {one.target}"), told(flow, other, "the store that would go"))
    loops = zip(first, second)  # noqa: B905 - as above
    if len(first) != len(second) or not all(a is one or _same_loop(a, b, settled) for a, b in loops):
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


def _same_loop(one: Loop | Store, other: Loop | Store, settled: Settling) -> bool:
    if not isinstance(one, Loop) or not isinstance(other, Loop) or one.kind != other.kind:
        return False
    return list(map(settled.value, one.bounds)) == list(map(settled.value, other.bounds))
