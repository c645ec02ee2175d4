"""Files that are decided in processes: one that is killed takes nothing else with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from codemods import Found, Item
from codemods.pipeline import pool
from codemods.read.discover import File

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the work is known only to a process that was forked")


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ENOUGH", 1)
    monkeypatch.setattr(pool, "processors", lambda: 2)


def work(item: Item, once: Path, parent: int) -> Found:
    """As if the kernel had run out of memory, every time or only `once`."""
    _, source = item
    if source == b"always" or source == b"once" and not once.exists():
        once.touch()
        assert os.getpid() != parent
        os.kill(os.getpid(), signal.SIGKILL)
    return Found(parsed=source != b"")


def decided(sources: list[bytes], folder: Path) -> Iterator[Found]:
    items = [(File(folder / f"{place}.py", f"{place}.py"), source) for place, source in enumerate(sources)]
    return pool.each(partial(work, once=folder / "killed", parent=os.getpid()), items, most=4)


def test_the_order_is_that_of_the_items(tmp_path: Path) -> None:
    sources = [b"x" * (place % 3) for place in range(100)]
    assert [found.parsed for found in decided(sources, tmp_path)] == [place % 3 > 0 for place in range(100)]


def test_a_killed_process_costs_nothing_where_it_was_not_the_file(tmp_path: Path) -> None:
    found = list(decided([b"x"] * 20 + [b"once"] + [b"x"] * 20, tmp_path))
    assert (tmp_path / "killed").exists()
    assert found == [Found(parsed=True)] * 41


def test_a_file_that_kills_whoever_reads_it_fails_alone(tmp_path: Path) -> None:
    found = list(decided([b"x"] * 20 + [b"always"] + [b"x"] * 20 + [b"always"], tmp_path))
    failed = [(place, notice.path) for place, one in enumerate(found) for notice in one.failed]
    assert failed == [(20, "20.py"), (41, "41.py")]
    assert all(notice.internal for one in found for notice in one.failed)
    assert sum(one.parsed for one in found) == 40
