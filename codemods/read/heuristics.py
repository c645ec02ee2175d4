"""What the heuristics around a kernel choose, and which arguments they look at: they run before each launch."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from codemods.core.syntax import children
from codemods.read.graph import arguments_of
from codemods.read.modules import KernelSource, Module
from codemods.read.triton import resolve

HEURISTICS = "triton.heuristics"
QUIET = frozenset("shape dtype device ndim is_cuda itemsize".split())
ASKED = frozenset("size stride dim numel element_size is_contiguous data_ptr".split())
PURE = frozenset(
    f"builtins.{name}" for name in "min max int bool len float abs isinstance type any all sum round str".split()
)


@dataclass(frozen=True, slots=True)
class Heuristics:
    """`names`: parameters that they set, whatever is passed by keyword. `looked`: parameters whose memory they may look
    at. `unseen`: what is not understood of them."""

    names: frozenset[str] = frozenset()
    looked: frozenset[str] = frozenset()
    unseen: str = ""


def heuristics(source: KernelSource) -> Heuristics:
    names: set[str] = set()
    looked: set[str] = set()
    for call in source.around:
        if resolve(call.func, source.module.names)[0] != HEURISTICS:
            continue
        given = [*call.args, *(word.value for word in call.keywords if word.arg == "values")]
        match given:
            case [ast.Dict(keys=keys, values=values)] if len(call.args) + len(call.keywords) == 1:
                for key, value in zip(keys, values, strict=True):
                    found = _looked(value, source.module)
                    if found is None or not isinstance(key, ast.Constant):
                        return Heuristics(unseen=f"the heuristics, line {call.lineno}")
                    names.add(str(key.value))
                    looked |= found
            case _:
                return Heuristics(unseen=f"the heuristics, line {call.lineno}")
    return Heuristics(frozenset(names), frozenset(looked))


def _looked(node: ast.expr, module: Module) -> set[str] | None:
    """The arguments whose memory a function of them may look at; None where it may do anything."""
    match node:
        case ast.Lambda(args=arguments, body=body) if len(names := arguments_of(arguments)) == 1:
            looked: set[str] = set()
            return looked if _walked(body, names[0].arg, module, looked) else None
    return None


def _walked(node: ast.AST, given: str, module: Module, looked: set[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name != given
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]) if _one(
            left, given
        ):
            return True
        case ast.Attribute(value=value, attr=attribute) if _one(value, given) and attribute in QUIET:
            return True
        case ast.Call(func=ast.Attribute(value=value, attr=method), args=args, keywords=[]) if method in ASKED and _one(
            value, given
        ):
            return all(_walked(part, given, module, looked) for part in args)
        case ast.Call(func=func, args=args, keywords=words):
            path, _ = resolve(func, module.names, frozenset({given}))
            known = path in PURE or path.startswith("math.") or path in ("triton.cdiv", "triton.next_power_of_2")
            return known and all(_walked(part, given, module, looked) for part in (*args, *words))
        case ast.Subscript() if (asked := _one(node, given)) is not None:
            looked.add(asked)
            return True
        case ast.Lambda() | ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
            return False
    return all(_walked(part, given, module, looked) for part in children(node))


def _one(node: ast.expr, given: str) -> str | None:
    """`args["name"]`"""
    match node:
        case ast.Subscript(value=ast.Name(id=holder), slice=ast.Constant(value=str(name))) if holder == given:
            return name
    return None
