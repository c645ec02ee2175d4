"""Runs a kernel, one program after the other, on numbers: what Triton means, with numpy, and nothing of the proofs.

Python itself runs the body; `tl` is a stand-in. Numbers that are known when the kernel runs divide as the machine
does, those that the compiler knows divide as Python does.
"""

from __future__ import annotations

import ast
import copy
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, SimpleNamespace
from typing import Any

import numpy as np
from kernel_pages import Page

SIZES = (1, 2, 3, 4, 5, 6, 7)


class Impossible(Exception):
    """Such a launch does not compile, or is of no use to the test."""


class Num:
    """A tensor or a scalar of a running program."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __index__(self) -> int:
        return int(self.value)

    def __getitem__(self, index: Any) -> Num:
        return Num(self.value[index])

    def to(self, dtype: Any) -> Num:
        return Num(self.value.astype(float)) if "float" in str(dtype) else self

    dtype = "int"


def raw(value: Any) -> Any:
    return value.value if isinstance(value, Num) else value


def _binary(name: str, work: Callable[[Any, Any], Any]) -> None:
    def forward(self: Num, other: Any) -> Any:
        return NotImplemented if isinstance(other, Pointer) else Num(work(self.value, raw(other)))

    def backward(self: Num, other: Any) -> Any:
        return NotImplemented if isinstance(other, Pointer) else Num(work(raw(other), self.value))

    setattr(Num, f"__{name}__", forward)
    setattr(Num, f"__r{name}__", backward)


def whole(one: Any, two: Any) -> Any:
    one, two = np.asarray(one), np.asarray(two)
    if not np.all(two):
        raise Impossible("a division by 0")
    return np.where((one < 0) == (two < 0), abs(one) // abs(two), -(abs(one) // abs(two)))


def _divided(one: Any, two: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(one, float) / np.asarray(two, float)


for _name, _work in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "floordiv": whole, "truediv": _divided,
    "mod": lambda one, two: one - two * whole(one, two), "and": np.bitwise_and, "or": np.bitwise_or,
    "lshift": np.left_shift, "rshift": np.right_shift,
}.items():  # fmt: skip
    _binary(_name, _work)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Num, f"__{_name}__", lambda self, other, _name=_name: Num(getattr(self.value, f"__{_name}__")(raw(other))))
Num.__neg__ = lambda self: Num(-self.value)  # type: ignore[attr-defined]
Num.__invert__ = lambda self: Num(~self.value)  # type: ignore[attr-defined]
Num.__hash__ = None  # type: ignore[assignment]


@dataclass
class Memory:
    """A tensor's storage, and what was done to it. `seen`: loaded by a program that had not stored it before."""

    places: dict[int, int]  # address -> index of the element, in row-major order
    values: dict[int, Any]
    written: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    mine: set[int] = field(default_factory=set)
    budget: int = 1_000  # how often it may be loaded: a loop may not end


@dataclass(frozen=True)
class Pointer:
    memory: Memory
    offset: Any = 0

    def __add__(self, other: Any) -> Pointer:
        return Pointer(self.memory, self.offset + np.asarray(raw(other)))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Pointer:
        return Pointer(self.memory, self.offset - np.asarray(raw(other)))

    dtype = SimpleNamespace(element_ty="float32")


@dataclass(frozen=True)
class Tile:
    pointer: Pointer
    shape: list[Any]
    strides: list[Any]
    offsets: list[Any]
    block: list[Any]

    def store(self, offsets: list[Any], value: Any) -> None:
        store(Tile(self.pointer, self.shape, self.strides, offsets, self.block), value, range(len(self.block)))

    def unrolled(self, checked: Any) -> tuple[Pointer, Any]:
        total: Any = 0
        inside: Any = np.asarray(True)
        for axis, (extent, stride, offset, size) in enumerate(
            zip(self.shape, self.strides, self.offsets, self.block, strict=True)
        ):
            index = np.arange(raw(size)).reshape([-1 if other == axis else 1 for other in range(len(self.block))])
            index = index + raw(offset)
            total = total + index * raw(stride)
            if axis in tuple(checked or ()):
                inside = inside & (index >= 0) & (index < raw(extent))
        return self.pointer + total, inside


def lanes(pointer: Any, mask: Any) -> Iterator[tuple[tuple[int, ...], int, bool]]:
    offset, test = np.broadcast_arrays(np.asarray(pointer.offset), np.asarray(True if mask is None else raw(mask)))
    for place in np.ndindex(offset.shape):
        yield place, int(offset[place]), bool(test[place])


