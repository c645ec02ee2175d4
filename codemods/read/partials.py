"""`functools.partial(f, a, k=v)`: a call of it is one of `f`, with arguments that it was given before."""

from __future__ import annotations

from dataclasses import replace

from codemods.read.births import Given
from codemods.read.outcomes import Outcomes
from codemods.read.uses import PARTIAL, only_called
from codemods.read.values import NONE, OUT, Value, tracked, untagged

__all__ = ["PARTIAL", "Partials"]


class Partials(Outcomes):
    def partial(self, given: Given) -> Value | None:
        """None where somebody may look into it, or change its keywords."""
        if not given.values or given.starred or given.spread or tracked(given.values[0]):
            return None
        if not only_called(self.graph, self.at):
            return None
        held = untagged(frozenset().union(*(value.reach for value in given.every), NONE))
        ident = ("partial", self.at, tuple(given.named))
        return Value(ident, inside=held | OUT, items=given.every, name="partial")

    def applied_partial(self, given: Given, holder: Value) -> Value | None:
        """None where `holder` is no partial call, or one that cannot be seen into."""
        match holder.ident:
            case ("partial", _, tuple(names)) if holder.items is not None and not (given.starred or given.spread):
                callee, *values = holder.items
                place = len(values) - len(names)
                before = dict(zip(map(str, names), values[place:], strict=True))
                every = replace(
                    given, values=(*values[:place], *given.values), named={**before, **given.named}, method=False
                )
                return self.seen_into(every, *_target(callee))
        return None


def _target(callee: Value) -> tuple[Value, str]:
    """What is called: `module.f` and `self.m` are looked up where they stand."""
    match callee.ident:
        case ("attr", ("global", str(name), moment), str(attr), _):
            return Value(("global", name, moment), name=name), attr
        case ("attr", ("parameter", str(name)), str(attr), _):
            return Value(("parameter", name), name=name), attr
    return callee, ""
