"""Programs that were rewritten wrongly once, or nearly: run in both forms under poisoned memory."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("torch")

from test_soundness import POISONS, everything, observe

SECTION = re.compile(r"^## (?P<title>.+?)\n+```python\n(?P<code>.*?)^# run: (?P<call>.*?)\n```$", re.M | re.S)


@dataclass(frozen=True)
class Attack:
    title: str
    code: str
    call: str


PAGE = Path(__file__).with_name("attacks.md").read_text("utf-8")
DOCS = Path(__file__).parents[1] / "docs/how-it-is-tested.md"
ROW = re.compile(r"^\| `(?P<topic>[a-z ]+)` \|.*\| (?P<count>\d+) \|$", re.M)
TOPICS = {found["topic"]: int(found["count"]) for found in ROW.finditer(DOCS.read_text("utf-8"))}
ATTACKS = [Attack(**found.groupdict()) for found in SECTION.finditer(PAGE)]


def test_the_page_is_read() -> None:
    assert len(ATTACKS) == PAGE.count("\n## ") > 60


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.title)
def test_it_is_not_fooled(attack: Attack) -> None:
    source = attack.code if re.search(r"^import torch$", attack.code, re.M) else "import torch\n" + attack.code
    fixed = everything(source)
    if fixed == source:
        return
    before = observe(source, attack.call, POISONS[0])
    if before[0] == "returned":
        for values in POISONS:
            assert observe(fixed, attack.call, values) == before, fixed


def test_the_documentation_counts_them() -> None:
    """docs/how-it-is-tested.md has a row for each word in front of a title."""
    words = (attack.title.partition(": ") for attack in ATTACKS)
    topics = Counter(word if rest and word in TOPICS else "other" for word, _, rest in words)
    assert topics == TOPICS, dict(topics)