def load(pointer: Any, mask: Any = None, other: Any = None, boundary_check: Any = None) -> Num:
    if isinstance(pointer, Tile):
        pointer, mask = pointer.unrolled(boundary_check)
    shape = np.broadcast_shapes(np.shape(pointer.offset), np.shape(raw(mask)))
    result = np.zeros(shape)
    memory = pointer.memory
    memory.budget -= 1
    if memory.budget < 0:
        raise Impossible("it does not end")
    for place, address, on in lanes(pointer, mask):
        if on and address in memory.places:
            if address not in memory.mine:
                memory.seen.add(memory.places[address])
            result[place] = memory.values[address]
    return Num(result.astype(int))


def store(pointer: Any, value: Any, mask: Any = None, boundary_check: Any = None) -> None:
    if isinstance(pointer, Tile):
        pointer, mask = pointer.unrolled(boundary_check)
    memory = pointer.memory
    for _, address, on in lanes(pointer, mask):
        if on and address in memory.places:
            memory.written.add(memory.places[address])
            memory.mine.add(address)
            memory.values[address] = random.randrange(-2, 5)


def atomic_add(pointer: Any, value: Any, mask: Any = None) -> Num:
    found = load(pointer, mask)
    for _, address, on in lanes(pointer, mask):
        if on and address in pointer.memory.places:
            pointer.memory.written.add(pointer.memory.places[address])
    return found


def arange(start: int, end: int) -> Num:
    length = int(end) - int(start)
    if isinstance(start, Num) or isinstance(end, Num) or length < 1 or length & (length - 1):
        raise Impossible("the length of an arange")
    return Num(np.arange(int(start), int(end)))


def cdiv(value: Any, by: Any) -> Any:
    return (value + by - 1) // by


def next_power_of_2(value: int) -> int:
    return 1 << (value - 1).bit_length() if value > 0 else 0


def language(place: dict[int, int], grid: list[int]) -> SimpleNamespace:
    def unary(work: Any) -> Callable[..., Num]:
        return lambda value, *_, **__: Num(work(np.asarray(raw(value), float)))

    def program_id(axis: int) -> Num:
        return Num(place[axis])

    def total(value: Any, axis: Any = None) -> Num:
        return Num(np.sum(raw(value), axis=axis))

    names: dict[str, Any] = {
        "program_id": program_id, "num_programs": lambda axis: Num(grid[axis]), "load": load, "store": store,
        "atomic_add": atomic_add, "arange": arange, "cdiv": cdiv, "range": range, "static_range": range, "sum": total,
        "max": lambda value, axis=None: Num(np.max(raw(value), axis=axis)), "constexpr": lambda value: value,
        "zeros": lambda shape, dtype=None: Num(np.zeros(shape)), "cumsum": lambda value: Num(np.cumsum(raw(value))),
        "minimum": lambda one, two: Num(np.minimum(raw(one), raw(two))), "abs": unary(np.abs),
        "where": lambda test, one, two: Num(np.where(raw(test), raw(one), raw(two))), "trans": lambda x: Num(x.value.T),
        "exp": unary(lambda x: np.exp(np.minimum(x, 3))), "log": unary(lambda x: np.log(np.abs(x) + 1)),
        "sqrt": unary(lambda x: np.sqrt(np.abs(x))), "device_assert": lambda test: None, "float32": "float32",
        "int64": "int64", "make_block_ptr": lambda base, shape, strides, offsets, block_shape, order: Tile(
            base, shape, strides, offsets, block_shape
        ),
        "make_tensor_descriptor": lambda base, shape, strides, block_shape: Tile(
            base, shape, strides, [0] * len(shape), block_shape
        ),
        "advance": lambda tile, by: Tile(
            tile.pointer, tile.shape, tile.strides, [a + b for a, b in zip(tile.offsets, by, strict=True)], tile.block
        ),
    }  # fmt: skip
    return SimpleNamespace(**names)


def minimum(*values: Any) -> Any:
    return Num(np.minimum(*map(raw, values))) if any(isinstance(value, Num) for value in values) else min(*values)


# --- one launch


@dataclass
class Host:
    """Sizes by name; `tensors`: what was passed."""

    sizes: dict[str, int]
    tensors: dict[str, Memory] = field(default_factory=dict)
    strides: dict[str, list[int]] = field(default_factory=dict)
    shapes: dict[str, list[int]] = field(default_factory=dict)

    def size(self, node: ast.expr) -> int:
        names = {
            "cdiv": lambda one, two: cdiv(one, self.divisor(two)), "next_power_of_2": next_power_of_2,
            "div": lambda one, two: one // self.divisor(two), "meta": lambda name: self.sizes[name], "min": min,
            "max": max, "stride": self.stride, **{name: name for name in self.tensors}, **self.sizes,
        }  # fmt: skip
        return int(eval(compile(ast.Expression(node), "<launch>", "eval"), {"__builtins__": {}}, names))

    def divisor(self, value: int) -> int:
        if not value:
            raise Impossible("a division by 0")
        return value

    def stride(self, name: str, dimension: int) -> int:
        return self.strides[name][dimension]

    def tensor(self, name: str, extents: list[ast.expr], kind: str) -> None:
        shape = [self.size(extent) for extent in extents]
        if min(shape, default=1) < 0:
            raise Impossible("a negative extent")
        strides, step = [], 1
        for extent in shape if kind == "mixed" else reversed(shape):
            strides.insert(len(strides) if kind == "mixed" else 0, step)
            step = step * extent + (1 if kind == "loose" else 0)
        places = {
            sum(index * stride for index, stride in zip(place, strides, strict=True)): number
            for number, place in enumerate(itertools.product(*map(range, shape)))
        }
        values = {address: random.randrange(-1, 4) for address in places}
        self.tensors[name], self.strides[name], self.shapes[name] = Memory(places, values), strides, shape


