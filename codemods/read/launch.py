"""A launch of a kernel -> what it does to the memory of its arguments.

`outcome(source, launch)` is the entry: the kernel as `codemods.read.modules.kernel` finds it, and the launch as plain
data. The result has the effect on each argument, by its place in the call or its keyword.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from codemods.core.access import Trace
from codemods.core.condition import FALSE, TRUE
from codemods.core.effect import Effect, Outcome
from codemods.core.launch import Argument, Constant, Launch, Number, Stride, Tensor, Unknown
from codemods.core.poly import BUILD, ONE, ZERO, Atom, Poly, named, poly, pow2
from codemods.core.region import ALL
from codemods.core.size import Atom as SizeAtom
from codemods.core.size import Size, as_size, variable
from codemods.core.syntax import walk
from codemods.cover.bounds import Facts
from codemods.cover.effect import Memory, effect
from codemods.read.heuristics import Heuristics, heuristics
from codemods.read.lanes import NOTHING, Code, Num, Plain, Pointer, Truth, Value
from codemods.read.language import Calls
from codemods.read.modules import KernelSource
from codemods.read.trace import Frame, NotUnderstood, State
from codemods.read.triton import LANGUAGE, resolve

OPTIONS = frozenset(
    "num_warps num_stages num_ctas maxnreg enable_fp_fusion waves_per_eu matrix_instr_nonkdim kpack extra_options "
    "num_buffers_warp_spec num_consumer_groups reg_dec_producer reg_inc_consumer launch_cooperative_grid launch_pdl "
    "allow_flush_denorm max_num_imprecise_acc".split()
)
Place = int | str


@dataclass(slots=True)
class Sizes:
    """Sizes of the host as polynomials, and back. `metas`: what `META[..]` stands for."""

    metas: Mapping[str, Poly]
    positive: frozenset[Atom] = frozenset()
    multiples: Mapping[SizeAtom, Size] = field(default_factory=dict)
    products: Mapping[SizeAtom, Size] = field(default_factory=dict)
    atoms: dict[Atom, SizeAtom] = field(default_factory=dict)
    texts: dict[object, str] = field(default_factory=dict)

    def poly(self, size: Size) -> Poly:
        total = ZERO
        for monomial, factor in size.terms:
            product = poly(factor)
            for atom in monomial:
                product = product * self.atom(atom)
            total = total + product
        return total

    def atom(self, atom: SizeAtom) -> Poly:
        match atom.key:
            case ("Meta", str(name)) if name in self.metas:
                return self.metas[name]
            case ("FloorDiv", Size() as one, Size() as two):
                return self.whole("div", one, two, atom)
            case ("Mod", Size() as one, Size() as two):
                return self.whole("mod", one, two, atom)
            case ("Cdiv", Size() as one, Size() as two):
                return self.whole("cdiv", one, two, atom)
            case ("Min" | "Max" as kind, Size() as one, Size() as two):
                return BUILD[kind.lower()](self.poly(one), self.poly(two))
            case ("PowerOf2", Size() as one):
                return pow2(self.poly(one))
        return self.plain(atom)

    def whole(self, kind: str, one: Size, two: Size, atom: SizeAtom) -> Poly:
        """A division that the host did: its divisor is not 0; where it may be negative, nothing is known."""
        by = self.poly(two)
        return BUILD[kind](self.poly(one), by) if by.natural else self.plain(atom)

    def plain(self, atom: SizeAtom) -> Poly:
        if atom in self.products:
            return self.poly(self.products[atom])
        by = self.multiples.get(atom)
        if by is not None and not by.atoms & self.multiples.keys() and self.poly(by).natural:
            share = SizeAtom(f"{atom.name} // {by}", ("FloorDiv", variable(atom), by), atom.natural)
            quotient = self.named(("size", share.key), share.name, atom.natural)
            self.atoms[quotient] = share
            return self.poly(by) * poly(quotient)
        result = self.named(("size", atom.key), atom.name, atom.natural)
        self.atoms[result] = atom
        return poly(result)

    def named(self, key: object, name: str, natural: bool) -> Atom:
        """An unknown for a key, with a name that no other key has."""
        if key not in self.texts:
            taken = set(self.texts.values())
            self.texts[key] = name if name not in taken else f"{name} ({len(taken)})"
        text = self.texts[key]
        return Atom("size", (), natural or any(atom.text == text for atom in self.positive), text)

    def size(self, value: Poly) -> Size | None:
        """Back to a size, where the host has names for all of it."""
        total = as_size(0)
        for monomial, factor in value.terms.items():
            product = as_size(factor)
            for atom in monomial:
                if atom not in self.atoms:
                    return None
                product = product * variable(self.atoms[atom])
            total = total + product
        return total


@dataclass(frozen=True, slots=True)
class Bound:
    """The arguments of a launch by parameter, and where each stands in the call."""

    given: dict[str, Argument]
    places: dict[Place, str]


def outcome(source: KernelSource, launch: Launch) -> Outcome:
    """What a launch does to each of its arguments."""
    places: list[Place] = [*range(len(launch.arguments)), *(name for name, _ in launch.keywords)]
    name = source.function.name
    chosen = heuristics(source)
    hooks = unseen_hooks(source) or chosen.unseen
    bound = bind(source, launch, chosen)
    if hooks or isinstance(bound, str):
        told = f"{name} is not understood: {hooks or bound} ({source.module.path}:{source.function.lineno})"
        return Outcome(dict.fromkeys(places, Effect(keeps="unseen", told=told, missing=told)))
    sizes, trace = traced(source, launch, bound)
    restored, reset = tuned(source)
    effects: dict[Place, Effect] = {}
    for place, parameter in bound.places.items():
        memory = memory_of(parameter, bound, sizes)
        found = effect(trace, memory, name, source.module.path, source.function.lineno)
        if parameter in restored | reset:
            told = f"{name} restores or resets it while it is tuned ({source.module.path}:{source.function.lineno})"
            found = Effect(told=told, missing=told)
        if parameter in chosen.looked and memory is not None:
            told = f"a heuristic of {name} looks at it ({source.module.path}:{source.function.lineno})"
            found = replace(found, reads=ALL, told=told)
        effects[place] = found
    for place in places:
        effects.setdefault(place, Effect(reads=None, touches=False))  # an option of the launch
    quiet = not trace.unseen and all(access.bases is not None for access in trace.accesses)
    return Outcome(effects, quiet, assumes=trace.assumes)


def bind(source: KernelSource, launch: Launch, chosen_by: Heuristics) -> Bound | str:
    """Arguments to parameters; a text says why that cannot be told."""
    listed = source.function.args
    if listed.vararg or listed.kwarg or listed.kwonlyargs or listed.posonlyargs:
        return "its parameters"
    names = [argument.arg for argument in listed.args]
    if len(launch.arguments) > len(names):
        return "too many arguments"
    places: dict[Place, str] = dict(zip(range(len(launch.arguments)), names, strict=False))
    given = dict(zip(names, launch.arguments, strict=False))
    if again := chosen_by.names & given.keys():
        return f"the argument {min(again)} twice"
    for word, argument in launch.keywords:
        if word in given:
            return f"the argument {word} twice"
        if word in chosen_by.names:
            continue  # what is passed goes to the heuristics only
        if word in names:
            given[word], places[word] = argument, word
        elif word not in OPTIONS:
            return f"the argument {word}"
    chosen = chosen_names(source)
    for name, default in zip(names[len(names) - len(listed.defaults) :], listed.defaults, strict=True):
        if name not in given:
            match default:
                case ast.Constant(value=value) if chosen is None or name in chosen:
                    if not isinstance(value, int) or isinstance(value, bool):
                        given[name] = Unknown(name)
                case ast.Constant(value=int() | float() | str() | None as value):
                    given[name] = Constant(value)
                case _:
                    given[name] = Unknown(name)
    return Bound(given, places)


def chosen_names(source: KernelSource) -> frozenset[str] | None:
    """Parameters that tuning or heuristics may set, whatever their default; None: any."""
    found: set[str] = set()
    for call in source.around:
        for node in walk(call):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.Name) and node.id not in source.module.names.apis:
                return None
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
    return frozenset(found)


def symbols(source: KernelSource, bound: Bound, sizes: Sizes) -> dict[str, Poly]:
    """What `META[..]` is for each parameter: the number that was passed, or one that tuning chooses."""
    found = {}
    for argument in source.function.args.args:
        name = argument.arg
        match bound.given.get(name):
            case Number(size):
                found[name] = sizes.poly(size)
            case Constant(bool() | int() as number):
                found[name] = poly(int(number))
            case _:
                found[name] = poly(sizes.named(("meta", name), f'META["{name}"]', False))
    return found


# --- what is around the kernel


def unseen_hooks(source: KernelSource) -> str:
    """Code of the host that a launch may run besides the kernel."""
    if source.module.hooked:
        return "a hook of the file"
    for call in source.around:
        for word in call.keywords:
            if word.arg in ("pre_hook", "post_hook", "prune_configs_by", "do_bench", None):
                return f"{word.arg or '**'} of autotune"
            if word.arg == "configs" and not _plain_configs(word.value, source):
                return "the configurations of autotune"
        listed = call.args if resolve(call.func, source.module.names)[0] == "triton.autotune" else []
        if len(listed) > 2 or listed and not _plain_configs(listed[0], source):
            return "the configurations of autotune"
    return ""


def _plain_configs(node: ast.expr, source: KernelSource) -> bool:
    """Configurations that are made in this file, which mentions no hook."""
    if source.module.hooks:
        return False
    names = source.module.names
    for inner in walk(node):
        if isinstance(inner, ast.Call):
            path, _ = resolve(inner.func, names)
            made = isinstance(inner.func, ast.Name) and inner.func.id in source.module.functions
            if path not in ("triton.Config", "builtins.range", "builtins.dict") and not made:
                return False
        elif isinstance(inner, ast.Starred):
            return False
    return not isinstance(node, ast.Name) or node.id in source.module.names.bound and node.id not in names.apis


def tuned(source: KernelSource) -> tuple[set[str], set[str]]:
    """Parameters that tuning restores, and those that it resets; an unreadable list names all."""
    found: dict[str, set[str]] = {"restore_value": set(), "reset_to_zero": set()}
    for call in source.around:
        for word in call.keywords:
            if word.arg in found:
                match word.value:
                    case ast.List(elts=parts) | ast.Tuple(elts=parts) if all(
                        isinstance(p, ast.Constant) for p in parts
                    ):
                        found[word.arg] |= {str(part.value) for part in parts if isinstance(part, ast.Constant)}
                    case ast.Constant(value=None):
                        pass
                    case _:
                        found[word.arg] |= {argument.arg for argument in source.function.args.args}
    return found["restore_value"], found["reset_to_zero"]


# --- the trace


def traced(source: KernelSource, launch: Launch, bound: Bound) -> tuple[Sizes, Trace]:
    """Trace the kernel, and once more where the first look has shown numbers to be positive."""
    reader = Calls()
    sizes, trace, lacking = _traced(reader, source, launch, bound, frozenset())
    if trace.positive and (lacking or not all(atom.natural for atom in trace.positive)):
        sizes, trace, _ = _traced(reader, source, launch, bound, trace.positive)
    return sizes, trace


def _traced(
    reader: Calls, source: KernelSource, launch: Launch, bound: Bound, positive: frozenset[Atom]
) -> tuple[Sizes, Trace, bool]:
    multiples, products = dict(launch.multiples), dict(launch.products)
    metas = symbols(source, bound, Sizes({}, positive, multiples, products))
    sizes = Sizes(metas, positive, multiples, products)
    known = positive | {atom for size in launch.positive for atom in sizes.atom(size).atoms}
    env = {argument.arg: _value(argument.arg, bound, sizes) for argument in source.function.args.args}
    state = State(Frame(source.module, env), _grid(launch, sizes), Facts(known))
    reader.state = state
    try:
        reader.run(source.function.body)
    except NotUnderstood as reason:
        return sizes, Trace(grid=state.grid, unseen=str(reason), positive=known, assumes=source.assumes), False
    assumes = tuple(sorted({*source.assumes, *state.assumes}))
    trace = Trace(tuple(state.accesses), state.grid, known | state.positive, assumes=assumes)
    return sizes, trace, state.lacking


def _grid(launch: Launch, sizes: Sizes) -> tuple[Poly, ...]:
    if launch.grid is None:
        return tuple(named(f"the grid's entry {axis}", natural=True, kind="any") for axis in range(3))
    entries = [
        named(f"the grid's entry {axis}", natural=True, kind="any") if size is None else sizes.poly(size)
        for axis, size in enumerate(launch.grid[:3])
    ]
    return (*entries, *(ONE for _ in range(3 - len(entries))))


def _value(name: str, bound: Bound, sizes: Sizes) -> Value:
    match bound.given.get(name):
        case Tensor():
            return Pointer(frozenset({name}), ZERO)
        case Number(size):
            return Num(sizes.poly(size))
        case Constant(bool() as flag):
            return Truth(TRUE if flag else FALSE)
        case Constant(int() as number):
            return Num(poly(number))
        case Constant(None):
            return NOTHING
        case Constant(str() as name) if name.startswith("."):
            return Code(None, None, f"{LANGUAGE}{name[1:]}")
        case Constant(value):
            return Plain(value)
        case Stride(of, dimension):
            return Num(_stride(of, dimension, bound, sizes))
        case Unknown():
            return Pointer(frozenset({name}), ZERO, maybe=True)
    return Num(sizes.metas[name])


def _stride(of: object, dimension: int, bound: Bound, sizes: Sizes) -> Poly:
    for argument in bound.given.values():
        if isinstance(argument, Tensor) and argument.key == of:
            strides = strides_of(argument, sizes)
            if strides is not None and -len(strides) <= dimension < len(strides):
                return strides[dimension]
    names = [one.name for one in bound.given.values() if isinstance(one, Tensor) and one.key == of and one.name]
    return poly(sizes.named(("stride", of, dimension), f"stride {dimension} of {(*names, of)[0]}", False))


def strides_of(tensor: Tensor, sizes: Sizes) -> tuple[Poly, ...] | None:
    """In elements; of a tensor of which only the shape is known they are unknowns."""
    if tensor.strides is not None:
        return tuple(map(sizes.poly, tensor.strides))
    if tensor.shape is None:
        return None
    if not tensor.contiguous:
        label = tensor.name or str(tensor.key)
        keys = [(("stride", tensor.key, axis), f"stride {axis} of {label}") for axis in range(len(tensor.shape))]
        return tuple(poly(sizes.named(key, text, True)) for key, text in keys)
    strides, step = [], ONE
    for extent in reversed(tensor.shape):
        strides.append(step)
        step = step * sizes.poly(extent)
    return tuple(reversed(strides))


def memory_of(parameter: str, bound: Bound, sizes: Sizes) -> Memory | None:
    match bound.given[parameter]:
        case Tensor() as tensor:
            shape = None if tensor.shape is None else tuple(map(sizes.poly, tensor.shape))
            count = None if tensor.count is None else sizes.poly(tensor.count)
            return Memory(parameter, shape, strides_of(tensor, sizes), sizes.size, count)
        case Unknown():
            return Memory(parameter, None, None, sizes.size)
    return None
