"""What a method does to its arguments, over everything that overrides it."""

from __future__ import annotations

from codemods.core.effect import UNSEEN, Effect, Outcome
from codemods.core.region import ALL, Box


def joined(outcomes: list[tuple[str, Outcome]]) -> Outcome:
    """Of a method, over everything that overrides it in the checkout."""
    keys = {key for _, outcome in outcomes for key in outcome.effects}
    effects = {key: _both([(name, o.effects.get(key, UNSEEN)) for name, o in outcomes]) for key in keys}
    names = {name for _, outcome in outcomes for name in outcome.assumes}
    returns = {outcome.returns for _, outcome in outcomes}
    return Outcome(
        effects,
        assumes=tuple(sorted(names | {"closed-world"})),
        fresh=all(outcome.fresh for _, outcome in outcomes),
        quiet=all(outcome.quiet for _, outcome in outcomes),
        apart=all(outcome.apart for _, outcome in outcomes),
        anew=any(outcome.anew for _, outcome in outcomes),
        returns=returns.pop() if len(returns) == 1 else None,
    )


def _both(every: list[tuple[str, Effect]]) -> Effect:
    if len(every) == 1:
        return every[0][1]
    reads = {made.reads for _, made in every}
    writes = {made.writes for _, made in every}
    whole = [name for name, made in every if made.writes == ALL]
    rest = [(name, made) for name, made in every if made.writes != ALL]
    missing = ""
    if rest:
        name, made = rest[0]
        missing = f"{len(whole)} of {len(every)} implementations write all of it; {name} does not: {made.missing}"
    reading = next(((name, made) for name, made in every if made.reads is not None), every[0])
    return Effect(
        reads=_union(reads),
        writes=writes.pop() if len(writes) == 1 else None,
        touches=any(made.touches or made.writes is not None for _, made in every) if rest else False,
        keeps=next((made.keeps for _, made in every if made.keeps), ""),
        returned=any(made.returned for _, made in every),
        told=f"{reading[1].told}, as {reading[0]}" if reading[1].told else "",
        missing=missing,
    )


def _union(parts: set[Box | None]) -> Box | None:
    some = parts - {None}
    if not some:
        return None
    return some.pop() if len(some) == 1 else ALL
