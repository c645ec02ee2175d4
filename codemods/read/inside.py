"""A callee, lowered like any function, with the memory of some of its parameters followed from the start."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from codemods.core.event import Buffer, How
from codemods.core.region import ALL
from codemods.core.size import Atom, variable
from codemods.ops import Op
from codemods.read.births import Given
from codemods.read.graph import Graph, Instr, arguments_of
from codemods.read.lower import Lowering, parameter
from codemods.read.names import Names
from codemods.read.values import NONE, Like, Loose, Ref, Refs, State, Value, number, unknown
from codemods.read.views import NIL

EXCEPTIONS = frozenset("AssertionError NotImplementedError RuntimeError TypeError ValueError".split())
Kind = str | Value  # a constant, or one of: followed, followed tensor, tensor, int, count (>= 0), nullable, object
FOLLOWED = ("followed", "followed tensor")
RESULT = "%result"
MAYBE_NONE = "nullable"  # the first part of the ident of what was one when the function was called


def kind_of(value: Value, followed: bool) -> Kind:
    """What a callee may know about an argument."""
    if followed:
        return "followed tensor" if value.tensor else "followed"
    if value.tensor:
        return "tensor"
    if value.size is not None:
        constant = value.size.constant
        if constant is not None:
            return number(constant, str(constant))
        return "count" if value.size.natural else "int"
    return constant_of(value) or "object"


def nullable(scope: ast.AST | None) -> frozenset[str]:
    """Parameters whose default is None, whatever their annotations say."""
    arguments = scope if isinstance(scope, ast.arguments) else getattr(scope, "args", None)
    if not isinstance(arguments, ast.arguments):
        return frozenset()
    places = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(places[len(places) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    pairs += [(arg, node) for arg, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if node]
    return frozenset(arg.arg for arg, node in pairs if isinstance(node, ast.Constant) and node.value is None)


def constant_of(value: Value) -> Value | None:
    if value == NIL:
        return NIL
    if isinstance(value.ident, tuple) and value.ident[:1] in (("bool",), ("const",)) and not value.reach:
        return Value(value.ident, name=str(value.ident[-1]))
    return None


class Inside(Lowering):
    """`gives`: what the function gives back, None where it never comes to its end."""

    def __init__(self, graph: Graph, names: Names, kinds: Mapping[str, Kind]) -> None:
        super().__init__(graph, names)
        self.kinds = kinds
        arguments = graph.arguments
        every = nullable(arguments) if arguments else frozenset()
        self.optional = frozenset(name for name in every if kinds.get(name, "object") == "object")
        self.loud = False  # memory is reached in another way than through the parameters that are followed
        followed = [name for name, kind in kinds.items() if kind in FOLLOWED]
        self.parameters = {name: Buffer(name.strip("%"), Buffer(name.strip("%"))) for name in followed}
        self.live = {block: found | {RESULT} for block, found in self.live.items()}

    @property
    def gives(self) -> Value | None:
        state = self.at_entry.get(self.graph.leave)
        return None if state is None else state.names.get(RESULT, NIL)

    def entry(self) -> State:
        self.state = State()
        arguments = self.graph.arguments
        packed = (arguments.vararg, arguments.kwarg) if arguments else ()
        for argument in arguments_of(arguments) if arguments else ():
            value = unknown(("parameter", argument.arg), argument.arg) if argument in packed else parameter(argument)
            self.state.names[argument.arg] = self.given(value, argument.arg, argument in packed)
        for name in (name for name in self.kinds if name.startswith("%")):  # of the function around it
            self.state.names[name[1:]] = self.given(unknown(("parameter", name), name[1:]), name, False)
        self.state.names[RESULT] = NIL
        return self.state

    def given(self, value: Value, name: str, packed: bool) -> Value:
        kind = self.kinds.get(name, "object")
        if isinstance(kind, Value):
            return kind
        if kind not in FOLLOWED:
            if kind == "nullable":  # whatever its annotation says, it may be None
                plain = not value.reach and value.size is None  # annotated as a float, a bool or a str
                return value if plain else unknown((MAYBE_NONE, name), value.name)
            if kind == "object" and name in self.optional:
                return unknown(("parameter", name), name) if value.size is not None else value
            if kind == "tensor":
                return value.but(tensor=True)
            if kind == "count" or kind == "int" and value.size is None:
                return number(variable(Atom(value.name, ("parameter", name), natural=kind == "count")), value.name)
            return value
        buffer = self.parameters[name]
        self.sites[buffer] = buffer
        self.shapes[buffer] = Like(Value(("parameter", name), name=value.name), 0)
        whole = frozenset({Ref(buffer, ALL, Loose())})
        part = frozenset({Ref(buffer).part()})
        if packed:
            return value.but(refs=NONE, inside=part, tensor=False, name="tuple")
        tensor = kind == "followed tensor" or value.tensor
        return Value(value.ident, whole, NONE if tensor else part, tensor, name=name)

    # what is known of constants

    def do_compare(self, instr: Instr) -> Value:
        value = super().do_compare(instr)
        left, right = self.slots(instr)
        loose = any(value.ident == ("parameter", name) for name in self.optional for value in (left, right))
        same = None if loose else _same(str(instr.data), left, right)
        return value if same is None else Value(("bool", same), name=str(same))

    def may_go(self, test: int, truth: bool) -> bool:
        value = self.state.slots.get(test)
        known = None if value is None else _truth(value)
        return known is None or known == truth

    # what a caller must see

    def outside_call(self, node: ast.AST, why: str, how: How = "unseen-call") -> None:
        self.loud = self.loud or not self.exception(node)
        super().outside_call(node, why, how)

    def outside_read(self, node: ast.AST, why: str, but: Refs = NONE) -> None:
        self.loud = True
        super().outside_read(node, why, but)

    def outside_write(self, node: ast.AST, but: Refs = NONE) -> None:
        self.loud = True
        super().outside_write(node, but)

    def do_store(self, instr: Instr) -> None:
        self.loud = self.loud or instr.data in self.graph.shared  # a name of the module, or of a function around it
        super().do_store(instr)

    def exception(self, node: ast.AST) -> bool:
        """`ValueError("..")`: it makes an exception of Python's own."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name not in self.names.bound and name not in self.graph.locals:
                return name in EXCEPTIONS
        return False

    def do_return(self, instr: Instr) -> None:
        value = self.slot(instr, 0)
        self.mention(value, instr.node, "returned")
        self.state.names[RESULT] = value

    def into_out(self, given: Given, op: Op) -> Value:
        """`out=` may give a tensor of the caller another shape."""
        out = given.named["out"]
        ours = set(self.parameters.values())
        if any(ref.buffer in ours for ref in out.reach):
            self.escape(out, given.node, f"given to {op.name} as out=, which may lay it out anew", "not-understood")
        return super().into_out(given, op)


def _truth(value: Value) -> bool | None:
    if value.ident == NIL.ident:
        return False
    if value.size is not None and value.size.constant is not None:
        return value.size.constant != 0
    match value.ident:
        case ("bool", bool() as truth):
            return truth
        case ("const", "str", str() as text):
            return text != "''"
    return None


def _same(op: str, left: Value, right: Value) -> bool | None:
    """What a comparison of constants, or of a tensor with None, gives."""
    if op in ("Is", "IsNot"):
        for one, other in ((left, right), (right, left)):
            if other == NIL and (one.ident == NIL.ident or _something(one)):
                return (one.ident == NIL.ident) == (op == "Is")
    if op in ("Eq", "NotEq") and constant_of(left) and constant_of(right):
        match left.ident, right.ident:
            case ("const", "str", str() as text), ("const", "str", str() as also):
                return (text == also) == (op == "Eq")
    return None


def _something(value: Value) -> bool:
    """Certainly not None."""
    known = value.tensor or value.size is not None or constant_of(value) is not None
    return known and value.ident != NIL.ident
