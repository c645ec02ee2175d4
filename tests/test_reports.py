"""Published claims that an edit is safe, with what is true of each: nothing that is unsafe may be proved or assumed.

tests/reports/claims.jsonl has one row a claim:

    truth    "safe", "unsafe", or "conditional": it holds under a contract that the report does not state
    kind     what it turns on; the words by which a refusal says so are in KINDS
    line     where the report sees it; `site`: the line that the tool would change, where that is another one
    now      what the tool says today, "proved" or "unknown[gap]"; "-" where no codemod proposes the edit

`pytest --accept` writes `now`; people read the difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from corpora import fetch, load, needed

from codemods import decide_file, scan
from codemods.core.verdict import Decision
from codemods.ops.contracts import outcome

REPORTS = Path(__file__).parent / "reports"
ROWS = REPORTS / "claims.jsonl"
CLAIMS: list[dict[str, Any]] = [json.loads(row) for row in ROWS.read_text("utf-8").splitlines()]

KINDS = {  # what a refusal says that is right for the right reason: its code, and a word of its message
    "read-modify-write": r"read-first: .*(loads .* before|see what was there before)",
    "residual element": r"gap: .*(element|part) [{\[]",
    "read before written": r"read-first: ",
    "partial rows": r"(partly-written|gap|read-first): ",
    "every override": r"(partly-written|gap|unseen-call): .*implementation",
    "view": r"held-elsewhere: .*view",
    "two outputs": r"unseen-call: .*two arguments in one memory",
    "pinned": r"pinned: ",
    "kept": r"kept: ",
    "held across turns": r"kept-by-name: .*next turn",
}
LIFE_CYCLES = {"004-02", "004-09"}  # safe, but only what all methods of the class do with an attribute shows it
UNPROVED: set[str] = set()  # safe, and not yet shown
UNSAID: set[str] = set()  # refused for another reason


@lru_cache(maxsize=64)
def found(package: str, version: str | None, file: str) -> tuple[Decision, ...]:
    """Every decision on the file of a claim."""
    if version is None:
        return decide_file((REPORTS / file).read_bytes(), file).decisions
    (corpus,) = [c for c in load() if (c.name, c.version) == (package, version)]
    with needed():
        root = fetch(corpus)
    report = scan([root / file.removeprefix(f"{package}/")]).report
    assert not report.failed
    return report.decisions


def decisions(claim: dict[str, Any]) -> list[Decision]:
    """What the tool says about the site of a claim."""
    line = claim.get("site", claim["line"])
    here = found(claim["package"], claim["version"], claim["file"])
    return [d for d in here if d.codemod == claim["codemod"] and abs(d.span.line - line) <= 1]


def word(decided: list[Decision]) -> str:
    """The verdict in one word; of several, all of them."""
    names = [f"{d.verdict}[{d.reason.code}]" if d.reason else " ".join((d.verdict, *d.assumes)) for d in decided]
    return ", ".join(dict.fromkeys(names)) or "-"


def refusals(decided: list[Decision]) -> Iterator[str]:
    for decision in decided:
        reason = decision.reason
        while reason:
            yield f"{reason.code}: {reason.message}"
            reason = reason.then


def claim_id(claim: dict[str, Any]) -> str:
    return str(claim["id"])


def test_there_are_41_claims() -> None:
    assert len({claim["id"].removesuffix("b") for claim in CLAIMS}) == 41  # 003-5b: as 003-5 stands in a release
    assert len(CLAIMS) == len({claim["id"] for claim in CLAIMS})
    assert {claim["kind"] for claim in CLAIMS if claim["truth"] != "safe"} <= KINDS.keys()


@pytest.mark.parametrize("claim", CLAIMS, ids=claim_id)
def test_nothing_unsafe_is_proved_or_assumed(claim: dict[str, Any]) -> None:
    verdicts = {decision.verdict for decision in decisions(claim)}
    match claim["truth"]:
        case "unsafe":
            assert not verdicts & {"proved", "assumed"}
        case "conditional":
            assert "proved" not in verdicts


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim["truth"] == "safe"], ids=claim_id)
def test_what_is_safe_is_proved_or_assumed(claim: dict[str, Any]) -> None:
    shown = {decision.verdict for decision in decisions(claim)} <= {"proved", "assumed"}
    assert shown is (claim["id"] not in LIFE_CYCLES | UNPROVED)


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim["truth"] != "safe"], ids=claim_id)
def test_a_refusal_says_what_the_truth_turns_on(claim: dict[str, Any]) -> None:
    told = list(refusals(decisions(claim)))
    said = any(re.match(KINDS[claim["kind"]], line) for line in told) or not told
    assert said is (claim["id"] not in UNSAID), told


def test_what_the_tool_says_today(accept: bool) -> None:
    now = [claim | {"now": word(decisions(claim))} for claim in CLAIMS]
    if accept:
        ROWS.write_text("".join(f"{json.dumps(claim)}\n" for claim in now), "utf-8")
    else:
        assert {claim["id"]: claim["now"] for claim in CLAIMS} == {claim["id"]: claim["now"] for claim in now}


def test_two_outputs_in_one_memory_are_refused_by_the_contract_alone() -> None:
    """Claim 002-3: to give `topk_softmax` its second output as the third one, too."""
    for path in ("sgl_kernel.topk_softmax", "torch.ops._moe_C.topk_softmax"):
        found = outcome(path, [{"weights"}, {"ids"}, {"ids"}, {"gating"}], {})
        assert found is not None
        effects = found.effects
        assert [effects[place].writes is None for place in range(3)] == [False, True, True]
        assert all("two arguments in one memory" in effects[place].missing for place in (1, 2))
