"""What is known of the Triton language: names that stand for it, and calls that do nothing but give a value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache

from codemods.core.syntax import walk
from codemods.read.names import BUILTINS, Names, dotted

LANGUAGE = "triton.language."
PURE = frozenset(
    "program_id num_programs arange zeros zeros_like full broadcast broadcast_to cast cat expand_dims interleave join "
    "permute ravel reshape split trans view dot dot_scaled abs cdiv ceil clamp cos div_rn erf exp exp2 fdiv floor fma "
    "log log2 maximum minimum rsqrt sigmoid sin softmax sqrt sqrt_rn umulhi argmax argmin max min sum xor_sum cumsum "
    "cumprod sort flip gather histogram where swizzle2d rand randn randint max_constancy max_contiguous multiple_of "
    "assume constexpr make_block_ptr advance static_assert static_print".split()
)
PURE_MODULES = ("triton.language.math.", "triton.language.extra.libdevice.", "triton.language.extra.cuda.libdevice.")
PURE_OTHERS = frozenset(f"triton.{name}" for name in ("cdiv", "next_power_of_2")) | frozenset(
    f"builtins.{name}" for name in "min max abs int float bool len isinstance tuple".split()
)
METHODS = frozenset(
    "to cast view reshape trans permute broadcast_to expand_dims ravel split sum max min argmax argmin abs exp exp2 "
    "log log2 sqrt rsqrt sigmoid softmax cdiv ceil floor cumsum cumprod sort flip is_floating is_int is_fp8 is_fp16 "
    "is_bf16 is_fp32 is_ptr is_block".split()
)
SYNC = frozenset({"debug_barrier", "inline_asm_elementwise"})
RANGES = {
    "builtins.range": frozenset[str](),
    "triton.language.range": frozenset({"num_stages", "loop_unroll_factor", "disallow_acc_multi_buffer", "flatten"}),
    "triton.language.static_range": frozenset[str](),
}
JIT = "triton.jit"
AROUND = frozenset({"triton.autotune", "triton.heuristics"})
REEXPORT = re.compile(r"(?P<module>(?!triton\.)\S+)\.(?P<name>tl|triton)(?P<rest>\.\S+)?")


def resolve(node: ast.expr, names: Names, local: frozenset[str] = frozenset()) -> tuple[str, str]:
    """The path that an expression stands for, "" where that is not known, and what this rests on: a module that
    hands on `triton` or `tl` under its own name is trusted to hand on Triton's."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name) or root.id in local:
        return "", ""
    if isinstance(node, ast.Name) and node.id not in names.apis:
        return ("" if node.id in names.bound or node.id not in BUILTINS else f"builtins.{node.id}"), ""
    path = dotted(node, names.apis) or ""
    if found := REEXPORT.fullmatch(path):
        whole = "triton.language" if found["name"] == "tl" else "triton"
        return whole + (found["rest"] or ""), f"reexport:{found['module']}"
    return path, ""


def trusted_by(names: Names, functions: Iterable[ast.FunctionDef]) -> set[str]:
    """What the names of a module, and those of its functions, rest on."""
    found = {f"reexport:{match['module']}" for path in names.apis.values() if (match := REEXPORT.fullmatch(path))}
    return found | {resolve(node, names)[1] for function in functions for node in _handed(function)} - {""}


@lru_cache(maxsize=256)  # each kernel of a file asks about all functions of the file
def _handed(function: ast.FunctionDef) -> tuple[ast.Attribute, ...]:
    """Attributes that Triton may be."""
    return tuple(n for n in walk(function) if isinstance(n, ast.Attribute) and n.attr in ("tl", "triton"))


def kernel(function: ast.FunctionDef, names: Names) -> tuple[bool, str]:
    """Whether it certainly is a kernel, and what this rests on.

    `triton.jit` reads the source of what it is given, so it stands next to the function. What is around it may run
    the kernel several times (autotune) or add arguments (heuristics).
    """
    found = []
    for decorator in function.decorator_list:
        path, trusted = resolve(decorator.func if isinstance(decorator, ast.Call) else decorator, names)
        found.append(path)
        if path == JIT and decorator is function.decorator_list[-1]:
            return set(found[:-1]) <= AROUND, trusted
    return False, ""


def pure(path: str) -> bool:
    """A call of it does nothing but give a value, the same each time for the same arguments."""
    return (
        path.removeprefix(LANGUAGE) in PURE
        and path.startswith(LANGUAGE)
        or (path.startswith(PURE_MODULES) or path in PURE_OTHERS)
    )
