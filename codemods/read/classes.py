"""Which function a call runs that names a class, or an object made in the function: `A.m(x)`, `a = A(); a.m(x)`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods.read.checkout import Found
from codemods.read.methods import Class, derives, exact, is_classmethod, makes_its_own, self_of
from codemods.read.outcomes import Asked

if TYPE_CHECKING:
    from codemods.read.here import Here


@dataclass(frozen=True, slots=True)
class Target:
    """The one function that a call runs. `within`: its class, where its first parameter is an object, or the class
    itself, of that class or one below it. `receiver`: the call does not name its first argument."""

    found: Found
    within: Class | None = None
    receiver: bool = False


def chosen(here: Here, asked: Asked) -> Target | None:
    if isinstance(asked.made, ast.Call) and asked.attr:
        return _of_object(here, asked, asked.made)
    holder, attr = asked.holder, asked.attr
    head, last = (holder.api, attr) if attr else (holder.api or "").rpartition(".")[::2]
    found = here.summaries.checkout.path(head) if head else _named(here, asked)
    if found is None or not isinstance(found.node, ast.ClassDef) or not last:
        return None
    if here.module.sets(found.node.name):
        return None
    return _of_class(here, asked, Class(found.module, found.node), last)


def _named(here: Here, asked: Asked) -> Found | None:
    """What stands in front of the dot, by names of the module."""
    match asked.holder.ident:
        case ("global", str(name), _) if asked.attr and name not in here.hidden:
            return here.summaries.checkout.function(here.module, name)
        case ("attr", ("global", str(name), _), str(inner), _) if asked.attr and name not in here.hidden:
            return here.summaries.checkout.member(here.module, name, inner)
    return None


def _of_class(here: Here, asked: Asked, holder: Class, attr: str) -> Target | None:
    one = exact(here.summaries.checkout, holder, attr)
    if one is None or not isinstance(one.found.node, ast.FunctionDef):
        return None
    if is_classmethod(one.found.node):
        return Target(one.found, one.within, receiver=True)
    first = asked.arguments.get(0)
    own = first is not None and first.ident == ("parameter", self_of(here.scope))
    if own and here.within is not None and derives(here.summaries.checkout, here.within, one.within):
        return Target(one.found, one.within)
    return Target(one.found)


def _of_object(here: Here, asked: Asked, made: ast.Call) -> Target | None:
    root = made.func.value if isinstance(made.func, ast.Attribute) else made.func
    if isinstance(root, ast.Name) and root.id in here.hidden:
        return None
    found = here.summaries.checkout.stands_for(here.module, made.func)
    if found is None or not isinstance(found.node, ast.ClassDef):
        return None
    holder = Class(found.module, found.node)
    if here.module.sets(found.node.name, "__class__") or not makes_its_own(here.summaries.checkout, holder):
        return None
    one = exact(here.summaries.checkout, holder, asked.attr)
    return None if one is None else Target(one.found, one.within, receiver=True)
