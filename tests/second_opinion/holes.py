"""What is not known of a function's surroundings, as holes that a search fills.

A hole has a path, such as `self.head_dim` or `batch.seq_lens`, and is filled with a `Fill`: plain data from which the
same value is built for each run. A stand-in is a value of which nothing is known; what it is asked for are more holes.
"""

from __future__ import annotations

import ast
import types
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from second_opinion.fills import Draw, Fill

ONLY_TENSORS = frozenset(
    "new_zeros new_ones new_full new_empty numel unsqueeze permute is_cuda data_ptr zero_ fill_".split()
)
MOST_CALLS = 3_000


class Overrun(BaseException):
    """A run that does not come to an end."""


@dataclass
class Hints:
    """How names are used in the function: `x.numel()` says that x is a tensor."""

    kinds: dict[str, list[str]] = field(default_factory=dict)

    def of(self, path: str) -> list[str]:
        return self.kinds.get(path) or self.kinds.get(path.rpartition(".")[2], [])


TENSOR = set(dir(torch.Tensor)) - set(dir(object)) - {"name", "names", "data", "grad", "type", "size"} | {
    "shape",
    "dtype",
}


def hints(node: ast.AST, owner: ast.AST | None) -> Hints:
    """Of a function, and of what the other methods of its class say about `self`."""
    found = Hints()
    for part in hinted(owner) if owner else ():
        if part[0].startswith("self."):
            found.kinds.setdefault(part[0], []).extend(part[1])
    for path, kinds in hinted(node):
        for name in {path, path.rpartition(".")[2]}:
            found.kinds.setdefault(name, []).extend(kinds)
    return found


