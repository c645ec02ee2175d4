"""Arguments to call operators with: drawn from their schemas, from torch's own test samples, and by hand."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy
import torch
from op_measure import Sample, usable

SHAPES = ((), (1,), (3,), (1, 1), (2, 3), (3, 3), (1, 3, 1), (2, 2, 3), (1, 2, 4, 4), (0,), (2, 0))
DTYPES = (torch.float32, torch.float32, torch.float64, torch.float16, torch.bfloat16)
DTYPES += (torch.int64, torch.int64, torch.int32, torch.uint8, torch.bool, torch.complex64)
RARE = (torch.int8, torch.int16, torch.complex128, torch.complex32)
WORDS = ("constant", "reflect", "mean", "none", "linear", "ij", "xy", "fro", "left", "reduced")
ABSENT = object()


def tensor(shape: tuple[int, ...], dtype: torch.dtype, draw: random.Random) -> torch.Tensor:
    """Small values that also serve as indices; one in four is not contiguous."""
    generator = torch.Generator().manual_seed(draw.randrange(1 << 30))
    layout = draw.choice(("plain", "plain", "plain", "plain", "transposed", "stepped", "shifted", "conj"))
    wide = tuple(reversed(shape)) if layout == "transposed" else (*shape, 2) if layout == "stepped" else shape
    values = torch.rand(wide, generator=generator) * 2.5
    whole = values.to(dtype) if dtype is not torch.bool else values < 1.2
    if layout == "shifted":
        return torch.cat([whole.reshape(-1), whole.reshape(-1)])[whole.numel() :].view(shape)
    if layout == "conj" and dtype.is_complex:
        return whole.conj()
    if layout == "transposed":
        return whole.permute(tuple(reversed(range(len(shape)))))
    return whole[..., 0] if layout == "stepped" else whole


def related(shape: tuple[int, ...], dtype: torch.dtype, draw: random.Random) -> torch.Tensor:
    """A tensor that goes with one of that shape and dtype."""
    form = draw.choice((shape, shape, shape, shape, (), (1,), shape[1:], shape[:1], (3,), draw.choice(SHAPES)))
    kind = draw.choice((dtype, dtype, dtype, torch.int64, torch.bool, torch.float32))
    return tensor(form, kind, draw)


def number_list(shape: tuple[int, ...], draw: random.Random) -> list[int]:
    rank = len(shape)
    fixed = ([], [0], [-1], [1], [2, 2], [0, 1], [1, 1], [0, 0], [1, -1])
    likely = (list(shape), [1] * rank, list(range(rank)))
    return draw.choice((*fixed, *likely, *likely, [0] * rank, list(reversed(range(rank))), [1, *shape]))


def drawn(kind: str, name: str, shape: tuple[int, ...], dtype: torch.dtype, draw: random.Random) -> Any:
    """A value for a parameter of a schema type, ABSENT if we know none."""
    if kind.startswith("Optional["):
        return None if draw.random() < 0.3 else drawn(kind[9:-1], name, shape, dtype, draw)
    match kind:
        case "Tensor":
            return related(shape, dtype, draw)
        case "List[Tensor]" | "List[Optional[Tensor]]":
            first = [tensor(shape, dtype, draw)]
            return draw.choice((first, first, [*first, tensor(shape, dtype, draw)], [related(shape, dtype, draw)]))
        case "int" | "SymInt":
            return draw.choice((0, 0, 1, 1, -1, 2, *shape, len(shape)))
        case "List[int]" | "List[SymInt]":
            return number_list(shape, draw)
        case "float" | "number" | "Scalar":
            return draw.choice((0.0, 0.0, 1.0, 0.5, 0, 1, 2))
        case "bool":
            return draw.random() < 0.5
        case "str":
            return draw.choice(WORDS)
        case "ScalarType":
            return draw.choice((dtype, dtype, torch.float32, torch.float64, torch.int64))
        case "Device":
            return torch.device("cpu")
        case "MemoryFormat":
            return draw.choice((torch.preserve_format, torch.contiguous_format))
        case _:
            return ABSENT


def from_schema(schema: Any, draw: random.Random) -> Sample | None:
    shape, dtype = draw.choice(SHAPES), draw.choice(DTYPES)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for place, argument in enumerate(schema.arguments):
        optional = argument.has_default_value() or str(argument.real_type).startswith("Optional[")
        if optional and draw.random() < 0.6:
            continue
        whole = place == 0 and str(argument.real_type) == "Tensor"
        value = (
            tensor(shape, dtype, draw) if whole else drawn(str(argument.real_type), argument.name, shape, dtype, draw)
        )
        if value is ABSENT:
            if optional:
                continue
            return None
        if argument.kwarg_only or optional or kwargs:
            kwargs[argument.name] = value
        else:
            args.append(value)
    return Sample(tuple(args), kwargs)


def blind(draw: random.Random) -> Sample:
    """Arguments for a method without a schema."""
    shape, dtype = draw.choice(SHAPES), draw.choice(DTYPES)
    kinds = ("Tensor", "int", "List[int]", "bool", "ScalarType", "float", "MemoryFormat", "int")
    extra = [drawn(draw.choice(kinds), "", shape, dtype, draw) for _ in range(draw.choice((0, 0, 0, 1, 1, 2)))]
    return Sample((tensor(shape, dtype, draw), *extra), {})


@cache
def schemas() -> dict[str, list[Any]]:
    """Functional and in-place overloads by name, without those that take `out`."""
    found: dict[str, list[Any]] = {}
    for schema in torch._C._jit_get_all_schemas():
        space, _, name = schema.name.partition("::")
        tensors = any("Tensor" in str(a.type) for a in (*schema.arguments, *schema.returns))
        if space == "aten" and tensors and not any(a.is_out for a in schema.arguments):
            found.setdefault(name, []).append(schema)
    return found


def one_of_each(draw: random.Random) -> Iterator[Sample]:
    """One argument and nothing else, of every dtype: where nothing is to be done, some operators return it."""
    for dtype in sorted({*DTYPES, *RARE}, key=str):
        for shape in ((2, 3), ()):
            yield Sample((torch.ones(shape).to(dtype),), {})
    yield Sample((tensor((2, 3), torch.complex64, draw).conj(),), {})


def fuzzed(schema_name: str | None, seed: str, tries: int) -> Iterator[Sample]:
    draw = random.Random(seed)
    overloads = schemas().get(schema_name or "", [])
    if not overloads or any(str(s.arguments[0].real_type) == "Tensor" for s in overloads if s.arguments):
        yield from one_of_each(draw)
    for schema in overloads:
        for _ in range(tries):
            try:
                call = from_schema(schema, draw)
            except Exception:
                continue
            if call and usable(call):
                yield call
    if schema_name is None:
        for _ in range(tries):
            yield blind(draw)


@cache
def torch_samples() -> dict[str, list[Any]]:
    """torch's own operator tests by name (they import the package `expecttest`)."""
    from torch.testing._internal.common_methods_invocations import op_db

    found: dict[str, list[Any]] = {}
    for info in op_db:
        for name in {info.name, info.aten_name or info.name, *(alias.name for alias in info.aliases)}:
            found.setdefault(name, []).append(info)
    return found


def from_torch(name: str, limit: int = 6) -> Iterator[Sample]:
    for info in torch_samples().get(name, []):
        for dtype in (torch.float32, torch.int64, torch.bool, torch.complex64, torch.bfloat16):
            if dtype not in info.dtypes:
                continue
            random.seed(0)
            numpy.random.seed(0)
            torch.manual_seed(0)
            end = time.monotonic() + 2
            try:
                for item in itertools.islice(info.sample_inputs("cpu", dtype, requires_grad=False), limit):
                    call = Sample((item.input, *item.args), dict(item.kwargs))
                    if usable(call):
                        yield call
                    if time.monotonic() > end:
                        break
            except Exception:
                continue
