"""A report as JSON, as lines and as text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from codemods.core.edit import Replace
from codemods.core.report import Notice, Report
from codemods.core.span import NOWHERE, Span, Step
from codemods.core.verdict import Decision, Proved, Refused, Saves, Verdict
from codemods.write import report

SOURCE = b"""\
def f(n, x):
    out = torch.zeros(n)
\ty\xc3\xa9 = '\xe6\x97\xa5'; out.copy_(x)
    return g(out,
             x)
"""
CALL = Span(2, 10, 2, 24)
FILL = Saves(launches=1, bytes="4*n")
COPY = Step("m.py", Span(3, 14, 3, 26), "out.copy_(x) writes all of it")
RETURN = Step("m.py", Span(4, 11, 5, 15), "is returned", left="element {0}")
read_line = report.line_reader({"m.py": SOURCE}.__getitem__)


def site(*verdicts: Verdict, fix: str | None = "out = torch.empty(n)", saves: Saves = FILL) -> Decision:
    edits = (Replace(Span(2, 16, 2, 21), "empty"),)
    return Decision("zeros_to_empty", "m.py", CALL, "C.f", "out", edits, verdicts, saves, fix)


PROVED = site(Proved((COPY,)), Proved())
ASSUMED = site(Proved((COPY,), ("no-autograd", "contract:vllm")), fix="")
REFUTED = site(Proved(), Refused("gap", "element {0} is never written", (RETURN,), certain=True), fix=None)
UNKNOWN = site(Refused("unseen-call", "g may read it", (), needs="a contract for g"), fix=None)
ALL = Report((PROVED, ASSUMED, REFUTED, UNKNOWN), 839, 297, (Notice("bad.py", 3, "invalid syntax"),), (), 0.91234)


def test_json_is_the_document_of_the_interface() -> None:
    document = json.loads(report.to_json(ALL, "0.1.0"))
    assert list(document) == ["schema", "tool", "version", "sites", "files", "seconds"]
    assert (document["schema"], document["tool"], document["version"]) == (1, "torch-codemods", "0.1.0")
    assert document["files"] == {
        "scanned": 839,
        "parsed": 297,
        "failed": [{"path": "bad.py", "line": 3, "message": "invalid syntax"}],
    }
    assert document["seconds"] == 0.912
    assert [row["verdict"] for row in document["sites"]] == ["proved", "assumed", "refuted", "unknown"]


def test_json_of_a_proved_site() -> None:
    row = json.loads(report.to_json(Report((PROVED,), 1, 1), "1"))["sites"][0]
    assert list(row.items()) == [
        ("codemod", "zeros_to_empty"),
        ("path", "m.py"),
        ("line", 2),
        ("column", 11),
        ("end_line", 2),
        ("function", "C.f"),
        ("subject", "out"),
        ("verdict", "proved"),
        ("assumes", []),
        ("reason", None),
        ("because", [{"path": "m.py", "line": 3, "text": "out.copy_(x) writes all of it"}]),
        ("saves", {"launches": 1, "allocations": 0, "bytes": "4*n", "per": "call"}),
        ("fix", "out = torch.empty(n)"),
    ]


def test_json_of_the_other_verdicts() -> None:
    assumed, refuted, unknown = json.loads(report.to_json(ALL, "1"))["sites"][1:]
    assert assumed["assumes"] == ["contract:vllm", "no-autograd"]
    assert refuted["fix"] is None
    assert refuted["reason"] == {
        "code": "gap",
        "message": "element {0} is never written",
        "witness": [{"path": "m.py", "line": 4, "text": "is returned"}],
    }
    assert unknown["reason"] == {"code": "unseen-call", "message": "g may read it", "witness": []}


def test_what_would_still_be_in_the_way_is_told() -> None:
    both = site(
        Refused("unseen-call", "g may read it", needs="who holds it", then=Refused("gap", "{0} is left")), fix=None
    )
    (row,) = json.loads(report.to_json(Report((both,), 1, 1), "1"))["sites"]
    assert row["reason"]["then"] == {"code": "gap", "message": "{0} is left"}
    text = report.to_text(Report((both,), 1, 1), read_line)
    assert text.endswith("    needs: who holds it\n    and then: {0} is left [gap]\n")


def test_json_carries_any_file_name() -> None:
    odd = replace(PROVED, path="\udcff\n.py")
    assert json.loads(report.to_json(Report((odd,), 1, 1), "1"))["sites"][0]["path"] == "\udcff\n.py"


def test_concise() -> None:
    assert list(report.to_concise(ALL)) == [
        "m.py:2:11: zeros_to_empty proved saves 1 launch, 4*n bytes per call",
        "m.py:2:11: zeros_to_empty assumed[contract:vllm, no-autograd] saves 1 launch, 4*n bytes per call",
        "m.py:2:11: zeros_to_empty refuted[gap] element {0} is never written",
        "m.py:2:11: zeros_to_empty unknown[unseen-call] g may read it",
    ]
    assert len(list(report.to_concise(ALL, ("refuted", "unknown")))) == 2


def test_a_line_a_site_whatever_the_name() -> None:
    (line,) = report.to_concise(Report((replace(PROVED, path="a\n\x1b[2J\udcff.py"),), 1, 1))
    assert line.startswith("a??[2J?.py:2:11: ")
    assert line.encode()


def test_text_of_a_proof() -> None:
    assert report.to_text(Report((PROVED,), 1, 1), read_line) == (
        "m.py\n"
        "  2:11 zeros_to_empty proved: out in C.f\n"
        "    2 |     out = torch.zeros(n)\n"
        "      |           ^^^^^^^^^^^^^^\n"
        "    3 | \tyé = '日'; out.copy_(x)\n"
        "      | \t           ^^^^^^^^^^^^ out.copy_(x) writes all of it\n"
        "    saves 1 launch, 4*n bytes per call\n"
        "    becomes: out = torch.empty(n)\n"
    )


def test_text_of_a_witness() -> None:
    assert report.to_text(Report((REFUTED,), 1, 1), read_line) == (
        "m.py\n"
        "  2:11 zeros_to_empty refuted[gap]: out in C.f\n"
        "    2 |     out = torch.zeros(n)\n"
        "      |           ^^^^^^^^^^^^^^ element {0} is never written\n"
        "    4 |     return g(out,\n"
        "      |            ^^^^^^ is returned\n"
        "    left: element {0}\n"
    )


def notes(decision: Decision) -> list[str]:
    return [line.text for line in report.blocks(decision, read_line) if line.kind == "note"]


def test_notes() -> None:
    assert notes(UNKNOWN) == ["needs: a contract for g"]
    assert notes(ASSUMED) == [
        "assumes contract:vllm",
        "assumes no-autograd",
        "saves 1 launch, 4*n bytes per call",
        "goes away",
    ]
    assert notes(site(Proved(), fix="f(\n  1)", saves=Saves())) == ["saves nothing", "becomes: f( ..."]


def test_steps_elsewhere_and_nowhere() -> None:
    steps = Step("k.py", Span(7, 0, 7, 1), "the kernel writes it"), Step("", NOWHERE, "n is at least 0")
    assert notes(site(Proved(steps)))[:2] == ["k.py:7: the kernel writes it", "n is at least 0"]
    other = report.line_reader({"m.py": SOURCE, "k.py": b"tl.store(p, v)\n" * 7}.__getitem__)
    assert [line.text for line in report.blocks(site(Proved(steps)), other)][1:5] == [
        "     2 |     out = torch.zeros(n)",
        "       |           ^^^^^^^^^^^^^^",
        "k.py:7 | tl.store(p, v)",
        "       | ^ the kernel writes it",
    ]


def test_the_text_is_grouped_by_file_and_filtered() -> None:
    other = replace(PROVED, path="z.py")
    text = report.to_text(Report((PROVED, REFUTED, other), 1, 1), lambda path, line: "", ("proved",))
    assert [line for line in text.splitlines() if not line.startswith("    ")] == [
        "m.py",
        "  2:11 zeros_to_empty proved: out in C.f",
        "",
        "z.py",
        "  2:11 zeros_to_empty proved: out in C.f",
    ]
    assert report.to_text(Report((PROVED,), 1, 1), read_line, ()) == ""


@pytest.mark.parametrize("hidden", [b"\x1b[31m", b"\x0c", "\u202e".encode(), b"\x00"])
def test_source_cannot_steer_the_terminal(hidden: bytes) -> None:
    text = report.to_text(Report((PROVED,), 1, 1), report.line_reader(lambda path: b"\n# " + hidden + b" x = 1"))
    assert hidden not in text.encode()
    assert "# ?" in text


def test_lines_of_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"# coding: latin-1\n\xe9\n")
    (tmp_path / "broken.py").write_bytes(b"a\n\xe9\n")
    line = report.line_reader(lambda path: (tmp_path / path).read_bytes())
    assert [line(name, 2) for name in ("latin.py", "broken.py", "none.py")] == ["é", "", ""]
    assert [line("latin.py", number) for number in (0, 3, 99)] == ["", "", ""]


def test_statistics() -> None:
    more = replace(REFUTED, codemod="drop_fill")
    counts = report.statistics(replace(ALL, decisions=(*ALL.decisions, more)))
    assert counts.codemods == (("drop_fill", (0, 0, 0, 1)), ("zeros_to_empty", (1, 1, 1, 1)))
    assert counts.reasons == (("gap", 2), ("unseen-call", 1))
    assert report.statistics(ALL, ("proved",)) == report.Statistics((("zeros_to_empty", (1, 0, 0, 0)),), ())


def test_what_a_rewrite_costs_is_told_with_what_it_saves() -> None:
    decision = replace(PROVED, saves=Saves(allocations=1, but="slower in winter"))
    assert list(report.to_concise(Report((decision,), 1, 1))) == [
        "m.py:2:11: zeros_to_empty proved saves 1 allocation per call, but slower in winter"
    ]
    saves = report.site(decision, None)["saves"]
    assert saves == {"launches": 0, "allocations": 1, "bytes": None, "per": "call", "but": "slower in winter"}
