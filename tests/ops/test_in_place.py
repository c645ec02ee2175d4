"""The table of operators that may work in place, against the torch that is installed."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from codemods import ops

pytest.importorskip("torch", reason="the rows are measured by calling torch")
from in_place import table

pytestmark = pytest.mark.torch


def test_the_table_is_what_is_measured() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert json.loads((Path(ops.__file__).parent / "in_place.json").read_text()) == table()
