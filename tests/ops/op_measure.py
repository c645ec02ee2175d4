"""Watch what one call does to the memory of its arguments."""

from __future__ import annotations

import ctypes
import faulthandler
import math
import mmap
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy
import torch

T = TypeVar("T")
PLAIN = (int, float, complex, bool, str, type(None), slice, type(Ellipsis), torch.Generator)
PLAIN += (torch.dtype, torch.device, torch.layout, torch.memory_format)


@dataclass(frozen=True)
class Sample:
    """Arguments of one call. Calls never get these tensors, only copies of the same geometry."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def sample(*args: Any, **kwargs: Any) -> Sample:
    return Sample(args, kwargs)


@dataclass(frozen=True)
class Seen:
    """What a call did. Tensor arguments are counted in order, the first is 0."""

    tensors: int  # tensor arguments
    owners: tuple[frozenset[int], ...]  # per result that is memory: the arguments it shares memory with
    lazy: bool  # a result is the lazy conjugate or negative of its memory
    changed: frozenset[int]  # arguments whose memory changed
    restrided: frozenset[int]  # arguments whose shape, strides, offset or storage changed
    itself: bool  # the result is the very first argument
    odd: bool  # a result is of a type that we do not understand
    filled: bool  # a result has elements


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    else:
        yield value


def tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in leaves(value) if isinstance(leaf, torch.Tensor)]


def replaced(value: T, exchange: Callable[[torch.Tensor], torch.Tensor]) -> T:
    """The same nest of lists, tuples and dicts with every tensor exchanged."""
    match value:
        case torch.Tensor():
            return exchange(value)
        case torch.Size():
            return value
        case tuple() if hasattr(value, "_fields"):
            return type(value)(*(replaced(item, exchange) for item in value))
        case tuple() | list():
            return type(value)(replaced(item, exchange) for item in value)
        case dict():
            return {key: replaced(item, exchange) for key, item in value.items()}
        case _:
            return value


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor with the same values and strides on a copy of the whole storage."""
    physical = tensor.conj() if tensor.is_conj() else tensor
    storage = physical.detach().untyped_storage().clone()
    fresh = torch.empty(0, dtype=tensor.dtype).set_(
        storage, physical.storage_offset(), physical.shape, physical.stride()
    )
    return fresh.conj() if tensor.is_conj() else fresh


def copy(call: Sample) -> Sample:
    return Sample(replaced(call.args, copied), replaced(call.kwargs, copied))


def usable(call: Sample) -> bool:
    """Strided CPU tensors of modest size, nothing else."""
    found = tensors((call.args, call.kwargs))
    return all(
        type(t) in (torch.Tensor, torch.nn.Parameter)
        and t.layout is torch.strided
        and t.device.type == "cpu"
        and not t.is_quantized
        and not t.is_neg()
        and t.untyped_storage().nbytes() < 1 << 20
        for t in found
    )


def span(memory: Any) -> tuple[int, int]:
    if isinstance(memory, numpy.ndarray):
        return numpy.lib.array_utils.byte_bounds(memory)
    storage = memory.untyped_storage()
    return storage.data_ptr(), storage.data_ptr() + storage.nbytes()


def content(tensor: torch.Tensor) -> bytes:
    storage = tensor.untyped_storage()
    return ctypes.string_at(storage.data_ptr(), storage.nbytes()) if storage.nbytes() else b""


def geometry(tensor: torch.Tensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.stride(), tensor.storage_offset(), tensor.untyped_storage().data_ptr()


def invoke(function: Callable[..., Any], call: Sample) -> Any:
    torch.default_generator.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*call.args, **call.kwargs)


def observe(function: Callable[..., Any], template: Sample) -> Seen | None:
    """What a call does, or None when it raises."""
    call = copy(template)
    given = tensors((call.args, call.kwargs))
    before = [(content(t), geometry(t)) for t in given]
    spans = [span(t) for t in given]
    try:
        result = invoke(function, call)
    except Exception:
        return None
    owners, odd, lazy = [], False, False
    for leaf in leaves(result):
        if isinstance(leaf, torch.Tensor) and leaf.layout is torch.strided and not leaf.is_quantized:
            lazy |= leaf.is_neg() or leaf.is_complex() and leaf.is_conj() != bool(given and given[0].is_conj())
        elif not isinstance(leaf, numpy.ndarray):
            odd |= not isinstance(leaf, (*PLAIN, torch.Size))
            continue
        low, high = span(leaf)
        owners.append(frozenset(i for i, (start, end) in enumerate(spans) if max(low, start) < min(high, end)))
    after = [(content(t), geometry(t)) for t in given]
    return Seen(
        tensors=len(given),
        owners=tuple(owners),
        lazy=lazy,
        changed=frozenset(i for i, (old, new) in enumerate(zip(before, after)) if old[0] != new[0]),
        restrided=frozenset(i for i, (old, new) in enumerate(zip(before, after)) if old[1] != new[1]),
        itself=bool(call.args) and result is call.args[0],
        odd=odd,
        filled=any(isinstance(leaf, torch.Tensor) and leaf.numel() > 0 for leaf in leaves(result)),
    )


