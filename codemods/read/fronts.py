"""Allocations in loops: what is known about making them once, in front of the loop."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from codemods.core.event import Birth, Flow, Front
from codemods.core.syntax import walk
from codemods.read.arguments import Looks
from codemods.read.births import BIRTHS
from codemods.read.calls import QUIET
from codemods.read.graph import Around, Graph, arguments_of, successors
from codemods.read.names import dotted

if TYPE_CHECKING:
    from codemods.read.lower import Lowering

GRADIENTS = frozenset({"torch.enable_grad", "torch.set_grad_enabled"})
NO_GRADIENTS = frozenset({"torch.no_grad", "torch.inference_mode"})
PLAIN = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Pass)
DEFAULTS = frozenset("set_device set_default_dtype set_default_device set_default_tensor_type".split())
SUSPENDS = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)


def fronts(flow: Flow, lowering: Lowering, scope: ast.AST) -> dict[ast.AST, Front]:
    """For each allocation that is given to a name in a loop which is a statement, by the node of its call."""
    graph = lowering.graph
    births = [event for event in flow.events if isinstance(event, Birth) and event.api in BIRTHS]
    if not graph.around or not births:
        return {}
    told, copies = Counter(birth.node for birth in births), Counter(around.loop for around in graph.around.values())
    found: dict[ast.AST, Front] = {}
    for birth in births:
        call, moment = birth.node, lowering.moments.get(birth.node)
        if not isinstance(call, ast.Call) or moment is None:
            continue
        heads = [head for head, blocks in graph.heads.items() if moment.at.block in blocks]
        head = min(heads, key=lambda head: len(graph.heads[head]), default=-1)
        around = graph.around.get(head)
        statement = _assignment(around.loop, call) if around else None
        if around is None or statement is None:
            continue
        once = told[call] == 1 and copies[around.loop] == 1
        found[call] = _front(lowering, scope, birth.api, call, statement, around, head, once, flow.source)
    return found


def _assignment(loop: ast.stmt, call: ast.Call) -> tuple[ast.stmt, str] | None:
    """The statement that gives the tensor a name, and the name."""
    for node in walk(loop):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call:
                return node, name
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is call:
                return node, name
    return None


def _front(
    lowering: Lowering,
    scope: ast.AST,
    api: str,
    call: ast.Call,
    given: tuple[ast.stmt, str],
    around: Around,
    head: int,
    once: bool,
    source: bytes,
) -> Front:
    (statement, name), loop = given, around.loop
    then = lowering.moments.get(loop)
    unsteady = "" if once and then else "the loop is laid out several times, or is not understood"
    raises = ""
    if then is not None and not unsteady:
        bound = _bound(lowering.graph, lowering.order, loop)
        quiet = not _words(scope, lowering.names.apis) & DEFAULTS
        looks = Looks(lowering, loop, lowering.moments[call], then, bound, quiet)
        looks.allocation(call, api)
        unsteady, raises = looks.unsteady, looks.raises
    return Front(
        statement,
        name,
        loop,
        lowering.first[head],
        place=_place(loop, statement, source),
        unsteady=unsteady,
        raises="" if _runs(loop, statement) else raises,
        elsewhere=_elsewhere(scope, loop, statement, name, lowering.kept_names),
        suspends=_suspends(loop),
        late=next(_late(loop), ""),
        gradients=not _without_gradients(lowering, scope, around),
    )


def _place(loop: ast.For | ast.AsyncFor | ast.While, statement: ast.stmt, source: bytes) -> str:
    if statement not in loop.body:
        return "it stands in a block inside the loop, and may not run in every turn"
    *above, line = [b"", *source.split(b"\n")[: loop.lineno]]
    blank = not line[: loop.col_offset].strip(b" \t") and not above[-1].rstrip(b"\r").endswith(b"\\")
    return "" if blank else "the loop does not begin a line of its own"


def _runs(loop: ast.For | ast.AsyncFor | ast.While, statement: ast.stmt) -> bool:
    """The loop begins at least one turn, and that comes to the statement unless something raises."""
    if statement not in loop.body:
        return False
    before = loop.body[: loop.body.index(statement)]
    if not all(isinstance(earlier, PLAIN) for earlier in before):
        return False
    match loop:
        case ast.While(test=ast.Constant(value=value)):
            return bool(value)
        case ast.For(iter=ast.Tuple(elts=parts) | ast.List(elts=parts)):
            return any(not isinstance(part, ast.Starred) for part in parts)
    return False


def _elsewhere(
    scope: ast.AST, loop: ast.For | ast.AsyncFor | ast.While, statement: ast.stmt, name: str, updates: Set[ast.AST]
) -> str:
    """The first other place that binds the name, or that uses it outside of the body of the loop."""
    own = {node for part in loop.body for node in walk(part)}
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    for node in walk(scope):
        if node is target:
            continue
        if isinstance(node, ast.Name) and node.id == name:
            if not isinstance(node.ctx, ast.Load) and node not in updates:
                return f"line {node.lineno} binds {name}, too"
            if node not in own:
                return f"line {node.lineno} uses {name} outside of the loop"
        elif not isinstance(node, ast.Name) and _binds_itself(node, name):
            return f"line {getattr(node, 'lineno', statement.lineno)} binds {name}, too"
    return ""


def _binds_itself(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.arg(arg=one) | ast.MatchMapping(rest=one):
            return one == name
        case ast.alias(name=path, asname=alias):
            return (alias or path.split(".")[0]) == name
        case ast.FunctionDef(name=one) | ast.AsyncFunctionDef(name=one) | ast.ClassDef(name=one):
            return one == name
        case ast.ExceptHandler(name=one) | ast.MatchAs(name=one) | ast.MatchStar(name=one):
            return one == name
    return False


def _suspends(loop: ast.stmt) -> str:
    for node in walk(loop):
        if isinstance(node, SUSPENDS):
            return f"line {getattr(node, 'lineno', loop.lineno)} suspends the function in the loop"
    return ""


def _late(loop: ast.stmt) -> Iterator[str]:
    """Copies that may not wait: the next turn would write what is still being copied."""
    for node in walk(loop):
        if not isinstance(node, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        waits = named.get("non_blocking")
        attr = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        several = attr in ("copy_", "to", "cuda", "cpu", "type") and len(node.args) > 1
        if (
            (waits is not None and not (isinstance(waits, ast.Constant) and not waits.value))
            or several
            or None in named
        ):
            yield f"line {node.lineno} may copy without waiting"


def _without_gradients(lowering: Lowering, scope: ast.AST, around: Around) -> bool:
    """The loop certainly runs with gradients off."""
    apis = lowering.names.apis
    if _words(around.loop, apis) & {"enable_grad", "inference_mode"} or "set_grad_enabled" in _words(scope, apis):
        return False
    inside = [item.context_expr for node in walk(around.loop) if isinstance(node, ast.With) for item in node.items]
    if any(_called(lowering, context) not in QUIET for context in inside):
        return False
    for context in reversed(around.contexts):
        api = _called(lowering, context)
        if api in NO_GRADIENTS:
            return _plainly(context)
        if api not in QUIET or api in GRADIENTS:
            return False
    decorators = scope.decorator_list if isinstance(scope, ast.FunctionDef) else []  # a coroutine runs after the call
    last = decorators[-1] if decorators else None
    return last is not None and _called(lowering, last) in NO_GRADIENTS and _plainly(last)


def _called(lowering: Lowering, node: ast.expr) -> str | None:
    """The function of torch that a context manager or a decorator is a call of."""
    callee = node.func if isinstance(node, ast.Call) else node
    root = callee
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and root.id in lowering.graph.locals:
        return None
    return dotted(callee, lowering.names.apis)


def _plainly(node: ast.expr) -> bool:
    """Called without arguments: inference_mode(False) does the opposite."""
    return isinstance(node, ast.Call) and not node.args and not node.keywords


def _words(node: ast.AST, apis: dict[str, str]) -> set[str]:
    """The names and attributes in a piece of code, imported ones as they are called where they come from."""
    found = {getattr(inner, "attr", getattr(inner, "id", "")) for inner in walk(node)}
    return found | {apis[name].rpartition(".")[2] for name in found if name in apis}


def _bound(graph: Graph, order: list[int], loop: ast.stmt) -> frozenset[str]:
    """The names that are certainly bound in front of a loop."""
    every = frozenset(argument.arg for argument in arguments_of(graph.arguments)) if graph.arguments else frozenset()
    entry: dict[int, frozenset[str]] = {0: every}
    todo = [0]
    while todo:
        block = todo.pop()
        after = _after(graph, block, entry[block])
        thrown = entry[block] - {str(i.data) for i in graph.blocks[block].instrs if i.op == "delete"}
        for target in successors(graph, block):
            came = thrown if target == graph.blocks[block].handler else after
            new = came if target not in entry else entry[target] & came
            if entry.get(target) != new:
                entry[target] = new
                todo.append(target)
    for block in order:
        for instr in graph.blocks[block].instrs:
            if instr.op == "before" and instr.node is loop:
                return _after(graph, block, entry[block], instr.node)
    return frozenset()


def _after(graph: Graph, block: int, bound: frozenset[str], upto: ast.AST | None = None) -> frozenset[str]:
    """What is bound behind a block, or in front of the loop that begins in it."""
    now = set(bound)
    for instr in graph.blocks[block].instrs:
        if instr.op == "before" and instr.node is upto:
            break
        if instr.op == "store" and not isinstance(instr.node, ast.ExceptHandler):
            now.add(str(instr.data))
        elif instr.op == "delete":
            now.discard(str(instr.data))
    return frozenset(now)
