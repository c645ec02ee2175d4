"""What is known about a tensor besides its memory: its dtype and its rank."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from codemods.core.size import Size

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
    stand for equal dtypes, DEFAULT aside. None where nothing is known. `plain`: its strides are those of a tensor of
    its shape that `empty` makes, also where an extent is 1."""

    dtype: Hashable = None
    rank: int | None = None
    least: int = 0  # the rank is at least this
    shape: tuple[Size, ...] | None = None  # of a result whose memory does not tell
    plain: bool = False

    @property
    def bare(self) -> Meta:
        """What is the same for all tensors of this dtype and rank."""
        return Meta(self.dtype, self.rank, self.least)

    @property
    def steady(self) -> bool:
        """An operator with a number, or with a plain tensor that is broadcast, makes a plain tensor of it: torch takes
        the order of dimensions from the strides, and they do not tell it where one extent is 0 and another 0 or 1."""
        return self.plain and (self._line or self.shape is not None and sum(map(_small, self.shape)) <= 1)

    @property
    def firm(self) -> bool:
        """An operator with any tensor that is broadcast to its shape does: its own strides tell the order."""
        return self.plain and (self._line or self.shape is not None and not any(map(_small, self.shape[1:])))

    @property
    def _line(self) -> bool:
        rank = self.rank if self.shape is None else len(self.shape)
        return rank is not None and rank <= 1


def _small(extent: Size) -> bool:
    """It may be 0 or 1."""
    return (extent.constant or 0) < 2


NO_META = Meta()


def dtype_name(path: str | None) -> str | None:
    """The one name of the dtype that a dotted name stands for, None where it stands for something else."""
    name = ALIASES.get(path or "", path)
    return name if name in DTYPES else None
