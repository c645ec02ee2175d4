"""The commonest function that allocates: every allocation goes straight into an attribute. No path need be followed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from codemods.core.event import Birth, Buffer, Escape, Event, Write
from codemods.core.region import ALL
from codemods.core.syntax import walk
from codemods.read.births import BIRTHS
from codemods.read.names import dotted

Holds = Callable[[ast.stmt], bool]


def kept(scope: ast.AST, apis: dict[str, str], holds: Holds) -> tuple[Event | None, ...] | None:
    """The events of such a function; None where something else is done in a statement that holds a candidate."""
    events: list[Event | None] = [None]
    for statement in _statements(scope, holds):
        match statement:
            case ast.Assign(targets=[ast.Attribute() as target], value=ast.Call(func=ast.Attribute()) as call):
                api = dotted(call.func, apis)
                if api not in BIRTHS or _may_be_empty(call):
                    return None
                buffer = Buffer(api, Buffer(api))
                dtypes = [dotted(keyword.value, apis) for keyword in call.keywords if keyword.arg == "dtype"]
                typed = any(path is not None and path.startswith("torch.") for path in dtypes)
                events.append(Birth(buffer, ALL, call, f"{api} allocates it", api=api, typed=typed))
                if BIRTHS[api] is not None:
                    events.append(Write(buffer, ALL, call, f"{api} fills it", sure=True, api=api))
                events.append(Escape(buffer, ALL, target, f"kept in {ast.unparse(target)}", how="kept"))
            case _:
                return None
    return tuple(events)


def _statements(scope: ast.AST, holds: Holds) -> Iterator[ast.stmt]:
    """The innermost statements of a scope that hold a candidate line, in source order."""
    for name in ("body", "orelse", "handlers", "finalbody", "cases"):
        for child in getattr(scope, name, ()):
            if isinstance(child, ast.ExceptHandler | ast.match_case):
                yield from _statements(child, holds)
            elif holds(child):
                plain = not hasattr(child, "body") or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                inner = [] if plain else list(_statements(child, holds))
                yield from inner or [child]


def _may_be_empty(call: ast.Call) -> bool:
    """A literal 0 or a call in the arguments asks for more than this."""
    parts = [part for part in walk(call) if part is not call]
    return any(isinstance(part, ast.Call | ast.Lambda) or getattr(part, "value", None) == 0 for part in parts)