def hinted(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Expressions of names and attributes, and kinds that their use speaks for."""
    found: list[tuple[str, list[str]]] = []

    def add(expression: ast.expr, kind: str, times: int = 1) -> None:
        if isinstance(expression, ast.Name | ast.Attribute):
            found.append((ast.unparse(expression), [kind] * times))

    for part in ast.walk(node):
        match part:
            case ast.Attribute(value=value, attr=name) if name in TENSOR:
                add(value, "tensor", 3)
            case ast.Attribute(value=value):
                add(value, "stand-in", 3)
            case ast.BinOp(left=left, right=right):
                for one in (left, right):
                    add(one, "int")
                    add(one, "tensor")
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()]):
                add(left, "none")
            case ast.Compare(left=left, comparators=[right]) if (literal := plain(right)) is not None:
                add(left, f"={literal!r}", 3)
            case ast.Call(func=ast.Name(id="isinstance"), args=[value, of]):
                add(value, {"torch.Tensor": "tensor", "list": "list", "tuple": "list"}.get(ast.unparse(of), "int"), 3)
            case ast.Compare(left=left, comparators=[right]):
                add(left, "int", 2)
                add(right, "int", 2)
            case ast.If(test=test) | ast.IfExp(test=test) | ast.UnaryOp(op=ast.Not(), operand=test):
                for one in test.values if isinstance(test, ast.BoolOp) else [test]:
                    add(one, "bool", 2)
            case ast.Call(func=ast.Name(id="range"), args=args):
                for one in args:
                    add(one, "int", 3)
            case ast.Call(func=ast.Attribute(attr="zeros" | "empty" | "ones" | "full"), args=[sizes, *more]):
                for one in sizes.elts if isinstance(sizes, ast.Tuple | ast.List) else [sizes, *more]:
                    add(one, "int", 3)
            case ast.keyword(arg="dtype" | "device" as name, value=value):
                add(value, name, 4)
            case ast.For(iter=value):
                add(value, "list", 2)
            case ast.Call(func=ast.Name(id="enumerate" | "zip" | "len"), args=args):
                for one in args:
                    add(one, "list")
    yield from found


def plain(node: ast.expr) -> Any:
    """A literal, None for anything else."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


ANNOTATED = (  # the first word that is found
    ("Callable", "stand-in"), ("list[int]", "ints"), ("Sequence[int]", "ints"), ("ist[torch.Tensor]", "tensors"),
    ("ist[Tensor]", "tensors"), ("uple[int, int]", "ints"), ("uple[int, ...]", "ints"), ("list", "list"),
    ("List", "list"), ("Tensor", "tensor"), ("torch.dtype", "dtype"), ("torch.device", "device"), ("bool", "bool"),
    ("int", "int"), ("float", "float"), ("str", "str"), ("uple", "list"), ("ict", "stand-in"),
)  # fmt: skip


def annotated(annotation: ast.expr | None) -> list[str]:
    """The kinds that an annotation speaks of."""
    if annotation is None:
        return []
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    kind = next((kind for word, kind in ANNOTATED if word in str(text)), "stand-in")
    return [kind] * 8 + (["none"] * 2 if "None" in str(text) or "Optional" in str(text) else [])


@dataclass
class Run:
    """One run: how holes are filled, what has been built of them, and what stand-ins were called with."""

    fills: dict[str, Fill]
    hints: Hints
    draw: Draw
    seen: Callable[[Any], Any] | None = None  # turns values into facts
    built: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # holes, in the order of their first use
    log: list[Any] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    given: dict[str, dict[Any, Any]] = field(default_factory=dict)  # attributes and items that were set
    owners: dict[str, Owner] = field(default_factory=dict)  # the classes of some stand-ins

    def get(self, path: str, kinds: list[str] | None = None) -> Any:
        if path not in self.built:
            if path not in self.fills:
                self.fills[path] = self.draw.any(self.hints.of(path) if kinds is None else kinds)
            self.asked.append(path)
            if len(self.asked) > MOST_CALLS:
                raise Overrun
            self.built[path] = built(path, self.fills[path])
        return self.built[path]

    def called(self, path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A stand-in is called: it sees what it is given, and the first calls of it return each something else."""
        self.calls[path] += 1
        if self.calls.total() > MOST_CALLS:
            raise Overrun
        if self.seen is not None:
            self.log.append((path, self.seen([args, kwargs])))
        return self.get(f"{path}()#{min(self.calls[path], 4)}", [])


class Aside(Run):
    """While a module is made: everything is unknown, and what is asked whether it is true is not."""

    def get(self, path: str, kinds: list[str] | None = None) -> Any:
        self.asked.append(path)
        return False if kinds == ["bool"] else 2 if kinds == ["few"] else StandIn(path)

    def called(self, path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.get(f"{path}()")


NOW: list[Run] = []  # the run in progress is the last


class Owner(Protocol):
    """A class that is known: its methods, properties and the kinds of its annotated attributes."""

    def attribute(self, of: StandIn, name: str) -> tuple[Any] | None: ...
    def kinds(self, name: str) -> list[str]: ...


def built(path: str, fill: Fill) -> Any:
    match fill:
        case Fill("tensor", (shape, dtype, content)):
            return tensor(path, shape, dtype, content)
        case Fill("list", items):
            return [built(f"{path}[{place}]", item) for place, item in enumerate(items)]
        case Fill("constant", value):
            return value
        case Fill("dict"):
            return {}
    return StandIn(path)


def tensor(path: str, shape: tuple[int, ...], dtype: torch.dtype, content: int) -> torch.Tensor:
    """Small numbers, which index and divide; of `content` 1 rising ones, of 2 all 1."""
    source = torch.Generator().manual_seed(sum(map(ord, path)))
    count = torch.Size(shape).numel()
    match content:
        case 0:
            whole = torch.randint(0, 3, shape, generator=source)
        case 1:
            whole = torch.arange(count).reshape(shape)
        case _:
            whole = torch.ones(shape, dtype=torch.int64)
    return (whole + 0.25).to(dtype) if dtype.is_floating_point and content == 0 else whole.to(dtype)


class StandIn:
    """A value of which nothing is known but its path. Everything that is asked of it is a hole of its own."""

    def __init__(self, path: str) -> None:
        self.__dict__["_path"] = path

    def __getattr__(self, name: str) -> Any:
        run, path = NOW[-1], self._path
        if name in (given := run.given.get(path, {})):
            return given[name]
        if name.startswith("__") or name in ONLY_TENSORS:
            raise AttributeError(f"'StandIn' object has no attribute '{name}'")
        owner = run.owners.get(path)
        if owner is not None and (found := owner.attribute(self, name)) is not None:
            return found[0]
        return run.get(f"{path}.{name}", (owner.kinds(name) if owner else []) or None)

    def __setattr__(self, name: str, value: Any) -> None:
        NOW[-1].given.setdefault(self._path, {})[name] = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and isinstance(args[0], types.FunctionType | type):
            return args[0]  # a decorator
        return NOW[-1].called(self._path, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, int | str):
            return self  # the grid of a launch, or a type
        given = NOW[-1].given.get(self._path + "[]", {})
        return given[key] if key in given else NOW[-1].get(f"{self._path}[{key!r}]")

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, int | str):
            NOW[-1].given.setdefault(self._path + "[]", {})[key] = value
        else:
            NOW[-1].called(f"{self._path}[..] =", (key, value), {})

    def __contains__(self, key: Any) -> bool:
        return bool(NOW[-1].get(f"{self._path} in {key!r}", ["bool"]))

    def __iter__(self) -> Iterator[Any]:
        count = NOW[-1].get(f"len({self._path})", ["few"])
        if not isinstance(count, int):
            raise TypeError(f"{self._path} is not iterable")
        return iter([NOW[-1].get(f"{self._path}[{place}]") for place in range(min(count, 8))])

    def __len__(self) -> int:
        count = NOW[-1].get(f"len({self._path})", ["few"])
        if not isinstance(count, int):
            raise TypeError(f"{self._path} has no length")
        return count

    def __bool__(self) -> bool:
        return NOW[-1].get(f"bool({self._path})", ["bool"]) is True

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (Record,)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # what the class holds, an instance has too
        return StandIn(self._path)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, StandIn | str | int):
            return self is other
        return NOW[-1].get(f"{self._path} == {getattr(other, '_path', other)!r}", ["bool"]) is True

    def __hash__(self) -> int:
        return hash(self._path)

    def __instancecheck__(self, other: object) -> bool:
        name = getattr(other, "_path", type(other).__name__)
        return NOW[-1].get(f"{name} is a {self._path}", ["bool"]) is True

    def __or__(self, other: Any) -> Any:
        return self

    __ror__ = __or__


class Record:
    """The base of a class whose own one is not known: it takes what it is given for its annotated attributes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = [name for one in reversed(type(self).__mro__) for name in vars(one).get("__annotations__", {})]
        vars(self).update(zip(names, args, strict=False))
        vars(self).update(kwargs)
