"""Blocks of a tensor: block pointers and descriptors as pointers and masks, and how many lanes a tensor has."""

from __future__ import annotations

import ast
from dataclasses import replace

from codemods.core.condition import Condition, at_least, below, both
from codemods.core.poly import ONE, ZERO, Atom, Poly, deep, poly
from codemods.read.inline import Functions
from codemods.read.lanes import NOTHING, Block, Num, Plain, Pointer, Row, Value, known, lane, why
from codemods.read.trace import NotUnderstood

Given = dict[str, Value]


class Blocks(Functions):
    def __init__(self) -> None:
        self.texts: dict[ast.Call, str] = {}

    def short(self, node: ast.Call) -> str:
        """As the source writes it; a kernel is traced more than once."""
        if node not in self.texts:
            text = " ".join(ast.unparse(node).split())
            self.texts[node] = text if len(text) <= 60 else text[:57] + "..."
        return self.texts[node]

    def given(self, node: ast.Call, *names: str) -> Given:
        found = dict(zip(names, map(self.value, node.args), strict=False))
        if len(node.args) > len(names):
            raise NotUnderstood(f"the arguments of `{ast.unparse(node.func)}`, line {node.lineno}")
        return found | {word.arg or "": self.value(word.value) for word in node.keywords}

    def lengthy(self, length: Poly) -> None:
        """A tensor has at least one lane along each axis, or the kernel does not compile."""
        if not self.state.undecided and all(map(_at_run_time, self.state.path)) and len(length.terms) == 1:
            self.state.positive |= _factors(length)

    def block(self, name: str, node: ast.Call) -> Value:
        if name == "advance":
            given = self.given(node, "base", "offsets")
            return self.advanced_block(given.get("base", NOTHING), given.get("offsets", NOTHING))
        names = {
            "make_block_ptr": ("base", "shape", "strides", "offsets", "block_shape", "order"),
            "make_tensor_descriptor": ("base", "shape", "strides", "block_shape", "padding_option"),
        }[name]
        given = self.given(node, *names)
        base = given.get("base", NOTHING)
        shape, strides, sizes = (self.numbers(given.get(key, NOTHING)) for key in ("shape", "strides", "block_shape"))
        offsets = self.numbers(given["offsets"]) if "offsets" in given else tuple(Num(ZERO) for _ in sizes)
        if not isinstance(base, Pointer) or len({len(shape), len(strides), len(sizes), len(offsets)}) != 1:
            raise NotUnderstood(f"`{self.short(node)}`, line {node.lineno}")
        for size in sizes:
            self.lengthy(size.value)
        return Block(base, shape, strides, offsets, sizes, name == "make_tensor_descriptor")

    def numbers(self, value: Value) -> tuple[Num, ...]:
        return tuple(self.number(item) for item in value.items) if isinstance(value, Row) else ()

    def advanced_block(self, block: Value, by: Value) -> Value:
        more = self.numbers(by)
        if not isinstance(block, Block) or len(more) != len(block.offsets):
            return replace(block.base, offset=None) if isinstance(block, Block) else self.unknown("a block", block)
        offsets = tuple(Num(old.value + new.value) for old, new in zip(block.offsets, more, strict=True))
        return replace(block, offsets=offsets)

    def checked(self, block: Block, boundary: Value) -> tuple[int, ...]:
        """The dimensions whose bounds an access of a block looks at."""
        if block.descriptor:
            return tuple(range(len(block.sizes)))
        if isinstance(boundary, Row):
            found = [known(item) for item in boundary.items]
            if None not in found:
                return tuple(item for item in found if item is not None)
        if isinstance(boundary, Plain) and not boundary.value:
            return ()
        raise NotUnderstood("a boundary check")

    def unrolled(self, block: Block, checked: tuple[int, ...]) -> tuple[Pointer, Condition]:
        """The pointer and the mask that a block pointer stands for."""
        total, tests, wide = block.base.offset, [], len(block.sizes)
        for dimension, (size, stride, offset) in enumerate(zip(block.sizes, block.strides, block.offsets, strict=True)):
            index = offset.value
            if size.value != ONE:
                index = index + poly(lane(wide - 1 - dimension, size.value))
            total = None if total is None else total + index * stride.value
            if dimension in checked:
                blind = why(offset, block.shape[dimension])
                within = both(at_least(index), below(index, block.shape[dimension].value))
                tests.append(blind or within)
        return replace(block.base, offset=total, rank=wide), both(*tests)


def _factors(length: Poly) -> frozenset[Atom]:
    """The unknowns of a product that is >= 1, where they must all be; the next power of two is 0 of what is not."""
    if len(length.terms) != 1:
        return frozenset()
    ((monomial, factor),) = length.terms.items()
    hidden = [atom for atom in monomial if not atom.natural]
    if factor <= 0 or len(hidden) > 1:
        return frozenset()
    inner = [part for atom in monomial if atom.kind == "pow2" for part in atom.parts if isinstance(part, Poly)]
    return frozenset(monomial).union(*map(_factors, inner))


def _at_run_time(test: Condition) -> bool:
    """The compiler cannot decide it: what is behind it is compiled in any case."""
    return bool(test.polys()) and all(any(atom.kind in ("pid", "turn") for atom in deep(part)) for part in test.polys())