def poisons(like: torch.Tensor) -> list[torch.Tensor]:
    """Different contents for the same elements: what an operator must not let through if it overwrites."""
    shape, dtype = like.shape, like.dtype
    generator = torch.Generator().manual_seed(3)
    noise = torch.rand(shape, generator=generator, dtype=torch.float64)
    if dtype is torch.bool:
        return [torch.zeros(shape, dtype=dtype), torch.ones(shape, dtype=dtype), noise < 0.5, noise >= 0.5]
    if not (dtype.is_floating_point or dtype.is_complex):
        info = torch.iinfo(dtype)
        edges = [
            torch.full(shape, value, dtype=dtype) for value in (0, 1, info.min + 1, info.max)
        ]  # min // -1 ends the process
        return [*edges, (noise * 100).to(dtype), (noise * 50 + 60).to(dtype)]
    edges = [torch.full(shape, value, dtype=dtype) for value in (0.0, math.nan, math.inf, -math.inf)]
    return [*edges, (noise * 90 + 5).to(dtype), (-noise * 70 - 3).to(dtype), noise.to(dtype)]


def elements(tensor: torch.Tensor) -> torch.Tensor:
    """Bytes of every element, (numel, itemsize)."""
    flat = torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach()).view(-1)
    return flat.view(torch.uint8).view(len(flat), tensor.dtype.itemsize)


