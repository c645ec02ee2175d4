"""What of a kernel runs between two of its stores, and why that may matter."""

from __future__ import annotations

from collections.abc import Iterable

from codemods.core.event import Flow
from codemods.core.kernel import Load, Loop, Node, Return, Store, Unseen, every
from codemods.core.span import Step, span
from codemods.core.verdict import Refused


def told(flow: Flow, node: Node, text: str) -> Step:
    return Step(flow.path, span(node.node), text)


def obstacle(flow: Flow, nodes: Iterable[Node], *, loads: bool = True, stores: bool = True) -> Refused | None:
    """The first thing that must not stand between two stores. `loads`, `stores`: these are harmless."""
    for node in every(tuple(nodes)):
        match node:
            case Unseen(why="sync", text=text):
                message = f"{text} orders this program with others, which may look in between"
                return Refused("synchronises", message, (told(flow, node, text),))
            case Unseen(text=text):
                message = f"{text} cannot be seen into: it may store or load anything"
                return Refused("unseen-call", message, (told(flow, node, text),), needs=f"what {text} does")
            case Loop(kind="while"):
                message = "how often this loop turns is not known"
                return Refused("not-understood", message, (told(flow, node, "a while loop"),))
            case Return():
                message = "the kernel may return in between"
                return Refused("guarded", message, (told(flow, node, "returns"),))
            case Store(target=target) if not stores:
                message = f"a store through {target} in between may be to the same memory"
                needs = "that the pointers do not alias"
                return Refused("store-between", message, (told(flow, node, f"stores through {target}"),), needs=needs)
            case Load() if not loads:
                message = "a load in between may be of the same memory"
                needs = "that the pointers do not alias"
                return Refused("read-first", message, (told(flow, node, "loads"),), needs=needs)
    return None
