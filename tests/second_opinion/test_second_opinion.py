"""The harness of the second opinion sees a wrong rewrite, and finds its way into functions of which it knows nothing.

What it says of all sites of the corpora is found out by hand: `python tests/second_opinion/run.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from corpora import fetch, needed

torch = pytest.importorskip("torch")

from second_opinion.cut import World, around  # noqa: E402
from second_opinion.search import Search, difference  # noqa: E402
from second_opinion.sites import Opinion, of_file, sites  # noqa: E402

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


REACHED = {  # files of which all accepted sites are reached with few tries, and how many these are
    "vllm-0.10.0 model_executor/layers/quantization/utils/bitblas_utils.py": 2,
    "vllm-0.10.0 model_executor/layers/quantization/utils/quant_utils.py": 1,
    "vllm-0.10.0 model_executor/models/florence2.py": 1,
    "vllm-0.10.0 model_executor/models/gemma3_mm.py": 1,
    "vllm-0.10.0 model_executor/models/moonvit.py": 1,
    "vllm-0.10.0 model_executor/models/phi4mm_utils.py": 1,
    "sglang-0.4.6.post5 srt/layers/moe/topk.py": 2,
    "sglang-0.4.6.post5 srt/models/gemma3_mm.py": 1,
    "sglang-0.4.6.post5 srt/models/kimi_vl_moonvit.py": 1,
    "sglang-0.5.23 srt/models/clip.py": 1,
    "sglang-0.5.23 srt/speculative/eagle_info.py": 4,
    "sglang-0.5.23 srt/speculative/uno_utils.py": 1,
}


@pytest.mark.corpus
@pytest.mark.skipif(sys.version_info < (3, 11), reason="the search asks where an expression raised")
@pytest.mark.parametrize("where", REACHED)
def test_accepted_sites_of_released_packages_agree(where: str) -> None:
    found = list(sites(f"{where}:"))
    assert len(found) == REACHED[where]
    with needed():
        root = fetch(found[0].corpus)
    answers = of_file(found[0].corpus, root, root / found[0].path, found, tries=250, seed=0, kernels=False)
    assert {opinion.site: opinion.word for opinion in answers} == dict.fromkeys(found, Opinion.AGREED)
