"""What is known about a tensor besides its memory: its dtype and its rank."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

INTEGERS = frozenset(f"torch.{name}" for name in ("uint8", "int8", "int16", "int32", "int64"))
FLOATS = frozenset(f"torch.{name}" for name in ("float16", "bfloat16", "float32", "float64"))
DEFAULT = "the default dtype"  # whatever it is when the tensor is made
ALIASES = {
    "torch.short": "torch.int16", "torch.int": "torch.int32", "torch.long": "torch.int64",
    "torch.half": "torch.float16", "torch.float": "torch.float32", "torch.double": "torch.float64",
}  # fmt: skip
DTYPES = INTEGERS | FLOATS | {"torch.bool", "torch.complex64", "torch.complex128"}


@dataclass(frozen=True, slots=True)
class Meta:
    """`dtype`: a name such as "torch.int32", DEFAULT, or the identity of a tensor that has the same one; equal values
    stand for equal dtypes, DEFAULT aside. None where nothing is known."""

    dtype: Hashable = None
    rank: int | None = None
    least: int = 0  # the rank is at least this


NO_META = Meta()


def dtype_name(path: str | None) -> str | None:
    """The one name of the dtype that a dotted name stands for, None where it stands for something else."""
    name = ALIASES.get(path or "", path)
    return name if name in DTYPES else None
