"""Published claims that an edit is safe, with what is true of each: what the tool proves must be among the safe ones.

tests/reports/claims.jsonl has one row a claim: `truth` is "safe", "unsafe" or "conditional" (it holds under a contract
that the report does not state). Only the releases that the other tests fetch anyway are looked at.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpora import UnavailableError, fetch, load

from codemods import decide_file
from codemods.core.verdict import Decision

ROWS = (Path(__file__).parent / "reports" / "claims.jsonl").read_text("utf-8").splitlines()
VERSIONS = {"0.4.6.post5", "0.4.6.post4", "0.10.0"}


@dataclass(frozen=True)
class Claim:
    id: str
    package: str
    version: str
    file: str
    line: int
    variable: str
    codemod: str
    truth: str


CLAIMS = [claim for claim in (Claim(**json.loads(row)) for row in ROWS) if claim.version in VERSIONS]


def decisions(claim: Claim) -> list[Decision]:
    """What the tool says about the site of a claim."""
    (corpus,) = [c for c in load() if (c.name, c.version) == (claim.package, claim.version)]
    try:
        root = fetch(corpus)
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    file = root / claim.file.removeprefix(f"{claim.package}/")
    found = decide_file(file.read_bytes(), claim.file)
    assert not found.failed
    return [d for d in found.decisions if d.codemod == claim.codemod and abs(d.span.line - claim.line) <= 1]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_only_safe_claims_are_proved(claim: Claim) -> None:
    verdicts = {decision.verdict for decision in decisions(claim)}
    assert "proved" not in verdicts or claim.truth == "safe"


def test_the_claims_about_dead_allocations_and_empty_tensors_are_proved() -> None:
    proved = {claim.id for claim in CLAIMS if any(d.verdict == "proved" for d in decisions(claim))}
    assert proved >= {"002-1", "002-2", "002-4"}
