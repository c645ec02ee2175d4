"""A kernel of Triton before and after drop_store. It runs on a GPU only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl

BLOCK = 1024


@triton.jit
def twice(x, out, n, B: tl.constexpr):  # noqa: N803
    offset = tl.program_id(0) * B + tl.arange(0, B)
    mask = offset < n
    value = tl.load(x + offset, mask=mask)
    tl.store(out + offset, 0.0, mask=mask)
    tl.store(out + offset, value * 2.0, mask=mask)


@triton.jit
def once(x, out, n, B: tl.constexpr):  # noqa: N803
    offset = tl.program_id(0) * B + tl.arange(0, B)
    mask = offset < n
    value = tl.load(x + offset, mask=mask)
    tl.store(out + offset, value * 2.0, mask=mask)


def scaled(n: int, device: str) -> tuple[Callable[[], torch.Tensor], Callable[[], torch.Tensor]]:
    x = torch.rand(n, device=device)

    def launched(kernel: Any) -> Callable[[], torch.Tensor]:
        def call() -> torch.Tensor:
            out = torch.empty(n, device=device)
            kernel[(triton.cdiv(n, BLOCK),)](x, out, n, B=BLOCK)
            return out

        return call

    return launched(twice), launched(once)
