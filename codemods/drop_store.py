"""drop_store: remove a store in a Triton kernel that nobody sees.

    seen = False                                    for i in tl.range(0, n, B):
    for i in tl.range(0, n, B):                         offset = i + tl.arange(0, B)
        offset = i + tl.arange(0, B)                    total = tl.zeros([B], tl.float32)
        total = tl.zeros([B], tl.float32)     ->        for k in range(m):
        for k in range(m):                                  if tl.load(keep + k):
            if tl.load(keep + k):                               total += tl.load(x + k * n + offset)
                seen = True                             tl.store(out + offset, total)
                total += tl.load(x + k * n + offset)
        tl.store(out + offset, total)
    if not seen:
        for i in tl.range(0, n, B):
            offset = i + tl.arange(0, B)
            tl.store(out + offset, tl.zeros([B], tl.float32))

Saves a store in each program that runs it, and the loop around it. Safe when the memory holds those
bits already: the flag is set wherever the first value changes, and places, masks and ranges are the
same. Or when a later store of the same program takes the place of all that it wrote before anyone looks.
"""

from __future__ import annotations

from collections.abc import Iterator

from codemods.core.edit import Remove
from codemods.core.event import Flow
from codemods.core.kernel import Assign, Branch, Kernel, Place, Store, every, places
from codemods.core.proposal import Proposal
from codemods.core.span import span
from codemods.core.verdict import Saves
from codemods.prove.already_stored import AlreadyStored
from codemods.prove.flag_alone import FlagAlone
from codemods.prove.overwritten import Overwritten

SAVES = Saves(stores=1)


def propose(flow: Flow) -> Iterator[Proposal]:
    """One proposal for each store under a flag, and for each that has a later one through the same expression."""
    if flow.kernel is None:
        return
    guards = list(_guards(flow.kernel))
    for guard in guards:
        yield _again(flow.kernel, guard)
    under = {node for guard in guards for node in every(guard.then)}
    found = [place for place in places(flow.kernel.body) if isinstance(place.node, Store) and place.node not in under]
    for index, place in enumerate(found):
        later = next((other.node for other in found[index + 1 :] if _follows(place, other)), None)
        if isinstance(place.node, Store) and isinstance(later, Store):
            edits = (Remove(span(place.node.node)),)
            obligations = (Overwritten(place.node, later),)
            yield Proposal("drop_store", place.node.node, place.node.target, edits, obligations, SAVES)


def _guards(kernel: Kernel) -> Iterator[Branch]:
    """The branches that store where a flag of the kernel was not set, behind another store."""
    flags = {node.name for node in every(kernel.body) if isinstance(node, Assign) and node.alone}
    stored = False
    for node in every(kernel.body):
        match node:
            case Store():
                stored = True
            case Branch(unset=str(flag), then=then) if stored and flag in flags and not _plain(kernel, flag):
                if any(isinstance(one, Store) for one in every(then)):
                    yield node


def _plain(kernel: Kernel, name: str) -> bool:
    """The name is no flag: it is given something else than a constant."""
    given = [node.value for node in every(kernel.body) if isinstance(node, Assign) and node.name == name]
    return "const" not in {kernel.terms[value].op for value in given}


def _again(kernel: Kernel, guard: Branch) -> Proposal:
    flags = {node.node for node in every(kernel.body) if isinstance(node, Assign) and node.name == guard.unset}
    edits = (Remove(span(guard.node)), *sorted((Remove(span(node)) for node in flags), key=lambda edit: edit.span))
    stores = [node for node in every(guard.then) if isinstance(node, Store)]
    obligations = (AlreadyStored(guard), FlagAlone(guard))
    return Proposal("drop_store", guard.node, stores[0].target, edits, obligations, SAVES)


def _follows(first: Place, second: Place) -> bool:
    """Both are written the same way, and they do not stand on two sides of one branch."""
    if not isinstance(first.node, Store) or not isinstance(second.node, Store):
        return False
    if first.node.target != second.node.target:
        return False
    blocks = {id(here.block) for here in first.up()}
    for here in second.up():
        if id(here.block) in blocks:
            ours = next(place for place in first.up() if place.block is here.block)
            return ours.index != here.index
    return False
