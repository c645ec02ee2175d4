"""Calls of one function that are to be looked into: which function each runs, and what that does to the arguments."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codemods.core.effect import Effect, Outcome
from codemods.core.report import Notice
from codemods.core.size import alone
from codemods.read import classes
from codemods.read.binding import Bound, bind
from codemods.read.checkout import Found, Module
from codemods.read.classes import Target
from codemods.read.compiled import compiled
from codemods.read.inside import MAYBE_NONE, Kind, kind_of, nullable
from codemods.read.methods import Class, Implementation, implementations, inherited, keeps_class, on_class, self_of
from codemods.read.modules import KernelSource
from codemods.read.names import dotted, names_bound
from codemods.read.nested import calls_of
from codemods.read.outcomes import Asked
from codemods.read.overrides import joined
from codemods.read.preset import before, without, written
from codemods.read.told import told
from codemods.read.uses import looked_into
from codemods.read.values import Value

if TYPE_CHECKING:
    from codemods.read.summary import Summaries, Summary


MERGED = frozenset({"join", "thrown", "before", MAYBE_NONE})


@dataclass(eq=False)
class Here:
    """Where calls stand that are to be looked into: a function of a module, and perhaps a method of a class."""

    summaries: Summaries
    module: Module
    scope: ast.AST | None = None
    within: Class | None = None
    hidden: frozenset[str] = frozenset()  # names that functions around it bind

    def outcome(self, asked: Asked) -> Outcome | None:
        outcome = self._outcome(asked)
        return None if outcome is None or self.module.exchanged else outcome  # most calls lead nowhere: asked last

    def _outcome(self, asked: Asked) -> Outcome | None:
        holder, attr = asked.holder, asked.attr
        if isinstance(asked.made, ast.FunctionDef):
            return None if attr else self._nested(asked, asked.made)
        if attr and self.within is not None:
            if holder.ident == ("parameter", self_of(self.scope)):
                return self._method(asked, implementations(self.summaries.checkout, self.within, attr))
            if isinstance(holder.ident, tuple) and holder.ident[0] == "super":
                return self._method(asked, inherited(self.summaries.checkout, self.within, attr))
        if self.module.sets(*_named(holder, attr)):
            return None
        if (chosen := classes.chosen(self, asked)) is not None:
            return self._run(chosen, asked)
        found = self._found(asked)
        if found is None:
            return compiled(asked, self.summaries.contracts, self.summaries.checkout)
        if isinstance(found.node, ast.ClassDef) or self.module.sets(found.node.name):
            return None
        return self._run(Target(found), asked)

    def _run(self, target: Target, asked: Asked) -> Outcome | None:
        """What the one function does that a call certainly runs."""
        found = target.found
        if not isinstance(found.node, ast.FunctionDef):
            return None
        if found.given is not None and looked_into(self.module.source):
            return None
        wide = asked if found.given is None else before(found.given, asked)
        bound = bind(found.node, wide, target.receiver)
        summary = None if bound is None else self._of(found, wide, bound, target.within)
        if summary is None or bound is None:
            return None
        return told(summary, bound if found.given is None else without(found.given, bound, asked))

    def _nested(self, asked: Asked, node: ast.FunctionDef) -> Outcome | None:
        """Of a function that stands in this one, and is only called."""
        if self.scope is None or asked.node not in (calls_of(node, self.scope) or ()):
            return None
        return self._run(Target(Found(self.module, node, hidden=self.hidden | names_bound(self.scope))), asked)

    def kernel(self, holder: Value) -> KernelSource | None:
        """The Triton kernel in `kernel[grid]`."""
        match holder.ident:
            case ("item", ("global", str(name), _), *_) if name not in self.hidden:
                return self.summaries.kernel(self.module, name)
            case ("item", ("api", str(path)), *_):
                found = self.summaries.checkout.path(path)
                return self.summaries.kernel(found.module, found.node.name) if found else None
        return None

    def contradicted(self, notice: Notice) -> None:
        self.summaries.contradicted[notice] = None

    def annotated(self, api: str) -> int | str | None:
        """What a function of the checkout gives, by its annotation: "tensor", "int", or how many ints."""
        found = self.summaries.checkout.path(api)
        note = found.node.returns if found and isinstance(found.node, ast.FunctionDef) else None
        match note:
            case ast.Name(id="int"):
                return "int"
            case ast.Attribute() if found and dotted(note, found.module.names.apis) == "torch.Tensor":
                return "tensor"
            case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=every)) if all(
                isinstance(one, ast.Name) and one.id == "int" for one in every
            ):
                return len(every)
        return None

    def _found(self, asked: Asked) -> Found | None:
        checkout, holder = self.summaries.checkout, asked.holder
        if holder.api is not None:
            return checkout.path(f"{holder.api}.{asked.attr}" if asked.attr else holder.api)
        match holder.ident:
            case ("global", str(name), _) if name not in self.hidden:
                if asked.attr:
                    return checkout.member(self.module, name, asked.attr)
                return checkout.function(self.module, name)
        return None

    def _of(self, found: Found, asked: Asked, bound: Bound, within: Class | None) -> Summary | None:
        kinds: dict[str, Kind] = {}
        for name, keys in bound.given.items():
            values = [asked.arguments[key] for key in keys]
            followed = any(key in asked.fresh for key in keys)
            several = len(values) > 1 or name in bound.packed
            kinds[name] = ("followed" if followed else "object") if several else kind_of(values[0], followed)
            if not several and not followed and self._may_be_none(values[0]):
                kinds[name] = "nullable"
        for name, default in bound.defaults.items():
            kinds[name] = written(default)
        return self.summaries.of(found, tuple(sorted(kinds.items(), key=lambda item: item[0])), within)

    def _may_be_none(self, value: Value) -> bool:
        """Its own default is None, or it is one thing or another, whatever the callee says of it."""
        if not value.tensor and value.size is None and isinstance(value.ident, tuple) and value.ident[0] in MERGED:
            return True
        return _parameter(value) in nullable(self.scope)

    def _method(self, asked: Asked, every: tuple[Implementation, ...]) -> Outcome | None:
        """Of a method that is one of several."""
        outcomes: list[tuple[str, Outcome]] = []
        for one in every:
            if not isinstance(one.found.node, ast.FunctionDef):
                return None
            bound = bind(one.found.node, asked, receiver=True)
            summary = None if bound is None else self._of(one.found, asked, bound, one.within)
            if bound is None or summary is None or on_class(self.scope) and not keeps_class(one.found.node):
                return None
            if not summary.ends and len(every) > 1 and all(_idle(made) for made in summary.effects.values()):
                continue  # it only raises
            outcomes.append((one.name, told(summary, bound)))
        return joined(outcomes) if outcomes else None


def _named(holder: Value, attr: str) -> tuple[str, ...]:
    """The names through which a call finds what it calls."""
    last = (holder.api or "").rpartition(".")[2]
    names = (attr,) if attr else (last,)
    match holder.ident:
        case ("global", str(name), _):
            return (name, *names)
    return names


def _parameter(value: Value) -> str | None:
    """The parameter whose value this is."""
    atom = alone(value.size) if value.size is not None else None
    match value.ident if atom is None else atom.key:
        case ("parameter", str(name)):
            return name
    return None


def _idle(made: Effect) -> bool:
    return made.reads is None and not made.keeps and made.writes is None and not made.touches
