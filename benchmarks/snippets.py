"""Before and after of each codemod, and of what others claim, as calls that may be repeated, and captured in a graph.

A second call of a side does the same as the first. Tensors are of float32, with one dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Run = Callable[[], torch.Tensor]
Sides = Callable[[int, str], tuple[Run, Run]]
TURNS = 8


@dataclass(frozen=True, slots=True)
class Snippet:
    """`sides(elements, device)` gives the two calls; `equal`: their results hold the same values."""

    codemod: str
    name: str
    sides: Sides
    equal: bool = True


def overwritten(n: int, device: str) -> tuple[Run, Run]:
    x = torch.rand(n, device=device)

    def before() -> torch.Tensor:
        out = torch.zeros(n, device=device)
        out.copy_(x)
        return out

    def after() -> torch.Tensor:
        out = torch.empty(n, device=device)
        out.copy_(x)
        return out

    return before, after


def gap(n: int, device: str) -> tuple[Run, Run]:
    x = torch.rand(n - 1, device=device)

    def before() -> torch.Tensor:
        out = torch.zeros(n, device=device)
        out[1:] = x
        return out

    def after() -> torch.Tensor:
        out = torch.empty(n, device=device)
        out[:1].zero_()
        out[1:] = x
        return out

    return before, after


def refilled(n: int, device: str) -> tuple[Run, Run]:
    x, out = torch.rand(n, device=device), torch.empty(n, device=device)

    def before() -> torch.Tensor:
        out.zero_()
        out.copy_(x)
        return out

    def after() -> torch.Tensor:
        out.copy_(x)
        return out

    return before, after


def joined(n: int, device: str) -> tuple[Run, Run]:
    x = torch.rand(n, device=device)

    def before() -> torch.Tensor:
        return torch.cat([x.new_zeros(1), x])

    def after() -> torch.Tensor:
        return torch.nn.functional.pad(x, (1, 0))

    return before, after


def updated(n: int, device: str) -> tuple[Run, Run]:
    def before() -> torch.Tensor:
        x = torch.full((n,), 2.0, device=device)
        x = x - 1
        return x  # noqa: RET504 - the rewrite is of the statement above

    def after() -> torch.Tensor:
        x = torch.full((n,), 2.0, device=device)
        x.sub_(1)
        return x

    return before, after


def preallocated(birth: Callable[..., torch.Tensor]) -> Sides:
    def sides(n: int, device: str) -> tuple[Run, Run]:
        x = torch.rand(n, device=device)

        def before() -> torch.Tensor:
            w = birth(n, device=device)
            w = x + 1
            return w  # noqa: RET504

        def after() -> torch.Tensor:
            w = x + 1
            return w  # noqa: RET504

        return before, after

    return sides


def scratch(n: int, device: str) -> tuple[Run, Run]:
    """A call has TURNS turns, of n / TURNS elements each."""
    turns = min(TURNS, n)
    xs = torch.rand(turns, n // turns, device=device)

    def before() -> torch.Tensor:
        out = torch.empty_like(xs)
        for i in range(turns):
            row = torch.empty(n // turns, device=device)
            row.copy_(xs[i])
            row.mul_(2)
            out[i] = row
        return out

    def after() -> torch.Tensor:
        out = torch.empty_like(xs)
        row = torch.empty(n // turns, device=device)
        for i in range(turns):
            row.copy_(xs[i])
            row.mul_(2)
            out[i] = row
        return out

    return before, after


def only_allocated(n: int, device: str) -> tuple[Run, Run]:
    return lambda: torch.zeros(n, device=device), lambda: torch.empty(n, device=device)


def first_filled(n: int, device: str) -> tuple[Run, Run]:
    def after() -> torch.Tensor:
        out = torch.empty(n, device=device)
        out[:1].zero_()
        return out

    return lambda: torch.zeros(n, device=device), after


def assembled(n: int, device: str) -> tuple[Run, Run]:
    x = torch.rand(n, device=device)

    def before() -> torch.Tensor:
        return torch.cat([torch.zeros(1, device=device), x])

    def after() -> torch.Tensor:
        return torch.nn.functional.pad(x, (1, 0))

    return before, after


def stores() -> tuple[Snippet, ...]:
    """What needs a GPU to run: a kernel of Triton."""
    from kernels import scaled

    return (Snippet("drop_store", "a store that another follows", scaled),)


SNIPPETS = (
    Snippet("zeros_to_empty", "zeros, then copy_ of all", overwritten),
    Snippet("drop_fill", "zero_ of a kept buffer, then copy_", refilled),
    Snippet("cat_to_pad", "cat of new_zeros(1) and x", joined),
    Snippet("make_inplace", "x = x - 1 after full", updated),
    Snippet("drop_prealloc", "empty, then x + 1", preallocated(torch.empty)),
    Snippet("drop_prealloc", "zeros, then x + 1", preallocated(torch.zeros)),
    Snippet("hoist_buffer", f"empty in {TURNS} turns", scratch),
    Snippet("claim", "empty over zeros, never touched", only_allocated, equal=False),
    Snippet("claim", "pad over zeros(1) and cat", assembled),
    Snippet("by hand", "empty and [:1].zero_(), never touched", first_filled, equal=False),
    Snippet("by hand", "empty and [:1].zero_(), then [1:] = x", gap),
)
