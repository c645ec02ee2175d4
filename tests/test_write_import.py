"""An import that is put behind another one: once, on its own line, at the top level."""

from __future__ import annotations

from dataclasses import replace

import pytest
from write_sources import decision

from codemods.core.edit import Import, Replace
from codemods.core.span import Span
from codemods.write import edits, gate
from codemods.write.edits import Applied
from codemods.write.gate import GateError
from codemods.write.source import CannotEdit

SOURCE = b"from torch import cat  # names\nx = f(1)\ny = f(2)\n"
PLACE, ONE, TWO = Span(1, 0, 1, 21), Span(2, 4, 2, 8), Span(3, 4, 3, 8)
TEXT = "import torch.nn.functional as F"


def imported(source: bytes, place: Span = PLACE, text: str = TEXT) -> Applied:
    return edits.apply(source, [decision(site, Replace(site, "F.g()"), Import(place, text)) for site in (ONE, TWO)])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_two_sites_need_it_once(end: bytes) -> None:
    source = SOURCE.replace(b"\n", end)
    result = imported(source)
    gate.check(source, result)
    lines = [b"from torch import cat  # names", TEXT.encode(), b"x = F.g()", b"y = F.g()", b""]
    assert result.text == end.join(lines)
    assert len(result.applied) == 2


def test_a_byte_order_mark_stays_in_front() -> None:
    source = b"\xef\xbb\xbf" + SOURCE
    result = imported(source)
    gate.check(source, result)
    assert result.text.startswith(b"\xef\xbb\xbffrom torch import cat  # names\nimport torch.nn.functional as F\n")


def test_nothing_is_put_behind_a_semicolon() -> None:
    with pytest.raises(CannotEdit, match="line 1"):
        imported(SOURCE.replace(b"  # names", b"; z = 1"))


@pytest.mark.parametrize("text", ["import a; import b", "x = 1", "from a import b"])
def test_the_gate_lets_only_one_import_through(text: str) -> None:
    with pytest.raises(GateError, match="not one import"):
        gate.check(SOURCE, imported(SOURCE, text=text))


def test_the_gate_wants_an_import_in_front_of_it() -> None:
    with pytest.raises(GateError, match="there is no such statement"):
        gate.check(SOURCE, imported(SOURCE, Span(2, 0, 2, 8)))


def test_the_gate_sees_that_it_is_missing_or_there_twice() -> None:
    result = imported(SOURCE)
    line = TEXT.encode() + b"\n"
    for text in (result.text.replace(line, b""), result.text.replace(line, line * 2)):
        with pytest.raises(GateError):
            gate.check(SOURCE, replace(result, text=text))
