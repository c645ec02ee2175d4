"""Two forms of a program, run on the same inputs under poison: what a caller can see must not differ."""

from __future__ import annotations

import ast
import contextlib
import inspect
import linecache
import signal
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from fuzz.watch import Watch, bodies, watched

Facts = tuple[Any, ...]
POISONS = ((6.0e4, 10**9 + 7, True), (float("nan"), -3, False), (-12345.5, 113, True))  # floating, integer, bool
LONGEST = 0.5  # seconds of the processor that one run may take


@dataclass(frozen=True)
class Input:
    """How to call the function. `layout`: which parameters share memory."""

    n: int = 4
    k: int = 2
    flag: bool = True
    fail: bool = False
    extent: int = 4  # of the vectors and of the matrix
    layout: str = "apart"
    index: int = 1
    spoil: bool = False  # whoever drives a generator writes into what it yields


INPUTS = (
    Input(),
    Input(flag=False),
    Input(fail=True),
    Input(flag=False, fail=True, spoil=True),
    Input(layout="same"),
    Input(layout="overlap"),
    Input(n=0, k=0, extent=4),
    Input(n=3),
    Input(n=5, k=1),
    Input(n=4, k=-1, flag=False),
    Input(n=4, k=5),
    Input(extent=0, n=0),
    Input(extent=1, n=1, k=0),
    Input(extent=6, n=4, k=3),
    Input(extent=6, n=6, k=2, index=3),
    Input(layout="row", flag=False),
    Input(k=0),
    Input(k=4, fail=True),
    Input(n=-1, k=2),
    Input(extent=3, n=4, k=1),
    Input(n=2, k=1, layout="expanded"),
)


def arguments(given: Input) -> tuple[Any, ...]:
    size = given.extent
    base = torch.arange(1.0, size * size + 2 * size + 3)
    x, y = base[:size].clone(), base[size : 2 * size].clone()
    w = base[2 * size : 2 * size + size * size].clone().view(size, size)
    match given.layout:
        case "same":
            y = x
        case "overlap":
            x, y = base[:size], base[1 : size + 1]
        case "row":
            x, y = w[0], w[:, 0]
        case "expanded":
            x = base[:1].expand(size)
    m = torch.arange(size) % 2 == 0
    xs = [float(i) + 0.5 for i in range(size)]
    return x, y, w, m, torch.tensor(given.index), xs, given.n, given.k, given.flag, given.fail


@contextlib.contextmanager
def poisoned(values: tuple[Any, ...]) -> Iterator[None]:
    """Memory that torch hands out unfilled holds `values`."""
    plain = torch.empty, torch.empty_like, torch.Tensor.new_empty
    torch.empty, torch.empty_like, torch.Tensor.new_empty = (_filling(function, values) for function in plain)  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.empty, torch.empty_like, torch.Tensor.new_empty = plain  # type: ignore[method-assign,assignment]


