"""Launches of kernels, `kernel[grid](..)`: what the host function knows about the grid and the arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from codemods.core.effect import Effect, Outcome
from codemods.core.launch import (
    Argument,
    Constant,
    Launch,
    Number,
    Stride,
    Tensor,
    Unknown,
    cdiv,
    maximum,
    meta,
    minimum,
    next_power_of_2,
)
from codemods.core.region import ALL
from codemods.core.size import Atom, Size, alone, as_size
from codemods.core.syntax import walk
from codemods.read.births import Given
from codemods.read.bundle import contradicted
from codemods.read.counts import every, products
from codemods.read.graph import arguments_of
from codemods.read.launch import outcome
from codemods.read.modules import KernelSource
from codemods.read.outcomes import Asked, Key
from codemods.read.partials import Partials
from codemods.read.shapes import prod
from codemods.read.triton import resolve
from codemods.read.values import IDENTITY, Ref, Value, number, tracked
from codemods.read.views import NIL

TABLES = frozenset("locals vars globals eval exec".split())


class Launches(Partials):
    def launched(self, given: Given, holder: Value) -> Value | None:
        """The result of a launch; None where the kernel is not known, or nothing is to be gained."""
        node = given.node
        if self.callees is None or not isinstance(node.func, ast.Subscript) or given.starred:
            return None
        given = self.opened(given) if given.spread else given
        if given.spread:
            return None
        arguments: dict[Key, Value] = dict(enumerate(given.values))
        arguments.update(given.named.items())
        ours = frozenset(key for key, value in arguments.items() if self.followed(value))
        source = self.callees.kernel(holder) if ours and not tracked(holder) else None
        if source is None:
            return None
        grid = None if _binds(node) else self.grid(node.func.slice)
        launch = Launch(
            grid,
            tuple(map(self.passed, given.values)),
            tuple((name, self.passed(value)) for name, value in given.named.items()),
            frozenset(atom for size in self.state.positive if (atom := _one_of(size)) is not None),
            tuple(self.multiples()),
        )
        launch = self.with_products(launch)
        name = source.function.name
        found = self.outcome_of(source, launch, node)
        effects = {key: _in_words(effect, name) for key, effect in found.effects.items()}
        assumes = tuple(sorted({*found.assumes, *self.trusted}))
        quiet = found.quiet and grid is not None and None not in grid  # what is not understood may run code
        found = replace(found, effects=effects, assumes=assumes, quiet=quiet)
        if self.together(arguments, found) is not None:
            return None
        whole: dict[Key, dict[Ref, str]] = {}
        for key in ours:
            alone = self.each(source, of_tensor(launch, arguments, key), node, key, arguments[key], found)
            whole[key] = {ref: _in_words(one, name).told for ref, one in alone.items() if one.writes == ALL}
            if alone and not whole[key]:
                effects[key] = replace(effects[key], missing=min(one.missing for one in alone.values()))
        return self.applied(Asked(node, holder, "", arguments, False, ours, whole=whole), found, name)

    def opened(self, given: Given) -> Given:
        """`**config` of a dict that is written out, and only ever given to calls in this way."""
        (spread, *more) = [word.value for word in given.node.keywords if word.arg is None]
        held = given.named["**"].entries
        if more or held is None or not (isinstance(spread, ast.Dict) or self.only_given(spread)):
            return given
        named = {name: value for name, value in given.named.items() if name != "**"}
        return Given(given.node, given.values, named | dict(held), given.starred, False)

    def only_given(self, node: ast.expr) -> bool:
        """A name of this function that stands nowhere but behind `**`: nobody can change what it holds."""
        name = node.id if isinstance(node, ast.Name) else ""
        if name not in self.graph.locals or name in self.graph.shared or name in self.state.closed:
            return False
        every = [instr for block in self.graph.blocks for instr in block.instrs]
        calls = [instr.node for instr in every if isinstance(instr.node, ast.Call)]
        if any(isinstance(instr.data, frozenset) and name in instr.data for instr in every if instr.op == "closure"):
            return False
        if any(instr.op == "load" and instr.data in TABLES for instr in every):
            return False
        behind = {word.value for call in calls for word in call.keywords if word.arg is None}
        made = [instr.dest for instr in every if instr.op == "dict"]
        kept = [instr.args[0] for instr in every if instr.op == "store" and instr.data == name]
        used = [slot for instr in every for slot in instr.args]
        if any(slot not in made or used.count(slot) > 1 for slot in kept):
            return False  # it has another name, too
        return all(instr.node in behind for instr in every if instr.op == "load" and instr.data == name)

    def each(
        self, source: KernelSource, launch: Launch, node: ast.Call, key: Key, value: Value, found: Outcome
    ) -> Mapping[Ref, Effect]:
        """What the launch does to an argument that is one of several tensors, for each that was allocated here."""
        effect, several = found.effects.get(key), len(value.refs) > 1 or not value.tensor
        if not several or not (value.tensor or value.exact) or effect is None or effect.keeps or not effect.touches:
            return {}
        alone: dict[Ref, Effect] = {}
        for ref in value.refs:
            if ref.buffer in self.packed:
                for passed in self.one_of(value, ref):
                    told = self.with_products(with_argument(launch, key, passed))
                    alone[ref] = self.outcome_of(source, told, node).effects[key]
                    if alone[ref].writes == ALL:
                        break
        return alone

    def one_of(self, value: Value, ref: Ref) -> Iterator[Argument]:
        """An argument that is one of several tensors, where it is this one: by what is known of this one, and by the
        extents that the function asks the several for, which are this one's then."""
        single = value.but(refs=frozenset({ref}), tensor=True)
        passed = self.passed(single)
        yield passed
        if isinstance(passed, Tensor) and passed.count is not None:
            rank = self.rank_of(value.ident, self.state.layout)
            rank = self.rank(single, self.state.layout) if rank is None else rank
            sizes = [self.number(self.dimension(value, place)) for place in range(rank or 0)]
            count = prod(sizes) if sizes else self.number(self.numel(value))
            yield replace(passed, shape=None, count=self.settle(count))

    def outcome_of(self, source: KernelSource, launch: Launch, node: ast.Call) -> Outcome:
        """Each launch is looked into once: the search for a fixed point asks again and again."""
        every = (*launch.arguments, *(value for _, value in launch.keywords))
        kinds = tuple(type(value.value) for value in every if isinstance(value, Constant))  # True is equal to 1.0
        asked = (source.function, launch, kinds)
        if asked not in self.launches:
            self.launches[asked] = outcome(source, launch)
            for effect in self.launches[asked].effects.values():
                if effect.contradiction is not None and self.callees is not None:
                    self.callees.contradicted(contradicted(effect.contradiction, source, launch, node))
        return self.launches[asked]

    def with_products(self, launch: Launch) -> Launch:
        found = dict(products(launch.sizes, self.rank_of))
        return replace(launch, products=tuple((atom, self.told_by(size, found)) for atom, size in found.items()))

    def told_by(self, size: Size, others: Mapping[Atom, Size]) -> Size:
        """A product in the terms that hold here, as long as it is not told by another product, or itself."""
        settled = self.settle(size)
        return size if others.keys() & set(every(settled)) else settled

    # what tests and asserts in front of the launch say

    def multiples(self) -> Iterator[tuple[Atom, Size]]:
        """Behind `assert n % by == 0`."""
        for atom, value in self.state.equal.items():
            match atom.key:
                case ("Mod", Size() as one, Size() as by) if value.constant == 0:
                    whole = alone(one)
                    if whole is not None and whole not in by.atoms and not any(map(_made, by.atoms)):
                        yield whole, by

    # arguments

    def passed(self, value: Value) -> Argument:
        name = value.name
        if value == NIL:
            return Constant(None)
        match value.ident:
            case ("bool", bool() as truth):
                return Constant(truth)
            case ("const", "str" | "float", str() as text):
                constant = ast.literal_eval(text)
                return Constant(constant) if isinstance(constant, str | float) else Unknown(name)
        if value.api is not None and value.api.startswith("triton.language."):
            return Constant("." + value.api.rpartition(".")[2])
        if value.size is not None:
            return _stride(value.size) or Number(self.settle(value.size))
        if not value.tensor:
            return Unknown(name)
        shape = self.shape_of(value)
        if shape is None:
            items = self.shape(value).items
            known = [item.size for item in items or () if item.size is not None]
            shape = tuple(known) if items is not None and len(known) == len(items) else None
        sizes = None if shape is None else tuple(map(self.settle, shape))
        count = self.count_of(value)
        count = None if count is None else self.settle(count)
        dense = sizes is not None and len(value.refs) == 1 and all(ref.dense for ref in value.refs)
        return Tensor(value.ident, sizes, None, dense, name, count)

    # the grid

    def grid(self, node: ast.expr) -> tuple[Size | None, ...] | None:
        match node:
            case ast.Name(id=name):
                return self.grid_of(self.named(name))
            case ast.Lambda():
                return self.asked_grid(node)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) if not any(isinstance(p, ast.Starred) for p in parts):
                return tuple(self.entry_of(part, "") for part in parts)
        size = self.entry_of(node, "")
        return None if size is None else (size,)

    def named(self, name: str) -> Value | None:
        """None for a name that other scopes may bind, too."""
        return None if name in self.graph.shared else self.state.names.get(name)

    def grid_of(self, value: Value | None) -> tuple[Size | None, ...] | None:
        if value is None:
            return None
        match value.ident:
            case ("lambda", _, ast.Lambda() as node):
                return self.asked_grid(node)
        if value.items is not None and value.name in ("tuple", "list"):
            return tuple(item.size for item in value.items)
        return None if value.size is None else (value.size,)

    def asked_grid(self, node: ast.Lambda) -> tuple[Size | None, ...] | None:
        """A grid that is a function of the constexpr parameters; its names are looked up at the launch."""
        names = [argument.arg for argument in arguments_of(node.args)]
        if len(names) != 1 or node.args.vararg or node.args.kwarg or node.args.defaults:
            return None
        if isinstance(node.body, ast.Tuple) and not any(isinstance(part, ast.Starred) for part in node.body.elts):
            return tuple(self.entry_of(part, names[0]) for part in node.body.elts)
        return None

    def entry_of(self, node: ast.expr, metas: str) -> Size | None:
        """A number in the grid, None where it is not understood."""
        match node:
            case ast.Constant(value=int() as count) if not isinstance(count, bool):
                return as_size(count)
            case ast.Name(id=name) if name != metas and (value := self.named(name)) is not None:
                return None if value.size is None else self.settle(value.size)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))) if metas and name == metas:
                return meta(key)
            case ast.BinOp(left=left, op=op, right=right):
                return self.combined_sizes(type(op).__name__, self.entry_of(left, metas), self.entry_of(right, metas))
            case ast.Call(func=callee, args=[first, second], keywords=[]):
                make = _maths(self.called(callee))
                one, two = self.entry_of(first, metas), self.entry_of(second, metas)
                return None if make is None or one is None or two is None else make(one, two)
            case ast.Call(func=callee, args=[first], keywords=[]) if self.called(callee) == "triton.next_power_of_2":
                size = self.entry_of(first, metas)
                return None if size is None else next_power_of_2(size)
        return self.extent_in(node, metas)

    def combined_sizes(self, op: str, left: Size | None, right: Size | None) -> Size | None:
        return None if left is None or right is None else self.arithmetic(op, left, right, "a size").size

    def arithmetic(self, op: str, left: Size, right: Size, name: str) -> Value:
        raise NotImplementedError

    def called(self, callee: ast.expr) -> str:
        path, trusted = resolve(callee, self.names, self.graph.locals)
        self.trusted |= {trusted} - {""}
        return path

    def extent_in(self, node: ast.expr, metas: str) -> Size | None:
        """`x.shape[i]`, `x.numel()`, `x.size(i)` and `len(x)` of a tensor under a name."""
        place: ast.expr | None = None
        match node:
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=index):
                place = index
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="size"), args=[index], keywords=[]):
                place = index
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="numel"), args=[], keywords=[]):
                pass
            case _:
                return None
        value = self.named(name)
        own = {"shape", "size", "numel"} & (self.names.methods | self.names.changing)
        if value is None or name == metas or not value.tensor or own:
            return None
        if place is None:
            return self.numel(value).size
        at = _negative(place) if isinstance(place, ast.UnaryOp) else self.entry_of(place, "")
        constant = None if at is None else at.constant
        return None if constant is None else self.dimension(value, constant).size

    def computed(self, given: Given) -> Value | None:
        """`triton.cdiv(..)` and `triton.next_power_of_2(..)` of numbers."""
        sizes = [value.size for value in given.values]
        if given.named or given.starred or any(size is None for size in sizes):
            return None
        match self.called(given.node.func), [self.settle(size) for size in sizes if size is not None]:
            case "triton.cdiv", [one, other]:
                return number(cdiv(one, other), f"cdiv({one}, {other})")
            case "triton.next_power_of_2", [one]:
                return number(next_power_of_2(one), f"next_power_of_2({one})")
        return None


