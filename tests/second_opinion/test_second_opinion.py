"""The harness of the second opinion sees a wrong rewrite, and finds its way into functions of which it knows nothing.

What it says of the corpora is found out by hand: `python tests/second_opinion/run.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from second_opinion.cut import World, around  # noqa: E402
from second_opinion.search import Search, difference  # noqa: E402

pytestmark = pytest.mark.torch
SOURCE = """\
from thirdparty import layer_of, register
import torch
from .other import WIDTH

@register
class Model:
    def forward(self, batch, x: torch.Tensor):
        if not batch.mode.is_extend():
            raise ValueError("no")
        out = torch.zeros(x.shape[0], WIDTH, device="cuda")
        out[:, 0] = self.scale
        out[:, 1:] = 1
        layer_of(batch.ids)(out)
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("zeros", "empty", True),
        ("zeros", "ones", True),
        ("out[:, 1:] = 1", "out[:, 2:] = 1", False),
        ("WIDTH, device", "WIDTH, dtype=torch.float64, device", False),
        ("layer_of(batch.ids)(out)", "layer_of(batch.ids)(out.clone().t().contiguous().t())", False),
        ("(batch.ids)(out)", "(batch.ids)", False),
    ],
)
def test_what_a_function_shows_to_others_is_compared(tmp_path: Path, old: str, new: str, same: bool) -> None:
    file = tmp_path / "model.py"
    file.write_text(SOURCE)
    (tmp_path / "other.py").write_text("WIDTH = 3\n")
    before = around(World("pkg", tmp_path).file(file), 10)
    after = around(World("pkg", tmp_path, {file: SOURCE.replace(old, new)}).file(file), 10)
    assert before is not None and after is not None
    search = Search(before, (10,))
    search.climb(800, 4)
    assert search.inputs
    answers = {difference(before, after, fills) for fills in search.inputs}
    assert (answers == {""}) == same, answers
