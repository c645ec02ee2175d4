"""The life of a tensor's memory, told in events.

    Birth    memory comes into being           torch.empty(n)
    Write    a part takes a value              out.copy_(x), out.zero_()
    Read     a part is looked at               out + 1;  part None: only its shape, or the name, is used
    Escape   someone else may now look at it   return out, self.out = out, unknown(out)
    Rebound  a name lets go of it              out = other

`torch.zeros(n)` is a Birth followed by a Write of 0. Provers know nothing else about Python.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from codemods.core.kernel import Kernel
from codemods.core.region import Box
from codemods.core.size import Atom, Size
from codemods.core.span import Span

if TYPE_CHECKING:
    from codemods.core.call import Call
    from codemods.core.update import Update

How = Literal["returned", "kept", "unseen-call", "captured", "stream", "outlives", "not-understood"]
Tags = frozenset[tuple[int, int]]  # (join, edge): true on paths that came into the join by that edge


@dataclass(frozen=True, eq=False, slots=True)
class Buffer:
    """The latest memory born at one site; `older` stands for all earlier ones of that site."""

    name: str
    older: Buffer | None = None
    shared: bool = False  # memory that others can reach from the start, such as a parameter's


@dataclass(frozen=True, eq=False, slots=True)
class Event:
    buffer: Buffer
    region: Box | None
    node: ast.AST
    why: str
    when: Tags = frozenset()  # it concerns this buffer only on paths that agree with these
    assumes: tuple[str, ...] = field(default=(), kw_only=True)  # what it rests on that is not shown
    by_others: bool = field(default=False, kw_only=True)  # only if others hold this memory, or theirs may be the same


@dataclass(frozen=True, eq=False, slots=True)
class Birth(Event):
    api: str = ""
    shape: tuple[Size, ...] | None = None  # None where the rank is not known
    typed: bool = False  # its `dtype` argument certainly is a dtype, not None


@dataclass(frozen=True, eq=False, slots=True)
class Write(Event):
    """`sure`: when control passes here, all of `region` takes a new value that does not come from the old one,
    unless the path agrees with one of `unless`. `turns`: told where a loop has run out, for all of its turns together;
    it says nothing of what a turn itself has stored before."""

    sure: bool = False
    value: str | None = None  # the constant stored everywhere in `region`, canonical, if it is one
    api: str = ""  # what the source called: "torch.zeros", "Tensor.zero_"
    unless: tuple[Tags, ...] = ()
    turns: int | None = None  # the point of the loop


@dataclass(frozen=True, eq=False, slots=True)
class Read(Event): ...


@dataclass(frozen=True, eq=False, slots=True)
class Escape(Event):
    how: How = "unseen-call"


@dataclass(frozen=True, eq=False, slots=True)
class Rebound(Event):
    name: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Front:
    """An allocation that is given to a name in a loop, and what is known about making it once in front of the loop.
    Each text says what speaks against that, and is empty where nothing does."""

    statement: ast.stmt
    name: str
    loop: ast.stmt  # the innermost around it
    head: int  # the point of the loop
    place: str = ""  # it does not stand in the body itself
    unsteady: str = ""  # the arguments may be others there, or in another turn
    raises: str = ""  # it may raise there where the loop never gets to it
    elsewhere: str = ""  # the name is used outside of the loop, or bound in another place
    suspends: str = ""  # the function is left and entered again in the loop
    late: str = ""  # a copy in the loop may not be done when the next turn begins
    gradients: bool = True  # what is computed from it may be recorded for a backward pass


@dataclass(frozen=True, eq=False)
class Flow:
    """The events of one function and which may follow which. Point 0 is the entry."""

    function: str
    path: str
    once: Literal["call", "instance", "import"]
    events: tuple[Event | None, ...]
    next: tuple[tuple[int, ...], ...]
    renews: dict[int, frozenset[Atom]] = field(default_factory=dict)  # loop heads: names whose values change there
    joins: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)  # point -> {point before: (join, edge)}
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)  # for codemods: the statement around a node
    source: bytes = b""
    fail: int = -1  # the point where an exception leaves the function
    loops: dict[int, frozenset[int]] = field(default_factory=dict)  # loop head -> points of the loop
    handled: frozenset[int] = frozenset()  # points from which an exception goes to a handler of this function
    builtins: frozenset[str] = frozenset()  # names that certainly stand for Python's builtins here
    changing: frozenset[str] = frozenset()  # attributes that the file computes each time they are read
    kernel: Kernel | None = None  # of a Triton kernel, which has no events
    fronts: dict[ast.AST, Front] = field(default_factory=dict)  # of allocations in loops
    calls: tuple[Call, ...] = ()  # calls that join tensors
    updates: tuple[Update, ...] = ()  # statements such as `x = x - y`
    functional: str | None = None  # the name of torch.nn.functional here
    importable: tuple[Span, str] | None = None  # where an import of it may go, and the name that is free for it

    def handles(self, event: Event) -> bool:
        """Where the event raises, a handler of this function catches it."""
        return any(other is event and point in self.handled for point, other in enumerate(self.events))
