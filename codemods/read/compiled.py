"""Calls of operators that are compiled: what a contract, or a schema that the checkout registers, says of them."""

from __future__ import annotations

from codemods.core.effect import Outcome
from codemods.ops import contracts
from codemods.ops.contracts import Contracts
from codemods.ops.schema import Schema
from codemods.read.checkout import Checkout
from codemods.read.looked import Looked
from codemods.read.outcomes import Asked
from codemods.read.roots import project_of
from codemods.read.schemas import declared, registering
from codemods.read.values import FRESH, OUTSIDE, Value


def compiled(asked: Asked, own: Contracts, checkout: Checkout) -> Outcome | None:
    """`own`: the rows of the project. Where there is no row, the schemas of the checkout are looked for."""
    holder = asked.holder.api
    if holder is None:
        return None
    path = f"{holder}.{asked.attr}" if asked.attr else holder
    keys = asked.arguments
    places = sorted(key for key in keys if isinstance(key, int))
    if places != list(range(len(places))):
        return None
    known = path in own or contracts.shipped(path) is not None
    schema = None if known or not path.startswith("torch.ops.") else _declared(path, checkout)
    return contracts.outcome(
        path,
        [_memory(keys[place]) for place in places],
        {key: _memory(value) for key, value in keys.items() if isinstance(key, str)},
        spread=asked.open,
        own=own,
        declared=schema,
    )


def _declared(path: str, checkout: Checkout) -> Schema | None:
    if checkout.root is None:
        return None
    project = project_of(checkout.root)
    checkout.looked.add(Looked("project", str(checkout.root), str(project or "")))
    if project is None:
        return None
    checkout.looked.add(registering(project).looked)
    return declared(project, path)


def _memory(value: Value) -> frozenset[object]:
    """The buffers that an argument may lie in; those of others may be any."""
    return frozenset(ref.buffer for ref in value.reach) - {OUTSIDE, FRESH}
