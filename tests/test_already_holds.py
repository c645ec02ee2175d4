"""AlreadyHolds by itself: drop_fill shows why a fill is seen, and not why what is there may be something else."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

import pytest

from codemods.core.event import Flow, Write
from codemods.core.verdict import Proved, Refused, Verdict
from codemods.prove.already_holds import AlreadyHolds
from codemods.read import host

HOLDS = {
    "zeros": """
        out = torch.zeros(4)
        out.zero_()
    """,
    "both ways": """
        out = torch.empty(4)
        if a:
            out.fill_(0)
        else:
            out.zero_()
        out.zero_()
    """,
    "its part, from a larger part": """
        out = torch.empty(8)
        out[1:3] = a
        out[:3].zero_()
        out[:2].zero_()
    """,
    "its part, another is changed": """
        out = torch.zeros(4)
        out[2:] = a
        out[:2].zero_()
    """,
    "each turn": """
        out = torch.zeros(4)
        for i in range(a):
            out.zero_()
    """,
}
MAY_NOT = {
    "half of it": """
        out = torch.ones(4)
        out[:2].zero_()
        out.zero_()
    """,
    "the other half": """
        out = torch.ones(4)
        out[:2].zero_()
        out[2:].zero_()
    """,
    "half of it is changed": """
        out = torch.zeros(4)
        out[1:3] = a
        out[:2].zero_()
    """,
    "another number": """
        out = torch.ones(4)
        out.zero_()
    """,
    "new memory": """
        out = torch.empty(4)
        out.zero_()
    """,
    "the other one is zeroed": """
        out, two = torch.ones(4), torch.ones(4)
        if a:
            x = out
        else:
            x = two
        x.zero_()
        out.zero_()
    """,
    "one of two is zeroed, whichever": """
        out, two = torch.ones(4), torch.ones(4)
        (out if a else two).zero_()
        out.zero_()
    """,
    "one of a list is zeroed": """
        out = torch.ones(4)
        [out, torch.ones(4)][a].zero_()
        out.zero_()
    """,
    "zeroed row by row, up to a break": """
        out = torch.ones(4)
        for i in range(4):
            if i == a:
                break
            out[i].zero_()
        out.zero_()
    """,
    "zeroed on one side": """
        out = torch.ones(4)
        if a:
            out.zero_()
        out.zero_()
    """,
    "given to a call": """
        out = torch.zeros(4)
        g(out)
        out.zero_()
    """,
    "kept on an object before": """
        out = torch.zeros(4)
        a.out = out
        g()
        out.zero_()
    """,
    "yielded": """
        out = torch.zeros(4)
        yield out
        out.zero_()
    """,
    "a parameter": """
        a.zero_()
    """,
    "halves of a parameter may be one": """
        a.zero_()
        a[2:] = 1
        a[:2].zero_()
    """,
    "another number is stored at some place": """
        out = torch.zeros(4)
        out[a] = 1
        out.zero_()
    """,
}
UNKNOWN = {
    "a name": """
        out = torch.zeros(4)
        out.fill_(a)
        out.fill_(a)
    """,
    "one of two": """
        out, two = torch.zeros(4), torch.ones(4)
        if a:
            x = out
        else:
            x = two
        x.zero_()
    """,
    "another element each turn": """
        out = torch.zeros(4)
        for i in range(4):
            out[i].zero_()
    """,
}


def verdicts(body: str) -> Iterator[Verdict]:
    """Of the last fill, for each memory that it may write."""
    source = f"import torch\n\n\ndef f(a):\n{textwrap.indent(textwrap.dedent(body), '    ')}    return out\n"
    (flow,) = host.flows(ast.parse(source), source.encode(), "m.py")
    for fill in last_fills(flow):
        yield AlreadyHolds(fill).check(flow)


def last_fills(flow: Flow) -> list[Write]:
    fills = [e for e in flow.events if isinstance(e, Write) and e.api in ("Tensor.zero_", "Tensor.fill_")]
    line = max(fill.node.lineno for fill in fills)  # type: ignore[attr-defined]
    return [fill for fill in fills if fill.node.lineno == line]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", HOLDS)
def test_what_is_there_is_the_same(name: str) -> None:
    for verdict in verdicts(HOLDS[name]):
        assert isinstance(verdict, Proved)
        assert verdict.because


@pytest.mark.parametrize("name", [*MAY_NOT, *UNKNOWN])
def test_what_is_there_may_be_something_else(name: str) -> None:
    for verdict in verdicts((MAY_NOT | UNKNOWN)[name]):
        assert isinstance(verdict, Refused)
        assert verdict.code == "another-value"
