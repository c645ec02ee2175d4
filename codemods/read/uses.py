"""What becomes of an object that a function makes: nobody can exchange what is in one that is only ever called."""

from __future__ import annotations

import ast

from codemods.core.syntax import walk
from codemods.read.graph import Graph, Instr, arguments_of
from codemods.read.names import dotted
from codemods.read.values import Def

PARTIAL = "functools.partial"
TABLES = frozenset({"locals", "vars", "eval", "exec", "globals"})


def only_called(graph: Graph, at: Def, methods: bool = False) -> bool:
    """What the instruction makes is called at once, or has one name that is bound here only and does nothing but be
    called; with `methods`: but have its attributes looked up, and its methods called."""

    def called(instr: Instr, slot: int) -> bool:
        return _calls(instr, slot, methods) or (methods and instr.op == "attr")

    instrs = [instr for block in graph.blocks for instr in block.instrs]
    if any(instr.op == "load" and instr.data in TABLES for instr in instrs):
        return False
    made = graph.blocks[at.block].instrs[at.place].dest
    stores = [instr for instr in instrs if made in instr.args and not called(instr, made)]
    if not stores:
        return True
    name = str(stores[0].data)
    if len(stores) > 1 or stores[0].op != "store" or name in graph.shared or name.startswith("%"):
        return False
    named = [instr for instr in instrs if instr.data == name and instr.op in ("store", "delete", "collect")]
    if len(named) > 1 or graph.arguments is not None and name in _parameters(graph.arguments):
        return False
    if any(instr.op == "closure" and isinstance(instr.data, frozenset) and name in instr.data for instr in instrs):
        return False
    loads = {instr.dest for instr in instrs if instr.op == "load" and instr.data == name}
    return all(called(instr, slot) for instr in instrs for slot in loads & set(instr.args))


def _calls(instr: Instr, slot: int, methods: bool) -> bool:
    """It calls what is in the slot, or a method of it, and does nothing else with it."""
    if instr.op != "call" or not isinstance(instr.node, ast.Call):
        return False
    if isinstance(instr.node.func, ast.Attribute) != methods:
        return False
    return instr.args[0] == slot and slot not in instr.args[1:]


def _parameters(arguments: ast.arguments) -> set[str]:
    return {argument.arg for argument in arguments_of(arguments)}


def given_before(call: ast.Call, name: str, apis: dict[str, str], tree: ast.Module, source: bytes) -> bool:
    """`name = functools.partial(f, a, k=v)` at the top of a module that does nothing with the name but call it."""
    if dotted(call.func, apis) != PARTIAL or looked_into(source):
        return False
    if any(isinstance(arg, ast.Starred) for arg in call.args) or any(item.arg is None for item in call.keywords):
        return False
    called = {id(node.func) for node in walk(tree) if isinstance(node, ast.Call)}
    uses = [node for node in walk(tree) if isinstance(node, ast.Name) and node.id == name]
    return all(isinstance(node.ctx, ast.Store) or id(node) in called for node in uses)


def looked_into(source: bytes) -> bool:
    """Somewhere the arguments that a partial call was given may be changed."""
    return any(word in source for word in (b"keywords", b"__setstate__", b"__reduce"))
