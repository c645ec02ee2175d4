"""The vocabulary of random programs: sizes, numbers, values and views.

Everything is chosen for one base input, on which every program should run: n == 4, k == 2, vectors of 4, matrices
of 4 x 4. An expression is picked by what it is worth there; on the other inputs it is worth something else, and
that is where a wrong proof shows itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
Dims = tuple[int, ...]
Lines = tuple[str, ...]

SIZES = {
    0: ["0", "n - 4", "k - 2", "n - len(x)"],
    1: ["1", "1", "k - 1", "n // 4", "n - 3"],
    2: ["2", "2", "k", "k", "n // 2", "n - k", "n - 2", "len(xs) // 2"],
    3: ["3", "n - 1", "k + 1", "x.shape[0] - 1"],
    4: [
        "4",
        "4",
        "n",
        "n",
        "n",
        "x.shape[0]",
        "x.shape[0]",
        "x.size(0)",
        "len(x)",
        "x.numel()",
        "w.shape[1]",
        "w.size(0)",
        "y.shape[-1]",
        "len(xs)",
        "k + k",
        "2 * k",
        "rows",
        "cols",
        "n - k + k",
        "k + 2",
    ],
    8: ["8", "2 * n", "n * k"],
    16: ["16", "n * n", "w.numel()", "n * x.shape[0]", "rows * cols"],
}
FILLS = ["1.0", "2.5", "0.0", "-3.0", "float(n)", "7", "0", "k"]
VECTORS = ["x", "y", "x + y", "w[0]", "x * 2", "w[:, 1]", "y.clone()", "torch.arange(4.0)", "m.float()", "x[:]", "-y"]
VALUES = {
    (4,): VECTORS,
    (4, 4): ["w", "w + 1", "w.t()", "x", "w * 2", "w.clone()", "y[None]", "torch.outer(x, y)"],
    (2,): ["x[:2]", "y[2:]", "x[:k]", "y[k:]", "w[0, :2]", "x[::2]"],
    (3,): ["x[1:]", "y[:-1]", "x[:3]", "y[:n - 1]"],
    (2, 4): ["w[:2]", "w[k:]", "x"],
    (4, 2): ["w[:, :2]", "w[:, k:]", "x[:2]"],
    (16,): ["w.reshape(-1)", "w.flatten()"],
    (2, 2): ["w[:2, :2]", "w[k:, :k]"],
    (): ["x[0]", "y[-1]", "x.sum()", "w[1, 2]", "idx.float()"],
}


@dataclass(frozen=True)
class Callee:
    """A function beside `f`. `method`: it is called on `self`."""

    name: str
    text: Lines
    method: bool = False


@dataclass
class Draw:
    """A source of choices, and what the program has named so far."""

    rng: random.Random
    known: dict[str, Dims] = field(default_factory=dict)  # tensors, views and aliases
    boxes: list[str] = field(default_factory=list)  # lists that hold some
    used: int = 0
    callees: list[Callee] = field(default_factory=list)
    methods: bool = False  # most callees are called on `self`

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def one(self, options: Sequence[T]) -> T:
        return self.rng.choice(options)

    def name(self, prefix: str) -> str:
        self.used += 1
        return f"{prefix}{self.used}"

    def tensor(self, dims: Dims, prefix: str = "o") -> str:
        name = self.name(prefix)
        self.known[name] = dims
        return name

    def index_name(self) -> str:
        return self.one(["i", "j", self.name("i")])

    def any(self) -> str:
        """A name of some tensor, mostly a late one."""
        names = list(self.known) or ["x"]
        return names[-1] if self.chance(0.3) else self.one(names)

    def any_of(self, dims: Dims) -> str | None:
        names = [name for name, other in self.known.items() if other == dims]
        return self.one(names) if names else None


def size(d: Draw, worth: int) -> str:
    return d.one(SIZES.get(worth, [str(worth)]))


def index(d: Draw) -> str:
    return d.one(["0", "1", "2", "3", "-1", "-2", "k", "k - 1", "n - 1", "-k", "idx", "int(idx)", "n - k", "k + 1"])


def value(d: Draw, dims: Dims) -> str:
    """Something that can be assigned to a part with these dimensions."""
    if d.chance(0.1) and (other := d.any_of(dims)):
        return other
    if d.chance(0.35):
        return d.one(FILLS)
    return d.one(VALUES.get(dims) or FILLS)


def tensor_value(d: Draw, dims: Dims) -> str:
    """The same, certainly a tensor."""
    options = VALUES.get(dims)
    return d.one(options) if options and d.chance(0.9) else f"torch.tensor({d.one(['1.0', '2.0'])})"


def dimensions(d: Draw) -> Dims:
    return d.one(
        [
            (4,),
            (4,),
            (4,),
            (4,),
            (4, 4),
            (4, 4),
            (4, 2),
            (2, 4),
            (2,),
            (2, 2),
            (4, 4, 4),
            (3,),
            (4, 1),
            (16,),
            (1,),
            (1, 4),
            (0,),
            (4, 0),
        ]
    )


FILLING: list[Callable[[Draw, str], str]] = [
    lambda d, shape: f"torch.zeros({shape})",
    lambda d, shape: f"torch.zeros(({shape},))",
    lambda d, shape: f"torch.ones({shape})",
    lambda d, shape: f"torch.ones([{shape}], dtype=torch.float32)",
    lambda d, shape: f"torch.full(({shape},), {d.one(['1.5', '-1.0', '0.0'])})",
    lambda d, shape: f"torch.full([{shape}], 3, dtype=torch.float32)",
    lambda d, shape: f"x.new_zeros({shape})",
    lambda d, shape: f"x.new_ones(({shape},))",
    lambda d, shape: f"w.new_full(({shape},), 2.5)",
    lambda d, shape: f"torch.zeros({shape}, dtype=x.dtype, device=x.device)",
    lambda d, shape: f"torch.zeros(size=({shape},), dtype=torch.float64)",
]


def birth(d: Draw, dims: Dims, filled: float = 0.9) -> str:
    """An allocation, mostly one that fills."""
    shape = ", ".join(size(d, extent) for extent in dims)
    donor = {(4,): ["x", "y", "m.float()"], (4, 4): ["w", "w.t()"]}.get(dims)
    if donor and d.chance(0.2):
        made = d.one(["torch.zeros_like({})", "torch.ones_like({})", "torch.full_like({}, 2.0)"]).format(d.one(donor))
    elif dims == (4,) and d.chance(0.1):
        made = d.one(["torch.zeros(x.shape)", "torch.ones(*x.shape)", "torch.zeros(x.size())", "x.new_zeros(y.shape)"])
    elif d.chance(filled):
        made = d.one(FILLING)(d, shape)
    else:
        made = d.one([f"torch.empty({shape})", f"torch.empty(({shape},))", f"x.new_empty({shape})"])
    if d.chance(0.08):
        made += d.one([".zero_()", ".fill_(2.0)", ".fill_(k)"])
    return made


def indent(lines: Sequence[str]) -> Lines:
    return tuple("    " + line for line in lines)


def block(header: str, *body: Lines) -> Lines:
    """A compound statement."""
    return (header, *indent([line for lines in body for line in lines] or ["pass"]))