def _binds(node: ast.Call) -> bool:
    """Its arguments bind names anew: the grid was made before that."""
    return any(isinstance(part, ast.NamedExpr) for given in (*node.args, *node.keywords) for part in walk(given))


def _one_of(size: Size) -> Atom | None:
    """The number that is more than 0 where `size`, itself less a constant, is; not one that was computed."""
    hidden = [(monomial, factor) for monomial, factor in size.terms if monomial]
    less = sum(factor for monomial, factor in size.terms if not monomial)
    if less > 0 or len(hidden) != 1 or len(hidden[0][0]) != 1 or hidden[0][1] <= 0:
        return None
    atom = hidden[0][0][0]
    return None if _made(atom) else atom


def _made(atom: Atom) -> bool:
    """It was computed from other numbers."""
    return isinstance(atom.key, tuple) and any(isinstance(part, Size) for part in atom.key)


def _negative(node: ast.UnaryOp) -> Size | None:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as count)):
            return as_size(-count)
    return None


def of_tensor(launch: Launch, arguments: Mapping[Key, Value], key: Key) -> Launch:
    """Where the argument is a tensor, it is not None: what other arguments say about that is known."""
    for other, value in arguments.items():
        match value.ident:
            case (tag, op, ident) if tag == IDENTITY and ident == arguments[key].ident:
                launch = with_argument(launch, other, Constant(op == "IsNot"))
    return launch


def with_argument(launch: Launch, key: Key, argument: Argument) -> Launch:
    """The launch with another argument at a place, or under a keyword."""
    if isinstance(key, int):
        return replace(launch, arguments=(*launch.arguments[:key], argument, *launch.arguments[key + 1 :]))
    words = tuple((name, argument if name == key else other) for name, other in launch.keywords)
    return replace(launch, keywords=words)


def _stride(size: Size) -> Stride | None:
    """A number that is a stride of a tensor."""
    if len(size.terms) == 1 and len(size.terms[0][0]) == 1 and size.terms[0][1] == 1:
        match size.terms[0][0][0].key:
            case ("stride", of, Size() as place, _) if place.constant is not None:
                return Stride(of, place.constant)
    return None


def _in_words(effect: Effect, name: str) -> Effect:
    """Without the name of the kernel in front."""
    return replace(effect, told=effect.told.removeprefix(f"{name} ").removeprefix(f"{name}: "))


def _maths(name: str) -> Callable[[Size, Size], Size] | None:
    match name:
        case "triton.cdiv":
            return cdiv
        case "builtins.min":
            return minimum
        case "builtins.max":
            return maximum
    return None
