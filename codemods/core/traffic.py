"""How many bytes a fill writes, as a formula in the names of the source."""

from __future__ import annotations

from codemods.core.size import ONE, Size, as_size

BYTES = {
    "bool": 1, "uint8": 1, "int8": 1, "float8_e4m3fn": 1, "float8_e5m2": 1, "int16": 2, "short": 2, "float16": 2,
    "half": 2, "bfloat16": 2, "int32": 4, "int": 4, "float32": 4, "float": 4, "int64": 8, "long": 8, "float64": 8,
    "double": 8, "complex64": 8, "complex128": 16,
}  # fmt: skip


def filled(shape: tuple[Size, ...] | None, keywords: dict[str, str]) -> str | None:
    """Bytes that filling a tensor of this shape writes; None where the shape is not known."""
    if shape is None:
        return None
    total = ONE
    for size in shape:
        total = total * size
    width = BYTES.get(keywords.get("dtype", "").removeprefix("torch."))
    if width is not None:
        return str(total * as_size(width))
    return f"itemsize*({total})" if len(total.terms) > 1 else f"itemsize*{total}"
