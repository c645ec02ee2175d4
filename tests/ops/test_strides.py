"""Where the strides of a result are certain: what codemods/core/meta.py and codemods/read/results.py say, by trying."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="strides are measured by calling torch")
from codemods.core.meta import Meta  # noqa: E402
from codemods.core.size import as_size  # noqa: E402

pytestmark = pytest.mark.torch
SHAPES = [shape for rank in (1, 2, 3) for shape in itertools.product((0, 1, 2, 3), repeat=rank)]


def meta(shape: tuple[int, ...]) -> Meta:
    return Meta(shape=tuple(map(as_size, shape)), plain=True)


def operands(shape: tuple[int, ...]) -> Iterator[tuple[torch.Tensor, bool]]:
    """Tensors that are broadcast to a shape, in every order of their dimensions, and whether they are plain."""
    for rank in range(len(shape) + 1):
        for other in itertools.product(*[{extent, 1} for extent in shape[len(shape) - rank :]]):
            for order in itertools.permutations(range(rank)):
                back = [order.index(place) for place in range(rank)]
                whole = torch.zeros([other[place] for place in order]).permute(back)
                sparse = torch.zeros([2 * other[place] for place in order]).permute(back)
                yield whole, order == tuple(range(rank))
                yield sparse[tuple(slice(None, None, 2) for _ in other)], False


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_result_lies_as_its_left_operand(shape: tuple[int, ...]) -> None:
    left, known = torch.zeros(shape), meta(shape)
    if known.steady:
        assert (left + 1).stride() == (left * 0.5).stride() == (left > 1).stride() == left.stride()
    for right, plain in operands(shape):
        same = plain and right.shape == left.shape
        if (left + right).shape == left.shape and (same or (known.steady if plain else known.firm)):
            assert (left + right).stride() == left.stride(), (right.shape, right.stride())


def test_where_it_may_not_is_seen() -> None:
    empty = torch.zeros(0, 1)
    assert not meta((0, 1)).steady and (empty + 1).stride() != empty.stride()
    left, right = torch.zeros(2, 3, 1), torch.zeros(1, 3, 2).permute(2, 1, 0)
    assert meta((2, 3, 1)).steady and not meta((2, 3, 1)).firm and (left + right).stride() != left.stride()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_keeps_the_strides_of_a_contiguous_tensor(shape: tuple[int, ...]) -> None:
    left = torch.zeros(shape)
    results = [left.clone(), left.cumsum(0), left.cumprod(-1), left.to(torch.int64), left.long(), -left, left.abs()]
    assert {result.stride() for result in results} == {left.stride()}
    assert torch.rand(*shape).stride() == torch.zeros_like(left).stride() == left.stride()


def test_pad_by_nothing_keeps_strange_strides_and_cat_does_not() -> None:
    one = torch.rand(10)[::5][:1]
    assert torch.nn.functional.pad(one, (0, 0)).stride() == one.stride() == (5,)
    assert torch.cat([one, one.new_zeros(0)]).stride() == torch.nn.functional.pad(one, (1, 0)).stride() == (1,)
