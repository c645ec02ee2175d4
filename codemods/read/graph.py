"""The control-flow graph of one function: blocks of small instructions, built before anything is decided.

Instructions put their result into a slot (an integer) of the environment, so that a conditional
expression or a comprehension in the middle of a call is only another few blocks.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass(slots=True)
class Instr:
    """`dest = op(args)`; what `data` holds depends on `op` (see `lower.py`)."""

    op: str
    node: ast.AST
    dest: int
    args: tuple[int, ...] = ()
    data: object = None


@dataclass(slots=True)
class Block:
    """Instructions that run one after the other."""

    instrs: list[Instr] = field(default_factory=list)
    next: list[int] = field(default_factory=list)
    test: int | None = None  # the slot that decides: next[0] when it is true, next[1] when false
    handler: int | None = None  # where an exception in here goes, None: out of the function


@dataclass(frozen=True, slots=True)
class Around:
    """A loop that is a statement, and the context managers in which it stands, innermost last."""

    loop: ast.For | ast.AsyncFor | ast.While
    contexts: tuple[ast.expr, ...]


@dataclass(slots=True)
class Graph:
    """Block 0 is the entry; `leave` is reached by returning, `fail` by an exception that leaves."""

    blocks: list[Block]
    leave: int
    fail: int
    arguments: ast.arguments | None
    last: ast.AST  # where the source of the scope ends
    heads: dict[int, frozenset[int]] = field(default_factory=dict)  # loop head -> blocks of the loop
    exhausted: dict[int, int] = field(default_factory=dict)  # head of a `for` -> block where it has run out
    indices: dict[int, str] = field(default_factory=dict)  # head of a `for` -> the name that counts its turns
    around: dict[int, Around] = field(default_factory=dict)  # head -> the loop as a statement
    locals: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()  # declared global or nonlocal, or rebound by a nested function


def order(graph: Graph, through: bool = False) -> list[int]:
    """Reachable blocks in reverse postorder: before its successors, loops aside. `through`: what follows a loop comes
    after the loop."""
    seen: set[int] = set()
    out: list[int] = []
    stack: list[tuple[int, int]] = [(0, 0)]
    seen.add(0)
    while stack:
        block, turn = stack.pop()
        targets = successors(graph, block)[:: -1 if through else 1]
        if turn < len(targets):
            stack.append((block, turn + 1))
            if targets[turn] not in seen:
                seen.add(targets[turn])
                stack.append((targets[turn], 0))
        else:
            out.append(block)
    return out[::-1]


def successors(graph: Graph, block: int) -> list[int]:
    """Where control may go from a block, exceptions included."""
    this = graph.blocks[block]
    return [*this.next, *([this.handler] if this.handler is not None else [])]


def loops(graph: Graph) -> dict[int, frozenset[int]]:
    """Every loop head with the blocks from which its back edges can be reached without passing it."""
    place = {block: index for index, block in enumerate(order(graph))}
    before: dict[int, list[int]] = {block: [] for block in place}
    for block in place:
        for target in successors(graph, block):
            before[target].append(block)
    found: dict[int, set[int]] = {}
    for head in place:
        body = found.setdefault(head, set())
        todo = [block for block in before[head] if place[block] >= place[head]]
        while todo:
            block = todo.pop()
            if block not in body and block != head:
                body.add(block)
                todo += before[block]
        if any(place[block] >= place[head] for block in before[head]):
            body.add(head)
    return {head: frozenset(body) for head, body in found.items() if body}


def arguments_of(arguments: ast.arguments) -> list[ast.arg]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*every, *filter(None, (arguments.vararg, arguments.kwarg))]


def live(graph: Graph, places: list[int]) -> dict[int, frozenset[str]]:
    """The names whose value at the start of a block may still be looked up."""
    used: dict[int, set[str]] = {}
    bound: dict[int, set[str]] = {}
    for block in places:
        used[block], bound[block] = set(), set()
        for instr in graph.blocks[block].instrs:
            used[block] |= _looked_up(instr) - bound[block]
            if instr.op == "store":
                bound[block].add(str(instr.data))
    found = {block: frozenset(used[block]) for block in places}
    changed = True
    while changed:
        changed = False
        for block in reversed(places):
            this = graph.blocks[block]
            after = {name for target in this.next for name in found[target]} - bound[block]
            thrown = found[this.handler] if this.handler is not None else frozenset()
            new = found[block] | after | thrown
            if new != found[block]:
                found[block], changed = new, True
    return found


def _looked_up(instr: Instr) -> set[str]:
    match instr.op:
        case "load" | "delete" | "collect":
            return {str(instr.data)}
        case "next" | "turn":
            return {f"%it{instr.data}"}
        case "closure" if isinstance(instr.data, frozenset):
            return set(instr.data)
    return set()
