"""Calls in a kernel: the language's own functions, and those of the module, which are traced in place."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Literal

from codemods.core.access import Access
from codemods.core.condition import TRUE, Condition, both
from codemods.core.poly import ONE, ZERO, Atom, Poly, cdiv, least, most, poly, pow2
from codemods.read.blocks import Blocks, Given
from codemods.read.inline import reaches
from codemods.read.lanes import (
    NOTHING,
    Block,
    Code,
    Num,
    Plain,
    Pointer,
    Row,
    Truth,
    Value,
    joined,
    known,
    lane,
    moved,
    rank,
    truth,
    why,
)
from codemods.read.operate import MACHINE
from codemods.read.trace import NotUnderstood
from codemods.read.triton import LANGUAGE, METHODS, RANGES, pure

SAME = frozenset("multiple_of max_contiguous max_constancy".split())
SILENT = frozenset("debug_barrier static_assert static_print device_print device_assert assume".split())
REDUCE = frozenset("sum max min argmax argmin reduce xor_sum".split())
GRID = {"program_id": "pid", "num_programs": "programs"}
Kind = Literal["load", "store", "atomic"]


class Calls(Blocks):
    def call(self, node: ast.Call) -> Value:
        called = self.callee(node)
        if any(isinstance(part, ast.Starred) for part in node.args) or any(not word.arg for word in node.keywords):
            raise NotUnderstood(f"`{ast.unparse(node)[:40]}`, line {node.lineno}")
        if isinstance(called, Code) and called.function is not None:
            return self.inline(called, node)
        if isinstance(called, Code) and called.path:
            return self.known_call(called.path, node)
        if isinstance(called, Code):
            return self.foreign(node, [])
        assert isinstance(node.func, ast.Attribute)
        return self.method(node, node.func.attr, called)

    def callee(self, node: ast.Call) -> Value:
        """What is called, or the value whose method it is."""
        match node.func:
            case ast.Attribute(value=value):
                found = self.attribute_path(node.func)
                return found if found is not None else self.value(value)
        found = self.value(node.func)
        return found if isinstance(found, Code) else Code(None)

    def attribute_path(self, node: ast.Attribute) -> Value | None:
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or root.id in self.state.frame.env:
            return None
        found = self.attribute(node)
        return found if isinstance(found, Code) and found.path else None

    # --- the language

    def known_call(self, path: str, node: ast.Call) -> Value:
        name = path.rpartition(".")[2]
        if path in ("triton.cdiv", LANGUAGE + "cdiv"):
            given = self.given(node, "x", "div")
            return self.cdiv(given.get("x", NOTHING), given.get("div", NOTHING))
        if path == "triton.next_power_of_2":
            number = self.number(self.value(node.args[0]))
            return self.unknown("a number", number) if why(number) else Num(pow2(number.value), number.rank)
        if path.startswith("builtins."):
            return self.builtin(name, node)
        if path.startswith(LANGUAGE) and path.count(".") == 2:
            return self.language(name, node, path)
        values = [self.value(part) for part in node.args] + [self.value(word.value) for word in node.keywords]
        if pure(path):
            return self.unknown(f"`{name}(..)`", *values)
        return self.foreign(node, values)

    def builtin(self, name: str, node: ast.Call) -> Value:
        values = [self.value(part) for part in node.args]
        match name, values:
            case "min" | "max", [one, two]:
                return self.extreme(name, one, two)
            case "int", [Num() | Truth() as one]:
                return self.number(one)
            case "float", [Plain(value=str() | float() | int() as plain)]:
                return Plain(float(plain))
            case "len", [Row(items=items)]:
                return Num(poly(len(items)))
        return self.foreign(node, values)

    def language(self, name: str, node: ast.Call, path: str) -> Value:
        if name in GRID:
            return self.place(name, node)
        match name:
            case "load" | "store":
                return self.access(name, node)
            case "arange":
                given = self.given(node, "start", "end")
                return self.arange(given.get("start", NOTHING), given.get("end", NOTHING), node)
            case "zeros" | "full":
                return self.filled(name, node)
            case "where":
                given = self.given(node, "condition", "x", "y")
                return self.where(truth(given["condition"]), given)
            case "minimum" | "maximum":
                given = self.given(node, "x", "y", "propagate_nan")
                return self.extreme(name[:3], given["x"], given["y"])
            case "cast":
                return self.converted(self.given(node, "input", "dtype", "fp_downcast_rounding", "bitcast"), node)
            case "constexpr":
                return self.value(node.args[0])
            case "pointer_type":
                return Code(None, None, "a pointer type")
            case "make_block_ptr" | "make_tensor_descriptor" | "advance":
                return self.block(name, node)
        values = [self.value(part) for part in node.args]
        more = [self.value(word.value) for word in node.keywords]
        if name.startswith("atomic_"):
            return self.atomic(name, node, values)
        if name in SILENT:
            return NOTHING
        if name in SAME:
            return values[0]
        if values and (shaped := self.shaped(name, node, values)) is not None:
            return shaped
        if name in REDUCE and values and not reaches(values[0]):
            return replace(self.unknown(f"`tl.{name}(..)`", *values), rank=max(rank(values[0]) - 1, 0))
        if pure(path) or not any(map(reaches, values + more)):
            return self.unknown(f"`tl.{name}(..)`", *values)
        raise NotUnderstood(f"`tl.{name}(..)`, line {node.lineno}")

    def place(self, name: str, node: ast.Call) -> Value:
        axis = known(self.given(node, "axis").get("axis", Num(ZERO)))
        if axis is None or not 0 <= axis <= 2:
            raise NotUnderstood(f"an axis of the grid, line {node.lineno}")
        extent = self.state.grid[axis]
        if name == "num_programs":
            return Num(extent)
        return Num(ZERO) if extent == ONE else Num(poly(Atom("pid", (axis,), True)))

    def arange(self, start: Value, end: Value, node: ast.Call) -> Value:
        low, high = self.number(start), self.number(end)
        if why(low, high):
            return replace(self.state.blind("the length of an arange", node.lineno), rank=1)
        length = high.value - low.value
        self.lengthy(length)
        return Num(low.value if length == ONE else low.value + poly(lane(0, length)), 1)

    def filled(self, name: str, node: ast.Call) -> Value:
        given = self.given(node, *(("shape", "value", "dtype") if name == "full" else ("shape", "dtype")))
        shape = given.get("shape", NOTHING)
        wide = len(shape.items) if isinstance(shape, Row) else 1
        value = given.get("value", Num(ZERO))
        if isinstance(value, Num):
            return replace(value, rank=wide)
        return replace(self.unknown(f"`tl.{name}(..)`", value), rank=wide)

    def where(self, test: Condition, given: Given) -> Value:
        wide = max(map(rank, given.values()))
        one, two = given.get("x", NOTHING), given.get("y", NOTHING)
        if isinstance(one, Plain) or isinstance(two, Plain):
            return Num(self.unknown("`tl.where(..)`", one, two).value, wide)
        found = joined(test, one, two, self.state.blind)
        return replace(found, rank=wide) if isinstance(found, Num | Truth | Pointer) else found

    def extreme(self, name: str, one: Value, two: Value) -> Value:
        left, right = self.number(one), self.number(two)
        wide = max(left.rank, right.rank)
        if cause := why(left, right):
            return Num(self.state.blind(cause).value, wide)
        return Num((least if name == "min" else most)(left.value, right.value), wide)

    def cdiv(self, value: Value, by: Value) -> Value:
        one, two = self.number(value), self.number(by)
        if not why(one, two) and self.state.natural(one.value) and self.state.natural(two.value - 1):
            return Num(cdiv(one.value, two.value), max(one.rank, two.rank))
        return self.unknown("`cdiv` of numbers that may be negative", one, two)

    def converted(self, given: Given, node: ast.Call) -> Value:
        """`.to(dtype)`: 32 and 64 bits hold every number that counts elements."""
        value, target = given.get("input", NOTHING), given.get("dtype", NOTHING)
        name = target.path.rpartition(".")[2] if isinstance(target, Code) else ""
        if isinstance(value, Pointer):
            return replace(value, offset=None)
        if "bitcast" in given or not isinstance(value, Num | Truth):
            return self.unknown("a conversion", value)
        if name in ("int32", "int64", "int1") and isinstance(value, Truth):
            return value if name == "int1" else self.number(value)
        if name in ("int32", "int64"):
            return value
        if name in MACHINE and isinstance(value, Num) and value.value.constant in range(128):
            return value
        if isinstance(value, Num) and why(value) is None and isinstance(target, Code) and "float" in name:
            return self.unknown("a conversion", value)
        unpointed = isinstance(target, Code) and target.path and "pointer" not in target.path
        if unpointed or isinstance(target, Pointer) or not why(value):  # no argument is a type of pointers
            return self.unknown("a conversion", value)
        return Pointer(None, None, value.rank)

    def shaped(self, name: str, node: ast.Call, values: list[Value]) -> Value | None:
        """Functions that only arrange the lanes of a tensor in another way."""
        value = values[0]
        if not isinstance(value, Num | Truth | Pointer):
            return None
        match name, values:
            case "expand_dims", [_, axis] if value.rank and known(axis) is not None:
                place = (known(axis) or 0) % (value.rank + 1)
                behind = value.rank - place  # how many axes come after the new one
                axes = {old: old if old < behind else old + 1 for old in range(value.rank)}
                return moved(value, axes, value.rank + 1, self.state.blind)
            case "broadcast_to", [_, Row(items=items)] if len(items) >= value.rank:
                return replace(value, rank=len(items))
            case "trans" | "permute", [_] if value.rank == 2:
                return moved(value, {0: 1, 1: 0}, 2, self.state.blind)
            case "broadcast", [_, other]:
                return replace(value, rank=max(value.rank, rank(other)))
            case "reshape" | "view" | "ravel" | "trans" | "permute" | "expand_dims" | "broadcast_to" | "flip", _:
                if isinstance(value, Pointer):
                    return replace(value, offset=None)
                wide = len(values[1].items) if len(values) > 1 and isinstance(values[1], Row) else 1
                return replace(self.unknown(f"`tl.{name}(..)`", value), rank=wide)
        return None

    # --- memory

    def access(self, kind: Kind, node: ast.Call) -> Value:
        names = ("pointer", "mask", "other") if kind == "load" else ("pointer", "value", "mask")
        given = self.given(node, *names, "boundary_check", "padding_option", "cache_modifier", "eviction_policy")
        pointer, mask = given.get("pointer", NOTHING), given.get("mask", NOTHING)
        test = TRUE if isinstance(mask, Plain) and mask.value is None else truth(mask)
        if isinstance(pointer, Block):
            target, inside = self.unrolled(pointer, self.checked(pointer, given.get("boundary_check", NOTHING)))
            test = both(test, inside)
        elif isinstance(pointer, Pointer):
            target = pointer
        else:
            target = Pointer(None, None, max(rank(pointer), rank(mask)))
        return self.record(kind, target, test, node, given.get("value"))

    def record(self, kind: Kind, target: Pointer, test: Condition, node: ast.Call, value: Value | None) -> Value:
        state = self.state
        result = state.blind(f"`{self.short(node)}`", node.lineno) if kind != "store" else None
        if isinstance(value, Pointer) and not value.maybe:
            raise NotUnderstood(f"a pointer that is stored, line {node.lineno}")
        number = value.value if isinstance(value, Num) else None
        order, atom = state.count, None
        if result is not None:
            (atom,) = result.value.atoms
        place = state.frame.module.path
        found = Access(
            kind, target.bases, target.offset, both(*state.path, test), state.loops, node.lineno, self.short(node),
            number, atom, order, place,
        )  # fmt: skip
        if not state.dry:
            state.accesses.append(found)
        state.count += 1
        return NOTHING if result is None else replace(result, rank=target.rank)

    def atomic(self, name: str, node: ast.Call, values: list[Value]) -> Value:
        pointer = values[0] if values else self.given(node, "pointer").get("pointer", NOTHING)
        target = pointer if isinstance(pointer, Pointer) else Pointer(None, None, rank(pointer))
        return self.record("atomic", target, TRUE, node, None)

    # --- methods and functions

    def method(self, node: ast.Call, name: str, value: Value) -> Value:
        if isinstance(value, Block) and name in ("load", "store"):
            given = self.given(node, *(("offsets",) if name == "load" else ("offsets", "value")))
            offsets = self.numbers(given.get("offsets", NOTHING))
            if not value.descriptor or len(offsets) != len(value.sizes):
                raise NotUnderstood(f"`{self.short(node)}`, line {node.lineno}")
            block = replace(value, offsets=offsets)
            target, inside = self.unrolled(block, self.checked(block, NOTHING))
            return self.record("load" if name == "load" else "store", target, inside, node, given.get("value"))
        if name == "to":
            return self.converted(
                {"input": value, **self.given(node, "dtype", "fp_downcast_rounding", "bitcast")}, node
            )
        values = [self.value(part) for part in node.args] + [self.value(word.value) for word in node.keywords]
        if name in REDUCE and isinstance(value, Num | Truth):
            return replace(self.unknown(f"`.{name}(..)`", value), rank=max(rank(value) - 1, 0))
        if (
            isinstance(value, Num | Truth | Pointer)
            and (shaped := self.shaped(name, node, [value, *values])) is not None
        ):
            return shaped
        if name in METHODS and not reaches(value):
            return self.unknown(f"`.{name}(..)`", value, *values)
        return self.foreign(node, [value, *values])

    def range(self, node: ast.For) -> tuple[Poly, Poly, Poly] | None:
        match node.iter:
            case ast.Call(func=func, args=args, keywords=words) if not node.orelse and 1 <= len(args) <= 3:
                called = self.value(func)
                if not isinstance(called, Code) or called.path not in RANGES:
                    return None
                if not {word.arg for word in words} <= RANGES[called.path]:
                    return None  # `step=` is one of them
                bounds = [self.number(self.value(part)).value for part in args]
                low = bounds[0] if len(bounds) > 1 else ZERO
                return low, bounds[min(len(bounds) - 1, 1)], bounds[2] if len(bounds) > 2 else ONE
        return None
