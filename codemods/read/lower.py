"""One function -> its Flow: a fixed point over the graph, then the events told once more in order."""

from __future__ import annotations

import ast
import heapq
from collections.abc import Hashable
from typing import Literal

from codemods.core.event import Escape, Event, Flow
from codemods.core.region import ALL
from codemods.core.size import ZERO, Atom, alone, variable
from codemods.core.span import span
from codemods.read.graph import Block, Graph, arguments_of, live, order
from codemods.read.join import Join, aged, outgrown
from codemods.read.names import BUILTINS, Names
from codemods.read.sweep import sweep
from codemods.read.updates import Updates
from codemods.read.values import Def, State, Value, merge, number, shape_varies, tracked, unknown

MOST_VISITS = 40
REACHES = frozenset("call setindex augindex augment setattr augattr yield await enter keep closure unknown".split())
MORE = {"Gt": 0, "GtE": 1}  # where they hold, left - right and this are more than 0
LESS = {"Lt": 0, "LtE": 1}
Edge = tuple[int, int]  # from block, to block


class TooComplex(Exception):
    """The fixed point was not reached in a reasonable number of visits."""


class Lowering(Updates):
    def __init__(self, graph: Graph, names: Names) -> None:
        super().__init__(graph, names)
        self.order = order(graph)
        self.live = live(graph, self.order)
        self.into: dict[int, list[int]] = {block: [] for block in self.order}
        for block in self.order:
            for target in dict.fromkeys(graph.blocks[block].next):
                self.into[target].append(block)
        self.out: dict[Edge, State] = {}
        self.raised = State()
        self.own: dict[int, set[Hashable]] = {}
        self.told: dict[int, list[Event]] = {}
        self.stored = {
            head: {str(i.data) for block in loop for i in graph.blocks[block].instrs if i.op in ("store", "collect")}
            for head, loop in graph.heads.items()
        }
        self.calling = {
            head
            for head, loop in graph.heads.items()
            if any(
                i.op in ("call", "setattr", "setindex", "augment") for block in loop for i in graph.blocks[block].instrs
            )
        }
        self.at_entry: dict[int, State] = {}
        self.thrown: dict[int, State] = {}  # what may hold when an exception leaves a block
        self.first: dict[int, int] = {}  # block -> its point

    def solve(self) -> None:
        """Visit blocks until nothing changes."""
        line = order(self.graph, through=True)  # so that the rest of a function waits until a loop is settled
        place = {block: index for index, block in enumerate(line)}
        for _ in range(8):
            self.out, self.thrown, self.at_entry, self.own, self.restart = {}, {}, {}, {}, False
            visits: dict[int, int] = {}
            todo = [0]
            while todo:
                block = line[heapq.heappop(todo)]
                visits[block] = visits.get(block, 0) + 1
                if visits[block] > MOST_VISITS:
                    raise TooComplex
                for target in self.visit(block):
                    if place[target] not in todo:
                        heapq.heappush(todo, place[target])
            if not self.restart:
                return
        raise TooComplex

    def visit(self, block: int) -> list[int]:
        """Run one block; the blocks that must be seen again because of it."""
        state = self.entering(block)
        if self.at_entry.get(block) == state:
            return []
        self.at_entry[block] = state.copy()
        self.tell_block(block, state)
        this = self.graph.blocks[block]
        changed = []
        for turn, target in enumerate(this.next):
            if this.test is not None and not self.may_go(this.test, turn == 0):
                continue
            state = self.state if this.test is None else self.refined(this, turn)
            if self.out.get((block, target)) != state:
                self.out[block, target] = state  # whoever goes on from it has a copy
                changed.append(target)
        if this.handler is not None and self.thrown.get(block) != self.raised:
            self.thrown[block] = self.raised
            changed.append(this.handler)
        return changed

    def may_go(self, test: int, truth: bool) -> bool:
        """The side of a test may be taken."""
        return True

    def tell_block(self, block: int, state: State) -> None:
        """Run a block and keep its events."""
        self.events = []
        self.run(block, state)
        if {self.graph.leave, self.graph.fail} & set(self.graph.blocks[block].next):
            self.outlive()
        self.told[block] = self.events

    def run(self, block: int, state: State) -> None:
        self.state = state
        this = self.graph.blocks[block]
        guarded = this.handler is not None
        if guarded:
            self.raised = self.state.copy()
        for index, instr in enumerate(this.instrs):
            self.at = Def(block, index)
            self.step(instr)
            if guarded and instr.op in ("store", "delete", "collect"):
                self.remember(this.handler or 0, str(instr.data))
            elif guarded and instr.op in REACHES:
                self.remember(this.handler or 0, None)
        if not guarded:
            return
        self.raised.slots.clear()
        self.raised.escaped |= self.state.escaped
        self.raised.closed |= self.state.closed
        self.raised.epoch = ("thrown", Def(block, -1))
        if self.raised.layout != self.state.layout:
            self.raised.layout = ("thrown", Def(block, -1))

    def remember(self, handler: int, changed: str | None) -> None:
        """An exception may leave here: with a name bound anew, or, after a call, with memory that is an older one."""
        now, held = self.state.names, self.raised.names
        for name in (changed,) if changed is not None else tuple(now):
            if name in now and now[name] is not held.get(name):
                values = [held[name], now[name]] if name in held else [now[name]]
                ident = ("thrown", Def(self.at.block, -2), name)
                held[name] = values[0] if len(values) == 1 else merge(values, ident, handler, None)

    def entering(self, block: int) -> State:
        if block == 0:
            return self.entry()
        loop = self.graph.heads.get(block)
        edges = [(source, self.out[source, block]) for source in self.into[block] if (source, block) in self.out]
        thrown = [
            (source, state) for source, state in self.thrown.items() if self.graph.blocks[source].handler == block
        ]
        if loop:
            before = next((state for source, state in edges if source not in loop), None)
            live = self.live[block]
            stale = {buffer for buffer, shape in self.shapes.items() if shape_varies(shape, loop)}
            edges = [
                (s, outgrown(aged(state, before, loop, block, live), stale) if s in loop else state)
                for s, state in edges
            ]
            thrown = [
                (s, outgrown(aged(state, None, loop, block, live), stale) if s in loop else state)
                for s, state in thrown
            ]
            if not any(source in loop for source, _ in (*edges, *thrown)) and len(edges) == 1:
                return self.guess(edges[0][1], block)
        if not thrown:
            places = [self.into[block].index(source) for source, _ in edges]
            return Join(block, places, self.live[block], self.own.setdefault(block, set())).state([s for _, s in edges])
        join = Join(block, None, self.live[block], self.own.setdefault(block, set()))
        return join.state([state for _, state in (*edges, *thrown)])

    def guess(self, state: State, head: int) -> State:
        """A loop that is entered for the first time: what it binds will be another value the next time round. Only
        where to start from: the fixed point is sought and checked all the same."""
        state = state.copy()
        for name in self.stored[head]:
            value = state.names.get(name)
            if value is not None and not tracked(value):
                state.names[name] = merge([value], ("join", Def(head, -1), name), head, None)
        if head in self.calling:
            state.epoch = ("epoch", Def(head, -1))
        return state

    def entry(self) -> State:
        self.state = State()
        if self.graph.arguments:
            for argument in arguments_of(self.graph.arguments):
                value = parameter(argument)
                self.state.names[argument.arg] = self.adopted(value) if self.fills and value.tensor else value
        return self.state

    def refined(self, block: Block, turn: int) -> State:
        """What else holds on one side of a test."""
        state = self.state.copy()
        value = state.slots.get(block.test or 0)
        if value is None:
            return state
        fact = ("NotEq", ((value.size, ZERO),)) if value.size is not None and not value.tensor else value.fact
        if fact is None:
            return state
        op, pairs = fact
        for left, right in pairs:
            if op in MORE:
                more = left - right + MORE[op] if turn == 0 else right - left + 1 - MORE[op]
                state.positive |= {more}
            elif op in LESS:
                more = right - left + LESS[op] if turn == 0 else left - right + 1 - LESS[op]
                state.positive |= {more}
            elif op in ("Eq", "NotEq") and (op == "Eq") == (turn == 0):
                for one, other in ((left, right), (right, left)):
                    atom = alone(one)
                    if atom is not None and atom not in other.atoms:
                        state.equal[atom] = other
                        break
        return state

    # the flow

    def flow(self, function: str, path: str, once: Literal["call", "instance", "import"], source: bytes) -> Flow:
        self.solve()
        self.order = [block for block in self.order if block in self.at_entry]
        events: list[Event | None] = []
        first = self.first
        last: dict[int, int] = {}
        for block in self.order:
            if self.stale:  # something was learnt after it was told
                self.tell_block(block, self.entering(block))
            first[block] = len(events)
            events += [None, *self.told[block]]
            last[block] = len(events) - 1
        following: list[set[int]] = [set() for _ in events]
        for block in self.order:
            this = self.graph.blocks[block]
            for point in range(first[block], last[block]):
                following[point].add(point + 1)
            following[last[block]] |= {first[target] for target in this.next if (block, target) in self.out}
            if this.handler is not None:
                for point in range(first[block], last[block] + 1):
                    following[point].add(first[this.handler])
        joins = {
            first[block]: {last[source]: (block, i) for i, source in enumerate(self.into[block]) if source in last}
            for block in self.order
            if len(self.into[block]) > 1
        }
        fail = last.get(self.graph.fail, -1)
        points = tuple(tuple(sorted(targets)) for targets in following)
        modules = {name for name, path in self.names.apis.items() if path in ("torch", "math", "numpy")}
        builtins = ((BUILTINS - self.names.bound) | modules) - self.graph.locals
        made = Flow(
            function,
            path,
            once,
            tuple(events),
            points,
            joins=joins,
            source=source,
            fail=fail,
            handled=frozenset(
                point
                for block in self.order
                if self.graph.blocks[block].handler is not None
                for point in range(first[block], last[block] + 1)
            ),
            builtins=builtins,
            changing=self.names.changing | self.names.methods,
            calls=tuple(self.calls.values()),
            updates=tuple(self.updates.values()),
            functional=self.names.functional if once != "import" else None,
            importable=self.names.importable if once != "import" else None,
        )
        return sweep(made, self, first, last)

    def outlive(self) -> None:
        """Whoever can reach escaped memory goes on after the function."""
        for buffer in sorted(self.state.escaped, key=lambda buffer: buffer.name):
            line, column = span(self.graph.last).end_line, span(self.graph.last).end_column
            node = ast.Pass(lineno=line, col_offset=column, end_lineno=line, end_col_offset=column)
            self.tell(Escape(buffer, ALL, node, "still reachable by others when the function ends", how="outlives"))


def parameter(argument: ast.arg) -> Value:
    name, note = argument.arg, argument.annotation
    if isinstance(note, ast.Name) and note.id == "int":
        return number(variable(Atom(name, ("parameter", name))), name)
    if isinstance(note, ast.Name) and note.id in ("float", "bool", "str"):
        return Value(("parameter", name), name=name)
    value = unknown(("parameter", name), name)
    text = ast.unparse(note) if note else ""
    return value.but(tensor=text.strip("\"'") in ("torch.Tensor", "Tensor"))
