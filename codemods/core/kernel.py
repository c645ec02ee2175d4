"""A Triton kernel, told in order: what it stores, loads and gives to names, and in which loops and branches.

Values are numbers: what has one number has one value. A name that is bound again has another number, and so has what
is loaded each time it is loaded. The terms say how a value came about:

    const c, param p, global g     a constant, a parameter, a name of the module
    call f, op +, ..               a function of its parts that looks at nothing else
    index loop                     the variable of a loop, in the present turn
    carried (loop, name)           a name at the start of a turn; part: what it was before the loop
    after (loop, name)             a name behind the loop; part: what it was before the loop
    join branch                    a name behind a branch; parts: on either side
    load .., opaque ..             nothing is known
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Why = Literal["call", "sync", "syntax"]


@dataclass(frozen=True, slots=True)
class Term:
    op: str
    parts: tuple[int, ...] = ()
    data: Hashable = None


@dataclass(frozen=True, eq=False, slots=True)
class Assign:
    node: ast.stmt
    name: str
    value: int
    alone: bool = False  # `name = value` is all that the statement does


@dataclass(frozen=True, eq=False, slots=True)
class Load:
    node: ast.expr


@dataclass(frozen=True, eq=False, slots=True)
class Store:
    """`mask`: what decides which lanes are stored; empty when all are. `target`: the pointer as it is written."""

    node: ast.stmt
    pointer: int
    value: int
    mask: tuple[int, ...]
    target: str


@dataclass(frozen=True, eq=False, slots=True)
class Unseen:
    """It may store or load anything (call, syntax), or order this program with others (sync)."""

    node: ast.AST
    why: Why
    text: str


@dataclass(frozen=True, eq=False, slots=True)
class Return:
    node: ast.stmt


@dataclass(frozen=True, eq=False, slots=True)
class Loop:
    """`bounds`: the arguments of its range. `out`: what each name that is bound in it is at the end of a turn."""

    node: ast.stmt
    ident: int
    kind: Literal["range", "static", "while"]
    bounds: tuple[int, ...]
    body: Block
    out: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Branch:
    """`unset`: the test says that this name is False or 0 still."""

    node: ast.If
    ident: int
    then: Block
    other: Block
    unset: str | None = None


Node = Assign | Load | Store | Unseen | Return | Loop | Branch
Block = tuple[Node, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Kernel:
    body: Block
    terms: tuple[Term, ...]
    reads: tuple[tuple[ast.Name, int], ...]  # every place where a local name is looked at, and its value there
    assumes: tuple[str, ...] = ()


@dataclass(slots=True)
class Numbering:
    """Equal terms get equal numbers."""

    terms: list[Term] = field(default_factory=list)
    known: dict[Term, int] = field(default_factory=dict)

    def number(self, op: str, parts: tuple[int, ...] = (), data: Hashable = None) -> int:
        term = Term(op, parts, data)
        if term not in self.known:
            self.known[term] = len(self.terms)
            self.terms.append(term)
        return self.known[term]


def inner(node: Node) -> tuple[Block, ...]:
    """The blocks inside a node."""
    match node:
        case Loop(body=body):
            return (body,)
        case Branch(then=then, other=other):
            return (then, other)
    return ()


def every(block: Block) -> Iterator[Node]:
    """All nodes of a block and below, in source order."""
    for node in block:
        yield node
        for part in inner(node):
            yield from every(part)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: in `block` at `index`, which is part of the node at `outside`."""

    block: Block
    index: int
    outside: Place | None = None

    @property
    def node(self) -> Node:
        return self.block[self.index]

    def up(self) -> Iterator[Place]:
        """This place and those around it, from the inside out."""
        here: Place | None = self
        while here is not None:
            yield here
            here = here.outside


def places(block: Block, outside: Place | None = None) -> Iterator[Place]:
    """The place of every node of a block and below, in source order."""
    for index, node in enumerate(block):
        here = Place(block, index, outside)
        yield here
        for part in inner(node):
            yield from places(part, here)
