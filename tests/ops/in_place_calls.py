"""Which methods may write into their tensor: the second half of codemods/ops/in_place.json, measured.

A row is named as the method, with `rounding_mode` behind a colon. It holds the method, and for each kind of arguments
the dtypes for which both forms give the same dtype, values and strides: "none", Python numbers ("int", or "float"
where one of them is), "same" (a tensor of the same dtype, and perhaps `alpha`), "mask" (a tensor of truth values, and
a value), "place" (an int that says where, not a value).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

UNARY = """
    abs absolute neg negative square sign sgn positive ceil floor trunc round frac exp exp2 expm1 log log2 log10 log1p
    sqrt rsqrt reciprocal sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sigmoid logit relu erf erfc
    erfinv lgamma digamma sinc deg2rad rad2deg nan_to_num bitwise_not logical_not
""".split()
BINARY = """
    add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow float_power bitwise_and
    bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift logical_and logical_or logical_xor atan2 hypot
    copysign xlogy eq ne lt le gt ge clamp_min clamp_max
""".split()
MODES = ("floor", "trunc")
NUMBERS: dict[str, tuple[Any, ...]] = {
    "int": (0, 1, 2, 3, 100, 300, 70_000, 1 << 40, -1, -3),
    "float": (0.5, 2.0, -3.25, 1e9, 0.0, 1e300, float("inf"), float("-inf"), float("nan")),
}
SHAPES = ((7,), (), (0,), (1,), (2, 3), (3, 1), (1, 2), (2, 1, 3), (1, 1, 2, 2))
# under autocast these compute in float32, and not in place
UNCAST = set(
    """
    acos asin cosh erfinv exp expm1 log log10 log2 log1p reciprocal rsqrt sinh tan pow float_power cumprod cumsum
    """.split()
)
HALVES = {"float16", "bfloat16"}
ANY = frozenset(
    {"same", "mask", "place"}
)  # kinds in which "any" stands for all dtypes where the others raise in both forms
Call = tuple[str, tuple[Any, ...], dict[str, Any]]


def names() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every row: the method without its underscore, and the keywords that belong to the row."""
    plain = sorted({*UNARY, *BINARY, "clamp", "clip", "masked_fill", "cumsum", "cumprod", "tril", "triu"})
    found: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in plain}
    for name in ("div", "divide"):
        found |= {f"{name}:{mode}": (name, {"rounding_mode": mode}) for mode in MODES}
    return {row: pair for row, pair in found.items() if hasattr(torch.Tensor, f"{pair[0]}_")}


def arguments(name: str, left: torch.Tensor) -> Iterator[Call]:
    """The kind and the arguments of the calls that are tried."""
    same = left.clone().flip(0) if left.dim() else left.clone()
    if name in UNARY:
        yield "none", (), {}
    for kind, values in NUMBERS.items():
        for value in values:
            match name:
                case "clamp" | "clip":
                    yield kind, (value,), {}
                    yield kind, (), {"max": value}
                    yield kind, (), {"min": value}
                    yield kind, (value, 2), {}
                    yield kind, (0, value), {}
                case "cumsum" | "cumprod" if value in (0, -1):
                    yield kind, (value,), {}
                case "tril" | "triu" if kind == "int":
                    yield "place", (value,), {}
                    yield "place", (), {}
                case "masked_fill":
                    for mask in _masks(left):
                        yield "mask", (mask, value), {}
                case _ if name in BINARY:
                    yield kind, (value,), {}
                    if name in ("add", "sub", "subtract"):
                        yield kind, (value,), {"alpha": 2}
                        yield kind, (3,), {"alpha": value}
                        yield "same" if kind == "int" else "same-float", (same,), {"alpha": value}
    if name in BINARY:
        yield "same", (same,), {}


def _masks(left: torch.Tensor) -> Iterator[torch.Tensor]:
    yield torch.ones(left.shape, dtype=torch.bool)
    yield (torch.arange(left.numel()) % 2 == 0).reshape(left.shape)
    if left.dim() > 1:
        yield torch.ones(left.shape[::-1], dtype=torch.bool).permute(*range(left.dim())[::-1])
    if left.dim() == 2:
        yield torch.ones((1, 1), dtype=torch.bool)


def outcomes(name: str, keywords: dict[str, Any], dtype: torch.dtype) -> dict[str, set[str]]:
    """By kind: "same", "raises" (both forms do) or "differs"."""
    found: dict[str, set[str]] = {}
    for shape in SHAPES:
        count = 1
        for extent in shape:
            count *= extent
        start = (torch.arange(count) - (0 if dtype in (torch.bool, torch.uint8) else 2)).to(dtype).reshape(shape)
        for kind, args, named in list(arguments(name, start)):
            found.setdefault(kind, set()).add(_one(name, start.clone(), args, {**named, **keywords}))
    return found


def _one(name: str, left: torch.Tensor, args: tuple[Any, ...], keywords: dict[str, Any]) -> str:
    try:
        before = getattr(left, name)(*args, **keywords)
    except (RuntimeError, TypeError):
        return "raises"
    function = getattr(torch, name, None)
    if function is not None and not _equal(before, function(left, *args, **keywords)):
        return "differs"
    try:
        after = getattr(left, f"{name}_")(*args, **keywords)
    except (RuntimeError, TypeError):
        return "differs"
    strides = before.stride() == after.stride() or before.numel() == 0 and before.dim() > 1
    return "same" if after is left and strides and _equal(before, after) else "differs"


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(_solid(one), _solid(other))


def _solid(tensor: torch.Tensor) -> torch.Tensor:
    """With numbers in the place of what is not equal to itself."""
    return tensor.nan_to_num(1234.0) if tensor.is_floating_point() else tensor


def table(dtypes: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The rows; a kind for which no dtype is left is not there."""
    rows: dict[str, dict[str, str]] = {}
    for row, (name, keywords) in names().items():
        told = {dtype: outcomes(name, keywords, getattr(torch, dtype)) for dtype in dtypes}
        kinds = dict.fromkeys(kind for found in told.values() for kind in found)
        good = {
            kind: [
                d for d in dtypes if told[d].get(kind, set()) <= {"same", "raises"} and "same" in told[d].get(kind, ())
            ]
            for kind in kinds
        }
        kept = {kind: [d for d in held if name not in UNCAST or d not in HALVES] for kind, held in good.items()}
        for kind in ANY & kept.keys():
            if name not in UNCAST and not any("differs" in found.get(kind, ()) for found in told.values()):
                kept[kind] = ["any"]
        if any(kept.values()):
            rows[row] = {"method": f"{name}_", **{kind: " ".join(held) for kind, held in kept.items() if held}}
    return rows