def _filling(function: Callable[..., Any], values: tuple[Any, ...]) -> Callable[..., Any]:
    real, whole, truth = values

    def made(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        kind = result.dtype
        if kind == torch.bool or kind.is_floating_point:
            return result.fill_(truth if kind == torch.bool else real)
        return result.fill_(min(whole, torch.iinfo(kind).max))

    return made


def prepare() -> None:
    """One thread, and most memory that `resize_` adds is the same each time."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = True


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """As `prepare` does, for these tests only."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filling = torch.utils.deterministic.fill_uninitialized_memory
    prepare()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
        torch.utils.deterministic.fill_uninitialized_memory = filling


class TooLong(BaseException):
    pass


def _stop(*_: object) -> None:
    raise TooLong


@dataclass(frozen=True)
class Program:
    source: str
    code: types.CodeType

    @classmethod
    def of(cls, source: str, watch: bool = False) -> Program:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            name = _shown(source) if "@triton.jit" in source else "<program>"
            return cls(source, compile(watched(tree) if watch else tree, name, "exec"))


def _shown(source: str) -> str:
    """The name of a file with this text: Triton reads the lines of its kernels."""
    name = f"<program {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    return name


def observe(program: Program, given: Input, values: tuple[Any, ...], watch: Watch | None = None) -> Facts:
    """All that the caller can see of one call. ("raised", ..) when it raises, ("hangs",) when it takes too long."""
    look = Look()
    names: dict[str, Any] = {"__name__": "program", "_watch": watch}
    args = arguments(given)
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST, LONGEST)  # and again: the program may swallow it
    try:
        with poisoned(values), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(program.code, names)
            look.at(args)
            result = names["f"](*args)
            shown = (
                [look.at(item) for item in _driven(result, given)] if inspect.isgenerator(result) else look.at(result)
            )
            return ("returned", shown, look.at(args), look.at(names["KEPT"]), look.at(names["SEEN"]))
    except TooLong:
        return ("hangs",)
    except Exception as error:
        return ("raised", type(error).__name__, str(error))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _driven(generator: Iterator[Any], given: Input) -> Iterator[Any]:
    for item in generator:
        yield item
        if given.spoil and isinstance(item, torch.Tensor):
            item.add_(100)


@dataclass(frozen=True)
class Look:
    """Turns values into plain data; memory is told by the order in which it was first met, so that aliases show."""

    places: dict[int, int] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)  # memory that is freed could come back under the same address

    def at(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.at_tensor(value)
        if isinstance(value, list | tuple):
            return type(value).__name__, [self.at(item) for item in value]
        if isinstance(value, dict):
            return [(key, self.at(item)) for key, item in value.items()]
        if isinstance(value, types.FunctionType):
            return "function", self.at(value())
        return (
            repr(value)
            if value is None or isinstance(value, bool | int | float | str | torch.Size)
            else type(value).__name__
        )

    def at_tensor(self, value: torch.Tensor) -> Facts:
        storage = value.untyped_storage()
        self.kept.extend((value, storage))
        place = self.places.setdefault(storage._cdata, len(self.places))
        bits = value.detach().contiguous().numpy().tobytes()
        return (
            str(value.dtype),
            tuple(value.shape),
            value.stride() if value.numel() else (),  # of no elements they are not looked at
            value.requires_grad,
            place,
            value.storage_offset(),
            bits,
        )


@dataclass(frozen=True)
class Difference:
    given: Input
    values: tuple[Any, ...]
    before: Facts
    after: Facts

    def __str__(self) -> str:
        if self.after[0] != "returned":
            return f"{self.given}: returned, now {self.after}"
        parts = [
            name
            for name, old, new in zip(("result", "arguments", "KEPT", "SEEN"), self.before[1:], self.after[1:])
            if old != new
        ]
        return f"{self.given}: another {' and '.join(parts)}"


def difference(before: Program, after: Program, inputs: tuple[Input, ...] = INPUTS) -> tuple[Difference | None, int]:
    """The first input on which the two forms differ, and on how many inputs the first returned. `before` is watched."""
    returned = 0
    changed = _changed(before, after)
    for place, given in enumerate(inputs):
        values, watch = POISONS[place % len(POISONS)], Watch()
        old = observe(before, given, values, watch)
        if old[0] == "hangs":
            break  # it would on other inputs, too
        if old[0] != "returned" or watch.lied or watch.left & changed:
            continue
        returned += 1
        new = observe(after, given, values)
        if new != old:
            if any(observe(before, given, values, Watch()) != old for _ in range(3)):
                continue  # it shows memory that `resize_` added, and no run is like another
            return Difference(given, values, old, new), returned
    return None, returned


def _changed(before: Program, after: Program) -> set[str]:
    """Functions that are not what they were."""
    old, new = bodies(ast.parse(before.source)), bodies(ast.parse(after.source))
    return {name for name in old | new if old.get(name) != new.get(name)}
