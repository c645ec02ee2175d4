"""Plain data from which a value is built, the same for each run, and how it is drawn."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import dataclass
from typing import Any

import torch

DTYPES = (torch.float32, torch.int64, torch.int32, torch.bool, torch.bfloat16, torch.uint8, torch.float8_e4m3fn)
SIZES = (1, 2, 3, 4, 6, 8, 16)
NAMES = {  # in messages
    torch.float32: re.compile("float32|FP32|float|Float"),
    torch.int64: re.compile("int64|[lL]ong"),
    torch.int32: re.compile("int32|Int"),
    torch.bool: re.compile("[bB]ool"),
    torch.bfloat16: re.compile("bfloat16|BF16|BFloat16"),
    torch.uint8: re.compile("uint8|Byte"),
    torch.float8_e4m3fn: re.compile("float8|FP8"),
}
NUMBER = re.compile(r"\b\d{1,3}\b")


@dataclass(frozen=True)
class Fill:
    """`kind`: what it is built from `value`: a tensor (shape, dtype), items (fills), a constant, or a stand-in."""

    kind: str
    value: Any = None


STAND_IN = Fill("stand-in")


@dataclass
class Draw:
    """Draws fills. `size` is the extent that most things have, so that shapes fit each other."""

    chance: random.Random
    size: int = 4
    words: tuple[Any, ...] = ()  # constants of the function

    def any(self, kinds: list[str]) -> Fill:
        if kinds and self.chance.random() < 0.85:
            return self.one(self.chance.choice(kinds))
        rest = ("int", "int", "tensor", "tensor", "tensor", "bool", "none", "list", "stand-in", "float", "str", "dtype")
        return self.one(self.chance.choice(rest))

    def one(self, kind: str) -> Fill:
        match kind:
            case "tensor":
                dtype = DTYPES[min(int(self.chance.expovariate(0.6)), len(DTYPES) - 1)]
                rank = self.chance.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, 4))
                return Fill("tensor", (tuple(self.extent() for _ in range(rank)), dtype, self.chance.randrange(3)))
            case "int":
                words = [word for word in self.words if isinstance(word, int) and not isinstance(word, bool)]
                return Fill(
                    "constant", self.chance.choice(words) if words and self.chance.random() < 0.3 else self.number()
                )
            case "bool":
                return Fill("constant", self.chance.random() < 0.5)
            case "none":
                return Fill("constant", None)
            case "default":
                return Fill("default")
            case "few":
                return Fill("constant", self.chance.choice((2, 2, 1, 3, 4)))
            case "float":
                return Fill("constant", self.chance.choice((0.5, 1.0, 2.0)))
            case "str":
                words = [word for word in self.words if isinstance(word, str)] or ["a"]
                return Fill("constant", self.chance.choice(words))
            case "dtype":
                return Fill("constant", self.chance.choice(DTYPES[:5]))
            case "device":
                return Fill("constant", torch.device("cpu"))
            case "ints":
                return Fill("list", tuple(self.one("int") for _ in range(self.chance.randrange(4))))
            case "tensors":
                first = self.one("tensor")
                return Fill("list", (first,) * self.chance.randrange(4))
            case "dict":
                return Fill("dict")
            case "of 1" | "of 2" | "of 3" | "of 4" | "of 5":
                count = int(kind[3:])
                row = Fill("list", (Fill("constant", 2),) * count)
                shape = self.chance.choice(((self.size,) * count, (2, count), (count,), (count, self.size)))
                whole = Fill("tensor", (shape, self.chance.choice(DTYPES[:2]), 2))
                return self.chance.choice((row, whole, whole, Fill("list", (row, row)), Fill("list", (whole,) * count)))
            case "list":
                kinds = [self.chance.choice(("int", "tensor", "stand-in", "ints"))] * self.chance.choice(
                    (1, 2, 2, 3, 0)
                )
                return Fill("list", tuple(map(self.one, kinds)))
        return Fill("constant", ast.literal_eval(kind[1:])) if kind.startswith("=") else STAND_IN

    def nudged(self, fill: Fill, others: list[Fill], message: str) -> Fill:
        """Something like it: of another shape, that of another tensor perhaps, or another number."""
        numbers = [number for number in map(int, NUMBER.findall(message)) if number <= 64] + [self.number()]
        match fill:
            case Fill("tensor", (shape, dtype, content)):
                tensors = [one.value[0] for one in others if one.kind == "tensor"] or [shape]
                at = self.chance.randrange(len(shape)) if shape else 0
                shapes = (
                    self.chance.choice(tensors),
                    (*shape[:at], self.chance.choice(numbers), *shape[at + 1 :]),
                    (*shape[:at], self.extent(), *shape[at:]),
                    (*shape[:at], *shape[at + 1 :]),
                )
                named = [one for one in DTYPES if NAMES[one].search(message)]
                match self.chance.randrange(2 if named else 6):
                    case 0:
                        return Fill("tensor", (shape, self.chance.choice(named or DTYPES), content))
                    case 1:
                        return Fill("tensor", (shape, dtype, self.chance.randrange(3)))
                return Fill("tensor", (self.chance.choice(shapes), dtype, content))
            case Fill("constant", bool(value)):
                return Fill("constant", not value)
            case Fill("constant", int(value)):
                return Fill("constant", self.chance.choice((*numbers, 2 * value, value + 1, max(value - 1, 0))))
            case Fill("list", items) if items and self.chance.random() < 0.5:
                return Fill("list", tuple(self.nudged(item, others, message) for item in items))
            case Fill("list", items):
                return Fill("list", (items * 8)[: self.chance.choice((1, 2, 3, *numbers[:2]))])
        return self.any([])

    def extent(self) -> int:
        roll = self.chance.random()
        return self.size if roll < 0.6 else 0 if roll > 0.97 else self.chance.choice(SIZES)

    def number(self) -> int:
        roll = self.chance.random()
        return self.size if roll < 0.4 else 0 if roll > 0.9 else self.chance.choice((*SIZES, 32, 64, 128))
