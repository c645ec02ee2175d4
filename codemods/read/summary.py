"""What functions of the checkout do to the memory of their arguments, found out by lowering them, bottom-up."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from codemods.core.effect import Effect
from codemods.core.event import Read
from codemods.core.report import Notice
from codemods.core.syntax import children
from codemods.ops.contracts import Contracts
from codemods.read import decorators
from codemods.read.calls import QUIET
from codemods.read.checkout import Checkout, Found, Function, Import, Module, checkout_of
from codemods.read.decorators import unpatched
from codemods.read.expressions import names_in
from codemods.read.here import Here
from codemods.read.inside import FOLLOWED, Inside, Kind
from codemods.read.life import effect
from codemods.read.looked import Looked
from codemods.read.lower import TooComplex
from codemods.read.methods import Class
from codemods.read.modules import KernelSource, kernel, module_of
from codemods.read.modules import Module as Kernels
from codemods.read.names import dotted, names_bound
from codemods.read.statements import build
from codemods.read.values import FRESH, Ref

MOST_LINES = 400
MOST_DEEP = 24
Kinds = tuple[tuple[str, Kind], ...]
Key = tuple[ast.AST, Kinds, ast.AST | None]


@dataclass(frozen=True, slots=True)
class Summary:
    """Of one function. `returned`: parameters that the result may hold; `returns`: the one that it certainly is."""

    effects: dict[str, Effect]
    returned: frozenset[str] = frozenset()
    returns: str | None = None
    fresh: bool = False
    assumes: frozenset[str] = frozenset()
    quiet: bool = False
    apart: bool = False
    ends: bool = True  # it returns
    anew: bool = False


@dataclass(eq=False)
class Summaries:
    """Of the functions of one checkout, each found out once for each kind of arguments. Functions that call each other
    in a circle have none."""

    checkout: Checkout
    known: dict[Key, Summary | None] = field(default_factory=dict)
    pending: list[Key] = field(default_factory=list)
    path: list[Key] = field(default_factory=list)
    lowest: dict[Key, int] = field(default_factory=dict)  # how far back in `pending` its callees lead
    looped: set[Key] = field(default_factory=set)
    kernels: dict[Module, Kernels] = field(default_factory=dict)
    looked: dict[Key, frozenset[Looked]] = field(default_factory=dict)  # what a summary rests on
    contracts: Contracts = field(default_factory=dict)  # the project's own
    contradicted: dict[Notice, None] = field(default_factory=dict)  # each once, in order

    def of(self, found: Found, kinds: Kinds, within: Class | None) -> Summary | None:
        """Circles are found as by Tarjan: whatever leads back to a function that is not done is in one with it."""
        key = (found.node, kinds, within.node if within else None)
        if key in self.known:
            self.checkout.looked |= self.looked[key]
            return self.known[key]
        again = next((place for place, other in enumerate(self.pending) if other[0] is found.node), None)
        if again is not None:
            self._leads_to(again)
            return None
        if len(self.pending) > MOST_DEEP:
            return None
        place = self.lowest[key] = len(self.pending)
        self.pending.append(key)
        self.path.append(key)
        before, self.checkout.looked = self.checkout.looked, set()
        made = self._made(found, kinds, within)
        self.looked[key] = frozenset(self.checkout.looked)
        self.checkout.looked |= before
        self.path.pop()
        if self.lowest[key] < place:
            self._leads_to(self.lowest[key])
            return None
        circle = self.pending[place:]
        del self.pending[place:]
        every = frozenset().union(*(self.looked[member] for member in circle))
        for member in circle:
            self.looked[member] = every
            self.known[member] = made if len(circle) == 1 and key not in self.looped else None
            del self.lowest[member]
        return self.known[key]

    def errors(self) -> tuple[Notice, ...]:
        """What went wrong since the last time: a callee is read for the first file that calls it."""
        found = tuple(self.contradicted)
        self.contradicted.clear()
        return found

    def kernel(self, module: Module, name: str) -> KernelSource | None:
        found = self.checkout.function(module, name)
        if found is not None:
            module, name = found.module, found.node.name
        elif isinstance(module.bindings.get(name), Import):
            return None
        if module.exchanged or name in module.set_attributes:
            return None
        if module not in self.kernels:
            helpers = Helpers(module, self)
            self.kernels[module] = module_of(module.tree, module.source, module.names, module.name, helpers)
        return kernel(self.kernels[module], name)

    def _leads_to(self, place: int) -> None:
        if self.path:
            top = self.path[-1]
            self.lowest[top] = min(self.lowest[top], place)
            if self.pending[place] == top:
                self.looped.add(top)

    def _made(self, found: Found, kinds: Kinds, within: Class | None) -> Summary | None:
        node, module = found.node, found.module
        if not isinstance(node, ast.FunctionDef) or not unpatched(module) or not runs_at_once(node):
            return None
        silent = decorators.silent(node, module, self.checkout)
        if silent is None:
            return None
        graph = build(node, lambda context: _quiet(context, node, module))
        if any(name in graph.shared for name, kind in kinds if kind in FOLLOWED):
            return None
        try:
            names = module.names.hidden(found.hidden) if found.hidden else module.names
            lowering = Inside(graph, names, dict(kinds))
            lowering.callees = Here(self, module, node, within, found.hidden)
            flow = lowering.flow(node.name, module.name, "call", module.source)
        except (TooComplex, RecursionError):
            return None
        if lowering.streams is not None or lowering.waits or lowering.identified:
            return None
        leave = lowering.first.get(graph.leave, -1)
        effects: dict[str, Effect] = {}
        assumes: frozenset[str] = frozenset()
        for name, buffer in lowering.parameters.items():
            effects[name], rests = effect(flow, buffer, leave, f"{node.name}()", module.name)
            assumes |= rests
        ours = set(lowering.parameters.values())
        apart = all(
            event.node in lowering.apart_calls
            for event in flow.events
            if event and event.buffer in ours and not (isinstance(event, Read) and event.region is None)
        )
        if not silent and any(made.keeps for made in effects.values()):
            return None  # code around it may use what it keeps
        if any(rest.startswith("contract:") for rest in assumes):
            effects = {name: replace(made, dense=True) for name, made in effects.items()}
        anew = any(state.layout != 0 for state in lowering.out.values())
        made = Summary(effects, assumes=assumes, quiet=silent and not lowering.loud, apart=apart, anew=anew)
        return _with_result(made, lowering)


def runs_at_once(node: ast.FunctionDef) -> bool:
    """Calling it runs its body, then and there."""
    if (node.end_lineno or node.lineno) - node.lineno > MOST_LINES:
        return False
    todo: list[ast.AST] = list(node.body)
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.Yield | ast.YieldFrom):
            return False
        parts = children(inner)
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            later = set(inner.body) if isinstance(inner.body, list) else {inner.body}
            parts = [part for part in parts if part not in later]  # defaults, decorators and bases are there at once
        todo += parts
    return True


def _quiet(context: ast.expr, node: Function, module: Module) -> bool:
    path = dotted(context.func, module.names.apis) if isinstance(context, ast.Call) else None
    return path in QUIET and not (names_bound(node) & names_in(context))


def _with_result(made: Summary, lowering: Inside) -> Summary:
    value = lowering.gives
    if value is None:
        return replace(made, ends=False)
    names = {buffer: name for name, buffer in lowering.parameters.items()}
    held = frozenset(names[ref.buffer] for ref in value.reach if ref.buffer in names)
    own = {ref.buffer for ref in value.reach} - set(names)
    fresh = value.tensor and not held and bool(value.refs) and not value.inside
    fresh = fresh and all(_private(ref, lowering) for ref in value.refs)
    same = next((name for name in held if value.ident == ("parameter", name)), None)
    whole = same is not None and len(value.refs) <= 1 and not own
    return replace(made, returned=held, returns=same if whole else None, fresh=fresh)


def _private(ref: Ref, lowering: Inside) -> bool:
    """Memory that the callee has made and let out to nobody but its caller."""
    state = lowering.at_entry[lowering.graph.leave]
    return ref.buffer is FRESH or not (ref.buffer.shared or ref.buffer in state.escaped)


@dataclass(frozen=True, eq=False, slots=True)
class Helpers(Mapping[str, KernelSource]):
    """What a file imports and certainly is a `triton.jit` function of another one; looked for when it is asked for."""

    module: Module
    summaries: Summaries

    def __getitem__(self, name: str) -> KernelSource:
        if name in self:
            found = self.summaries.kernel(self.module, name)
            if found is not None and not found.around:
                return found
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(self.module.bindings.get(str(name)), Import)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.module.bindings if name in self)

    def __len__(self) -> int:
        return len(list(iter(self)))


def summaries_of(file: Path | None, name: str, run: str | None, contracts: Contracts) -> Summaries:
    """Those of the checkout around a file. In one `run` nothing is read twice."""
    if file is None:
        return Summaries(Checkout(), contracts=contracts)
    around = checkout_of(file, name)
    made = Summaries(around) if run is None else _shared(run, around.root, around.base, around.top)
    made.checkout.looked = {Looked("root", str(file.parent), str(around.root))}
    made.contracts = contracts
    return made


@lru_cache(maxsize=8)
def _shared(run: str, root: Path, base: Path, top: Path | None) -> Summaries:
    return Summaries(Checkout(root, base, top))
