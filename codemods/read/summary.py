"""What functions of the checkout do to the memory of their arguments, found out by lowering them, bottom-up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from codemods.core.effect import UNSEEN, Effect, Outcome
from codemods.core.event import Read
from codemods.core.region import ALL
from codemods.core.size import alone
from codemods.core.syntax import children
from codemods.ops.contracts import Contracts
from codemods.read.binding import Bound, bind
from codemods.read.calls import QUIET
from codemods.read.checkout import Checkout, Found, Function, Import, Module, checkout_of
from codemods.read.compiled import compiled
from codemods.read.expressions import names_in
from codemods.read.inside import FOLLOWED, Inside, Kind, constant_of, kind_of, nullable
from codemods.read.life import effect
from codemods.read.lower import TooComplex
from codemods.read.methods import Class, implementations, keeps_class, on_class, self_of
from codemods.read.modules import KernelSource, kernel, module_of
from codemods.read.modules import Module as Kernels
from codemods.read.names import dotted, names_bound
from codemods.read.outcomes import Asked
from codemods.read.outcomes import Key as Place
from codemods.read.overrides import joined
from codemods.read.statements import build
from codemods.read.values import FRESH, Ref, Value, number

MOST_LINES = 400
MOST_DEEP = 24
KEEPING = frozenset("torch.no_grad torch.inference_mode torch.compile staticmethod classmethod".split())
INSIDES = frozenset({"__code__", "__defaults__", "__kwdefaults__"})
GRADIENTS = re.compile(rb"\b(?:enable_grad|set_grad_enabled)\b")
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
    looked: dict[Key, frozenset[Path]] = field(default_factory=dict)  # the files that a summary rests on
    contracts: Contracts = field(default_factory=dict)  # the project's own

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
        if not isinstance(node, ast.FunctionDef) or not plain(node, module):
            return None
        graph = build(node, lambda context: _quiet(context, node, module))
        if any(name in graph.shared for name, kind in kinds if kind in FOLLOWED):
            return None
        try:
            lowering = Inside(graph, module.names, dict(kinds))
            lowering.callees = Here(self, module, node, within)
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
        if any(rest.startswith("contract:") for rest in assumes):
            effects = {name: replace(made, dense=True) for name, made in effects.items()}
        return _with_result(Summary(effects, assumes=assumes, quiet=not lowering.loud, apart=apart), lowering)


def plain(node: ast.FunctionDef, module: Module) -> bool:
    """Calling it runs its body, then and there, and its name still stands for it."""
    if (node.end_lineno or node.lineno) - node.lineno > MOST_LINES or module.exchanged:
        return False
    if INSIDES & module.set_attributes:  # the body is another one, or its defaults are
        return False
    if GRADIENTS.search(module.source):  # what a caller has switched off may be on in here
        return False
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        own = isinstance(call, ast.Name) and call.id not in module.names.bound
        name = call.id if isinstance(call, ast.Name) and own else ""
        if (dotted(call, module.names.apis) or name) not in KEEPING:
            return False
    todo: list[ast.AST] = list(node.body)
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.Yield | ast.YieldFrom):
            return False
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo += children(inner)
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


@dataclass(eq=False)
class Here:
    """Where calls stand that are to be looked into: a function of a module, and perhaps a method of a class."""

    summaries: Summaries
    module: Module
    scope: ast.AST | None = None
    within: Class | None = None
    hidden: frozenset[str] = frozenset()  # names that functions around it bind

    def outcome(self, asked: Asked) -> Outcome | None:
        holder, attr = asked.holder, asked.attr
        if attr and self.within is not None and holder.ident == ("parameter", self_of(self.scope)):
            return self._method(asked, self.within)
        if self.module.exchanged or self.module.sets(*_named(holder, attr)):
            return None
        found = self._found(asked)
        if found is None:
            return compiled(asked, self.summaries.contracts, self.summaries.checkout)
        if isinstance(found.node, ast.ClassDef) or self.module.sets(found.node.name):
            return None
        bound = bind(found.node, asked, receiver=False) if isinstance(found.node, ast.FunctionDef) else None
        summary = None if bound is None else self._of(found, asked, bound, None)
        return None if summary is None or bound is None else told(summary, bound, found)

    def kernel(self, holder: Value) -> KernelSource | None:
        """The Triton kernel in `kernel[grid]`."""
        match holder.ident:
            case ("item", ("global", str(name), _), *_) if name not in self.hidden:
                return self.summaries.kernel(self.module, name)
            case ("item", ("api", str(path)), *_):
                found = self.summaries.checkout.path(path)
                return self.summaries.kernel(found.module, found.node.name) if found else None
        return None

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
            if not several and not followed and _parameter(values[0]) in nullable(self.scope):
                kinds[name] = "object"
        for name, default in bound.defaults.items():
            kinds[name] = _default(default)
        return self.summaries.of(found, tuple(sorted(kinds.items(), key=lambda item: item[0])), within)

    def _method(self, asked: Asked, within: Class) -> Outcome | None:
        every = implementations(self.summaries.checkout, within, asked.attr)
        if not every or self.module.exchanged:
            return None
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
            outcomes.append((one.name, told(summary, bound, one.found)))
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


def _default(node: ast.expr) -> Kind:
    match node:
        case ast.Constant(value=None):
            return Value("None", name="None")
        case ast.Constant(value=bool() as truth):
            return Value(("bool", truth), name=str(truth))
        case ast.Constant(value=int() as count):
            return number(count, str(count))
        case ast.Constant(value=str() as text):
            return constant_of(Value(("const", "str", repr(text)))) or "object"
    return "object"


def told(summary: Summary, bound: Bound, found: Found) -> Outcome:
    """A summary as what one call does to its arguments."""
    effects: dict[Place, Effect] = {}
    for name, keys in bound.given.items():
        made = summary.effects.get(name, UNSEEN)
        made = replace(made, returned=made.returned and made == UNSEEN or name in summary.returned)
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
    )


def _packed(made: Effect) -> Effect:
    """Of one of several arguments that the callee has as one."""
    writes = made.touches or made.writes is not None
    return replace(made, reads=None if made.reads is None else ALL, writes=None, touches=writes)


def summaries_of(file: Path | None, name: str, run: str | None, contracts: Contracts) -> Summaries:
    """Those of the checkout around a file. In one `run` nothing is read twice."""
    if file is None:
        return Summaries(Checkout(), contracts=contracts)
    around = checkout_of(file, name)
    made = Summaries(around) if run is None else _shared(run, around.root, around.base, around.top)
    made.checkout.looked.clear()
    made.contracts = contracts
    return made


@lru_cache(maxsize=8)
def _shared(run: str, root: Path, base: Path, top: Path | None) -> Summaries:
    return Summaries(Checkout(root, base, top))
