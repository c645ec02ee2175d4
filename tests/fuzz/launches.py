"""Random kernels in Triton's interpreter: the launch in both forms, on small sizes.

What has no meaning is no counterexample (docs/what-we-trust.md): an access outside of the tensors that were passed, and
programs of one launch that look at, or overwrite otherwise, what another one stores.
"""

from __future__ import annotations

import os

os.environ["TRITON_INTERPRET"] = "1"

import functools
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from fuzz.campaign import Outcome, Rewritten, rewrite
from fuzz.kernels import kernel_program
from fuzz.oracle import POISONS, Input, Program, difference, observe
from triton.runtime import interpreter

INPUTS = (
    Input(),
    Input(n=4, k=1, flag=False),
    Input(extent=3, n=3, k=2),
    Input(extent=6, n=5, k=3),
    Input(extent=6, n=6, k=4),
    Input(extent=5, n=3, k=5),
    Input(extent=1, n=1, k=1),
    Input(extent=8, n=7, k=0),
    Input(extent=4, n=0, k=2),
    Input(layout="same"),
    Input(extent=5, n=4, layout="overlap"),
)


class NoMeaning(Exception):
    pass


@dataclass
class Accesses:
    """Of the launch that runs now. `ranges`: of addresses; `stored`: by address, the programs and their values."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    stored: dict[int, tuple[set[Any], set[bytes]]] = field(default_factory=dict)
    seen: dict[int, set[Any]] = field(default_factory=dict)

    def start(self, given: list[Any]) -> None:
        self.stored, self.seen = {}, {}
        self.ranges = [_span(one) for one in given if isinstance(one, torch.Tensor) and one.numel()]

    def inside(self, address: int, size: int) -> None:
        if not any(low <= address and address + size <= high for low, high in self.ranges):
            raise NoMeaning("outside of the tensors")

    def load(self, address: int, program: Any) -> None:
        if address in self.stored and self.stored[address][0] != {program}:
            raise NoMeaning("it looks at what another program stores")
        self.seen.setdefault(address, set()).add(program)

    def store(self, address: int, program: Any, value: Any) -> None:
        if self.seen.get(address, set()) - {program}:
            raise NoMeaning("another program looks at it")
        programs, values = self.stored.setdefault(address, (set(), set()))
        programs.add(program)
        values.add(value.tobytes())
        if len(programs) > 1 and len(values) > 1:
            raise NoMeaning("another program stores another value")


ACCESSES = Accesses()


def _span(tensor: torch.Tensor) -> tuple[int, int]:
    last = sum((extent - 1) * stride for extent, stride in zip(tensor.shape, tensor.stride()))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def watch_kernels() -> None:
    """From now on the interpreter says what it accesses. Done once."""
    builder, executor = interpreter.InterpreterBuilder, interpreter.GridExecutor
    if hasattr(builder.create_masked_load, "__wrapped__"):
        return
    load, store, start = builder.create_masked_load, builder.create_masked_store, executor._init_args_hst

    @functools.wraps(load)
    def loads(self: Any, ptrs: Any, mask: Any, *rest: Any) -> Any:
        for _, address in _lanes(ptrs, mask):
            ACCESSES.inside(address, ptrs.get_element_ty().primitive_bitwidth // 8)
            ACCESSES.load(address, self.grid_idx)
        return load(self, ptrs, mask, *rest)

    @functools.wraps(store)
    def stores(self: Any, ptrs: Any, value: Any, mask: Any, *rest: Any) -> Any:
        values = np.broadcast_to(value.data, ptrs.data.shape).ravel()
        for place, address in _lanes(ptrs, mask):
            ACCESSES.inside(address, ptrs.get_element_ty().primitive_bitwidth // 8)
            ACCESSES.store(address, self.grid_idx, values[place])
        return store(self, ptrs, value, mask, *rest)

    def starts(self: Any, given: Any, words: Any) -> Any:
        made = start(self, given, words)
        ACCESSES.start([*made[0], *made[1].values()])
        return made

    builder.create_masked_load, builder.create_masked_store, executor._init_args_hst = loads, stores, starts


def _lanes(ptrs: Any, mask: Any) -> Iterator[tuple[int, int]]:
    addresses = ptrs.data.ravel()
    on = np.broadcast_to(mask.data, ptrs.data.shape).ravel()
    for place in np.flatnonzero(on):
        yield place, int(addresses[place])


def attempt_kernel(seed: int) -> Outcome:
    """As `attempt`, of a program with kernels."""
    watch_kernels()
    interpreter.InterpretedFunction.rewritten_fn.clear()
    linecache.clearcache()
    source = kernel_program(seed)
    try:
        before = Program.of(source)
    except SyntaxError:
        return Outcome(seed, source, Rewritten(source), valid=False)
    rewritten = rewrite(source)
    if rewritten.text == source:
        runs = any(observe(before, given, POISONS[0])[0] == "returned" for given in INPUTS[:2])
        return Outcome(seed, source, rewritten, valid=runs)
    inputs = INPUTS[:4] if "\ndef g(" in source else INPUTS  # `g` is called with tensors that hardly depend on them
    found, returned = difference(before, Program.of(rewritten.text), inputs)
    return Outcome(seed, source, rewritten, found, returned, returned > 0)