def tensors(node: ast.expr) -> tuple[str, list[ast.expr], str] | None:
    match node:
        case ast.Call(func=ast.Name(id="loose" | "mixed" as kind), args=[inner]):
            found = tensors(inner)
            return None if found is None else (*found[:2], kind)
        case ast.Subscript(value=ast.Name(id=name), slice=index):
            return name, index.elts if isinstance(index, ast.Tuple) else [index], ""
    return None


@dataclass(frozen=True)
class Ready:
    """A page that Python can run: `constexprs` are the parameters that the compiler knows."""

    page: Page
    code: CodeType
    names: list[str]
    constexprs: set[str]


def ready(page: Page) -> Ready:
    (function,) = (node for node in page.tree.body if isinstance(node, ast.FunctionDef) and node.name == page.kernel)
    found = function.args.args
    known = {one.arg for one in found if one.annotation and "constexpr" in ast.unparse(one.annotation)}
    body = [copy.deepcopy(node) for node in page.tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    for node in body:
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
            for one in node.args.args:
                one.annotation = None
    code = compile(ast.Module(body, []), "<kernel>", "exec")
    return Ready(page, code, [one.arg for one in found], known)


def run(kernel: Ready, sizes: dict[str, int]) -> Host:
    """Launch with these sizes; all programs in a random order."""
    page = kernel.page
    host = Host(sizes)
    given = [*page.launch.args, *(word.value for word in page.launch.keywords)]
    for node in given:
        if (found := tensors(node)) is not None:
            host.tensor(*found)
    names = kernel.names
    words = {word.arg: word.value for word in page.launch.keywords}
    bound = {**dict(zip(names, page.launch.args, strict=False)), **words}
    values = {name: value(host, name, bound.get(name), name in kernel.constexprs) for name in names}
    grid = [max(host.size(entry), 0) if ast.unparse(entry) != "unknown" else sizes["grid"] for entry in page.grid]
    grid += [1] * (3 - len(grid))
    order = list(itertools.product(*map(range, grid)))
    random.shuffle(order)
    if len(order) > 200:
        raise Impossible("too many programs")
    place: dict[int, int] = {}
    tl = language(place, grid)
    tl.constexpr = None
    scope: dict[str, Any] = {"tl": tl, "min": minimum, "triton": SimpleNamespace(cdiv=cdiv)}
    scope["helper"] = lambda value: None
    exec(kernel.code, scope)
    for program in order:
        place.update(enumerate(program))
        for memory in host.tensors.values():
            memory.mine = set()
        scope[page.kernel](**values)
    return host


def value(host: Host, name: str, node: ast.expr | None, known: bool) -> Any:
    if node is None:
        return host.sizes[name]
    if (found := tensors(node)) is not None:
        return Pointer(host.tensors[found[0]])
    match node:
        case ast.Constant(value=None | bool() as plain):
            return plain
        case ast.Name(id="unknown"):
            return host.sizes["unknown"] if known else Num(host.sizes["unknown"])
    number = host.size(node)
    return number if known else Num(number)


def names_of_sizes(page: Page) -> list[str]:
    found: set[str] = {"unknown", "grid"}
    ignored = {
        "cdiv",
        "next_power_of_2",
        "div",
        "meta",
        "min",
        "max",
        "stride",
        "loose",
        "mixed",
        "unknown",
        page.kernel,
    }
    given = [*page.launch.args, *(word.value for word in page.launch.keywords)]
    ignored |= {shape[0] for node in given if (shape := tensors(node))}
    for node in ast.walk(page.launch):
        if isinstance(node, ast.Name) and node.id not in ignored:
            found.add(node.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "meta":
            found.add(str(node.args[0].value))  # type: ignore[attr-defined]
    return sorted(found)


def draw(page: Page, chance: random.Random) -> dict[str, int]:
    """Sizes for a launch. Short names that are written large are block sizes: powers of two."""
    return {
        name: chance.choice((1, 2, 4)) if name.isupper() or name == "p" else chance.choice(SIZES)
        for name in names_of_sizes(page)
    }
