"""What is known of a function, told as what one call of it does to its arguments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from codemods.core.effect import UNSEEN, Effect, Outcome
from codemods.core.region import ALL
from codemods.core.size import Atom, Size, variable
from codemods.read.binding import Bound
from codemods.read.outcomes import Key

if TYPE_CHECKING:
    from codemods.read.summary import Summary


def told(summary: Summary, bound: Bound) -> Outcome:
    """A summary as what one call does to its arguments."""
    effects: dict[Key, Effect] = {}
    for name, keys in bound.given.items():
        made = summary.effects.get(name, UNSEEN)
        made = replace(made, returned=made.returned and made == UNSEEN or name in summary.returned)
        made = rekeyed(made, bound)
        for key in keys:
            effects[key] = _packed(made) if name in bound.packed else made
    returns = bound.given.get(summary.returns or "", ())
    alone = returns[0] if len(returns) == 1 and summary.returns not in bound.packed else None
    return Outcome(
        effects,
        assumes=tuple(sorted(summary.assumes)),
        fresh=summary.fresh,
        returns=alone,
        quiet=summary.quiet,
        apart=summary.apart,
        anew=summary.anew,
    )


def rekeyed(made: Effect, bound: Bound) -> Effect:
    """With the integers that regions depend on named by the arguments of the call."""
    if not any(box is not None and box.atoms for box in (made.reads, made.writes)):
        return made

    def key(atom: Atom) -> Size | None:
        match atom.key:
            case ("parameter", str(name)):
                return variable(Atom(atom.name, ("argument", _alone(bound, name)), atom.natural))
            case ("extent", ("parameter", str(name)), int(place), _):
                return variable(Atom(atom.name, ("argument", _alone(bound, name), place), atom.natural))
        return None

    reads, writes = (None if box is None else box.replace(key) for box in (made.reads, made.writes))
    return replace(made, reads=reads, writes=writes)


def _alone(bound: Bound, name: str) -> Key | None:
    keys = bound.given.get(name, ())
    return keys[0] if len(keys) == 1 and name not in bound.packed else None


def _packed(made: Effect) -> Effect:
    """Of one of several arguments that the callee has as one."""
    writes = made.touches or made.writes is not None
    return replace(made, reads=None if made.reads is None else ALL, writes=None, touches=writes)