def relaid(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """The same values under other strides: transposed, stepped, shifted, wide rows, all in one place."""
    shape = tuple(tensor.shape)
    backwards = tuple(reversed(range(len(shape))))
    bases = [
        torch.empty(shape[::-1], dtype=tensor.dtype).permute(backwards),
        torch.empty((*shape, 2), dtype=tensor.dtype)[..., 0],
        torch.empty(tensor.numel() + 3, dtype=tensor.dtype)[3:].view(shape),
    ]
    if shape:
        bases.append(torch.empty((*shape[:-1], shape[-1] + 2), dtype=tensor.dtype)[..., : shape[-1]])
    for base in bases:
        yield base.copy_(tensor)
    if tensor.numel():
        yield tensor.reshape(-1)[:1].clone().as_strided(shape, (0,) * len(shape))


def dense(tensor: torch.Tensor) -> bool:
    """No two elements share memory."""
    reach = 1
    for stride, extent in sorted((s, e) for s, e in zip(tensor.stride(), tensor.shape) if e != 1):
        if stride < reach:
            return False
        reach = stride * (extent - 1) + reach
    return True


def in_place(function: Callable[..., Any], template: Sample) -> str | None:
    """ "overwrite", "partial" or "update": how the new content of the first argument comes from its old one."""
    first = template.args[0]
    if not first.numel() or not dense(first) or first.is_conj():
        return None
    results, olds = [], []
    for poison in poisons(first):
        call = copy(template)
        call.args[0].copy_(poison)
        olds.append(elements(call.args[0]))
        try:
            invoke(function, call)
        except Exception:
            return "update"
        if call.args[0].shape != first.shape:
            return "update"
        results.append(elements(call.args[0]))
    fresh = torch.stack([(new == results[0]).all(1) for new in results]).all(0)
    kept = torch.stack([(new == old).all(1) for new, old in zip(results, olds)]).all(0)
    if fresh.all():
        return "overwrite"
    if kept.all():
        return None  # it had nothing to do
    return "partial" if (fresh | kept).all() else "update"


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    if left.shape != right.shape:
        return False
    right = right.to(left.dtype)
    if left.dtype.is_floating_point or left.dtype.is_complex:
        return torch.allclose(left, right, rtol=1e-2, atol=1e-3, equal_nan=True)
    return torch.equal(left, right)


def targets(result: torch.Tensor) -> list[Callable[[], torch.Tensor]]:
    """Dense targets for `out=`: as the result, transposed, too small, too large, of another dtype.

    Into a target with gaps some operators write nothing: `cat([x], 1, out=)` of one element.
    """
    shape, dtype = tuple(result.shape), result.dtype
    return [
        lambda: torch.empty(shape, dtype=dtype),
        lambda: torch.empty(shape[::-1], dtype=dtype).permute(tuple(reversed(range(len(shape))))),
        lambda: torch.empty(0, dtype=dtype),
        lambda: torch.empty((*shape, 3), dtype=dtype),
        lambda: torch.empty(shape, dtype=torch.float64),
    ]


def into(function: Callable[..., Any], template: Sample, outs: tuple[torch.Tensor, ...], many: bool) -> bool | None:
    """Call with `out=`. False when it changes its arguments or returns something else; None when it raises."""
    call = copy(template)
    given = tensors((call.args, call.kwargs))
    before = [content(t) for t in given]
    try:
        returned = invoke(function, replace(call, kwargs={**call.kwargs, "out": outs if many else outs[0]}))
    except Exception:
        return None
    return before == [content(t) for t in given] and [id(t) for t in tensors(returned)] == [id(t) for t in outs]


def writes_out(function: Callable[..., Any], template: Sample) -> bool | None:
    """Whether `out=` takes the whole result and nothing of its old content; None when the call does not accept it.

    What is left of old content, or comes from it, makes the results for several contents differ.
    """
    call = copy(template)
    try:
        result = invoke(function, call)
    except Exception:
        return None
    wanted = [result] if isinstance(result, torch.Tensor) else list(result) if isinstance(result, tuple) else []
    if not wanted or not all(isinstance(w, torch.Tensor) and w.layout is torch.strided for w in wanted):
        return None
    for number, makers in enumerate(zip(*(targets(w) for w in wanted))):
        results = []
        for poison in range(min(len(poisons(make())) for make in makers)):
            outs = tuple(make().copy_(poisons(make())[poison]) for make in makers)
            fine = into(function, template, outs, isinstance(result, tuple))
            if fine is None and number == 0:
                return None
            if fine is None:
                break
            if not fine or number == 0 and not all(same(w, out) for w, out in zip(wanted, outs)):
                return False
            results.append([bytes(elements(out).numpy().tobytes()) for out in outs])
        if any(other != results[0] for other in results):
            return False
    return True


class Forbidden:
    """Tensors on memory that may not be touched: a load or a store ends the process."""

    def __init__(self) -> None:
        self.regions: list[mmap.mmap] = []

    def tensor(self, like: torch.Tensor) -> torch.Tensor:
        size = like.untyped_storage().nbytes()
        region = mmap.mmap(-1, max(size, 1))
        self.regions.append(region)
        buffer = torch.frombuffer(region, dtype=like.dtype, count=max(size, 1) // like.dtype.itemsize)
        shut = ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(buffer.data_ptr()), ctypes.c_size_t(size), 0)
        assert shut == 0
        storage = buffer.untyped_storage()  # not `as_strided`: some operators refuse a view
        return torch.empty(0, dtype=like.dtype).set_(storage, like.storage_offset(), like.shape, like.stride())


def shut(call: Sample, forbidden: Forbidden) -> Sample:
    return Sample(replaced(call.args, forbidden.tensor), replaced(call.kwargs, forbidden.tensor))


def shut_first(call: Sample, forbidden: Forbidden) -> Sample:
    return replace(call, args=(replaced(call.args[0], forbidden.tensor), *call.args[1:]))


def untouched(function: Callable[..., Any], templates: Sequence[Sample], only_first: bool = False) -> bool:
    """Whether the calls touch no element of their tensor arguments (or of the first alone). Linux."""
    fit = [t for t in templates if all(x.numel() and not x.is_conj() for x in tensors((t.args, t.kwargs)))]
    fit = [t for t in fit if tensors((t.args, t.kwargs))]
    if not fit:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a forked child of a process with threads: it only calls and exits
        child = os.fork()
    if child == 0:
        faulthandler.disable()  # it may end by a signal: that is the answer, not a crash
        signal.alarm(30)
        forbidden = Forbidden()
        good = 0
        for template in fit:
            call = shut_first(template, forbidden) if only_first else shut(template, forbidden)
            try:
                invoke(function, call)
                good += 1
            except Exception:
                pass
        os._exit(0 if good else 1)
    return os.waitpid(child, 0)[1] == 0
