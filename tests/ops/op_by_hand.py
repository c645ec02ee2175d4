"""Calls that are easy to get wrong, by name without "torch.": nothing to do, one element, no dimension, same dtype."""

from __future__ import annotations

from functools import cache

import torch
from op_measure import Sample, sample

Calls = dict[str, list[Sample]]


@cache
def by_hand() -> Calls:
    torch.default_generator.manual_seed(1)
    return {**joins(), **reductions(), **elementwise(), **views(), **in_place(), **functional(), **init()}


def joins() -> Calls:
    """What takes several tensors."""
    x = torch.rand(2, 3)
    v = torch.rand(3)
    s = torch.tensor(1.5)
    one = torch.rand(1)
    square = torch.rand(3, 3)
    i = torch.tensor([[3, 1, 2], [0, 5, 4]])
    return {
        "einsum": [
            sample("i->i", v),
            sample("ij->ij", x),
            sample("ij->ji", x),
            sample("ij,jk->ik", x, square),
            sample("ij->", x),
        ],
        "chain_matmul": [sample(x), sample(x, square)],
        "linalg.multi_dot": [sample([x]), sample([x, square]), sample([v, square])],
        "cat": [sample([x]), sample([x], 1), sample([x, torch.empty(0)]), sample([x, x])],
        "concat": [sample([x]), sample([x], 1), sample([x, x])],
        "concatenate": [sample([x]), sample([x, x])],
        "stack": [sample([x]), sample([s, s])],
        "hstack": [sample([x]), sample([s]), sample([v, v])],
        "vstack": [sample([x]), sample([v])],
        "row_stack": [sample([x]), sample([v])],
        "dstack": [sample([x]), sample([torch.rand(1, 1, 1)])],
        "column_stack": [sample([x]), sample([v])],
        "block_diag": [sample(x), sample(s), sample(x, x)],
        "cartesian_prod": [sample(v), sample(v, v)],
        "combinations": [sample(v, 1), sample(v, 2)],
        "meshgrid": [sample(v, indexing="ij"), sample(v, v, indexing="ij"), sample([v, v], indexing="xy"), sample(s)],
        "broadcast_tensors": [sample(x, v), sample(x), sample(s, x)],
        "tensordot": [sample(x, square, 1), sample(x, x, 2), sample(s, s, 0)],
        "cdist": [sample(x, x), sample(x, x, p=1.0)],
        "equal": [sample(x, x), sample(x, i)],
        "allclose": [sample(x, x), sample(v, v)],
        "polar": [sample(v, v)],
        "nn.utils.rnn.pad_sequence": [sample([v]), sample([v, one]), sample([x], batch_first=True), sample([x, x, x])],
    }


def reductions() -> Calls:
    """Over no dimension, one element, or nothing to sort."""
    x = torch.rand(2, 3)
    v = torch.rand(3)
    s = torch.tensor(1.5)
    one = torch.rand(1)
    square = torch.rand(3, 3)
    i = torch.tensor([[3, 1, 2], [0, 5, 4]])
    return {
        "sum": [sample(x, dim=()), sample(x, dim=1), sample(s), sample(one, 0), sample(i), sample(x, [], keepdim=True)],
        "mean": [sample(x, dim=()), sample(x, dim=1), sample(s), sample(one, 0)],
        "amax": [sample(x, ()), sample(s, ()), sample(one, 0)],
        "norm": [sample(x), sample(x, dim=1), sample(s), sample(x, p=1, dim=()), sample(one, 2, 0)],
        "sort": [sample(one), sample(s), sample(x)],
        "cumsum": [sample(s, 0), sample(one, 0), sample(x, 1)],
        "unique": [sample(i), sample(v, return_inverse=True), sample(torch.arange(3)), sample(x, dim=0)],
        "unique_consecutive": [sample(torch.arange(3)), sample(one), sample(x, return_counts=True)],
        "stft": [sample(torch.rand(16), 4, window=torch.ones(4), return_complex=True)],
        "lu_unpack": [sample(*torch.linalg.lu_factor(square))],
    }


def elementwise() -> Calls:
    """Nothing to round, to clamp, to drop."""
    x = torch.rand(2, 3)
    v = torch.rand(3)
    s = torch.tensor(1.5)
    one = torch.rand(1)
    i = torch.tensor([[3, 1, 2], [0, 5, 4]])
    image = torch.rand(1, 2, 4, 4)
    u8 = torch.tensor([1, 2, 3], dtype=torch.uint8)
    rounding = [sample(i), sample(u8), sample(i.bool()), sample(x), sample(s)]
    every = [*rounding, sample(torch.rand(2, dtype=torch.complex64))]
    names = "round floor ceil trunc fix abs positive real conj sgn conj_physical sign"
    return {
        **dict.fromkeys(names.split(), every),
        "dropout": [sample(x, 0.5, False), sample(x, 0.0, True), sample(x, 0.5, True)],
        "feature_dropout": [sample(image, 0.5, True), sample(image, 0.5, False), sample(image, 0.0, True)],
        "adaptive_avg_pool1d": [sample(x, 1), sample(x, 3), sample(x, 2)],
        "clamp": [sample(x, None, 1), sample(x, 0), sample(x, min=x), sample(i, 0, 9)],
        "where": [sample(x > 0, x, x), sample(x > 2, x, 0.0), sample(x > 0), sample(s > 0, s, s)],
        "nan_to_num": rounding,
        "is_tensor": [sample(x), sample(s), sample(3)],
        "numel": [sample(x), sample(s)],
        "is_complex": [sample(x), sample(s)],
        "result_type": [sample(x, i), sample(i, 1.0), sample(s, x)],
        "tensor": [sample(x), sample([1, 2]), sample([s, s]), sample(s, dtype=torch.int64), sample(3.0)],
        "as_tensor": [sample(x), sample(x, dtype=torch.int64), sample([1])],
        "asarray": [sample(x), sample(x, copy=True), sample([1])],
        "scalar_tensor": [sample(3.0)],
        "Tensor.item": [sample(s), sample(one)],
        "Tensor.tolist": [sample(x), sample(s)],
        "Tensor.numpy": [sample(x), sample(i), sample(s)],
        "Tensor.type": [sample(x), sample(x, torch.float32), sample(x, torch.float64), sample(x, "torch.FloatTensor")],
        "Tensor.to": [
            sample(x, torch.float32),
            sample(x, torch.float64),
            sample(x, "cpu"),
            sample(x, x),
            sample(x, copy=True),
        ],
        "Tensor.new_tensor": [sample(x, [1.0]), sample(x, v), sample(x, 2)],
    }


def views() -> Calls:
    """The same elements in another order, or a part of them."""
    x = torch.rand(2, 3)
    v = torch.rand(3)
    s = torch.tensor(1.5)
    one = torch.rand(1)
    image = torch.rand(1, 2, 4, 4)
    index = torch.tensor([0, 1])
    return {
        "broadcast_to": [sample(x, (2, 3)), sample(v, (2, 3))],
        "atleast_1d": [sample(v), sample(s), sample(x, s)],
        "atleast_2d": [sample(x), sample(s), sample(v)],
        "atleast_3d": [sample(torch.rand(1, 2, 3)), sample(s), sample(x)],
        "flip": [sample(x, ()), sample(x, (0,)), sample(s, ())],
        "rot90": [sample(x, 0), sample(x, 4), sample(x, 1), sample(x, 2, (1, 0))],
        "roll": [sample(x, 0), sample(x, 0, 0), sample(x, 3, 1), sample(s, 0)],
        "tile": [sample(x, (1,)), sample(x, ()), sample(s, (1,)), sample(x, (2, 1))],
        "Tensor.repeat": [sample(x, 1, 1), sample(s), sample(x, (1, 1)), sample(x, 2, 1)],
        "repeat_interleave": [sample(v, 1), sample(x, 1, dim=0), sample(x, 2), sample(index), sample(x, index, 0)],
        "index_select": [sample(x, 0, index), sample(s, 0, torch.tensor([0])), sample(x, 1, torch.tensor([1]))],
        "gather": [sample(x, 1, torch.tensor([[0], [1]]))],
        "take_along_dim": [sample(x, torch.tensor([[0], [1]]), 1), sample(v, index)],
        "split": [sample(x, 1), sample(x, 2), sample(x, [1, 1]), sample(x, 3, 1), sample(x, (1, 2), dim=1)],
        "chunk": [sample(x, 1), sample(x, 2), sample(x, 3, dim=1)],
        "tensor_split": [sample(x, 1), sample(x, (1,), 1), sample(x, 3), sample(x, index)],
        "narrow": [sample(x, 1, 0, 3), sample(x, 1, 1, 1), sample(x, 1, torch.tensor(1), 2)],
        "swapaxes": [sample(x, 0, 0), sample(x, 0, 1)],
        "movedim": [sample(x, 0, 0), sample(x, 0, 1), sample(x, (0, 1), (0, 1))],
        "squeeze": [sample(x), sample(one), sample(x, 0), sample(torch.rand(1, 3), 0)],
        "flatten": [sample(x), sample(s), sample(v), sample(x.t()), sample(torch.rand(1, 2, 3), 1)],
        "ravel": [sample(x), sample(s), sample(v), sample(x.t())],
        "Tensor.view": [
            sample(x, -1),
            sample(x, (3, 2)),
            sample(x, torch.int32),
            sample(x, 2, 3),
            sample(x, torch.float32),
        ],
        "Tensor.reshape": [sample(x, -1), sample(x.t(), -1), sample(x, (3, 2)), sample(x, 2, 3)],
        "reshape": [sample(x, (-1,)), sample(x.t(), (-1,))],
        "Tensor.expand": [sample(x, 2, 3), sample(one, 3), sample(x, (4, 2, 3)), sample(x, -1, -1)],
        "Tensor.permute": [sample(x, 0, 1), sample(x, (1, 0)), sample(s)],
        "Tensor.size": [sample(x), sample(x, 0), sample(x, -1)],
        "Tensor.stride": [sample(x), sample(x, 0)],
        "Tensor.unflatten": [sample(x, 1, (3, 1)), sample(x, 0, (-1, 2))],
        "Tensor.split": [sample(x, 1), sample(x, [1, 1]), sample(x, 3, 1)],
        "view_as_complex": [
            sample(torch.rand(3, 2)),
            sample(torch.rand(2)),
            sample(torch.rand(2, 5, 2)),
            sample(torch.rand(2, 1, 2).double()),
        ],
        "pixel_shuffle": [sample(torch.rand(1, 4, 2, 2), 2), sample(image, 1)],
    }


def in_place() -> Calls:
    """Writes into the first argument."""
    x = torch.rand(2, 3)
    v = torch.rand(3)
    s = torch.tensor(1.5)
    one = torch.rand(1)
    i = torch.tensor([[3, 1, 2], [0, 5, 4]])
    u8 = torch.tensor([1, 2, 3], dtype=torch.uint8)
    index = torch.tensor([0, 1])
    return {
        "Tensor.copy_": [
            sample(x, x + 1),
            sample(x, v),
            sample(x, s),
            sample(i, x),
            sample(x, i, non_blocking=True),
            sample(s, one),
        ],
        "Tensor.fill_": [sample(x, 1), sample(x, s), sample(i, 0), sample(u8, 2)],
        "Tensor.index_put_": [
            sample(x, (index,), s),
            sample(x, (index,), s, accumulate=True),
            sample(x, (x > 0.5,), s),
        ],
        "Tensor.scatter_": [
            sample(x, 1, i % 3, 1.0),
            sample(x, 1, i % 3, x + 3),
            sample(x, 1, i % 3, x + 3, reduce="add"),
        ],
        "Tensor.index_copy_": [
            sample(x, 0, index, x + 3),
            sample(x, 0, index[:1], x[:1] + 3),
            sample(x, 1, index, x[:, :2]),
        ],
        "Tensor.addbmm_": [sample(torch.rand(n, 2), torch.rand(2, n, 4), torch.rand(2, 4, 2)) for n in (1, 3)]
        + [sample(torch.rand(1), torch.rand(2, 3, 4), torch.rand(2, 4, 2))],
        "Tensor.index_fill_": [sample(x, 0, index, 4.0), sample(x, 1, index, s)],
        "Tensor.masked_fill_": [sample(x, x > 0.5, 4.0), sample(x, x > 2, s)],
        "Tensor.masked_scatter_": [sample(x, x > 0.5, x + 3)],
        "Tensor.put_": [sample(x, index, x[0, :2] + 4), sample(x, index, x[0, :2] + 4, accumulate=True)],
        "Tensor.bernoulli_": [sample(x), sample(x, 0.2), sample(x, x.clone()), sample(i, 0.5)],
        "Tensor.random_": [sample(x), sample(i), sample(i, 5), sample(x, 2, 9), sample(i > 1)],
        "Tensor.normal_": [sample(x), sample(x, 1.0, 2.0), sample(s), sample(torch.rand(20))],
        "Tensor.uniform_": [sample(x), sample(x, 1.0, 2.0), sample(s), sample(torch.rand(20))],
        "Tensor.exponential_": [sample(x), sample(x, 2.0), sample(torch.rand(20))],
    }


def functional() -> Calls:
    x, s, image, one = torch.rand(2, 3), torch.tensor(1.5), torch.rand(1, 2, 4, 4), torch.rand(1)
    words, square, v = torch.tensor([[0, 1], [2, 0]]), torch.rand(3, 3), torch.rand(3)
    heads = torch.rand(1, 2, 4, 4)
    drop = [sample(x, 0.5, False), sample(x, 0.0, True), sample(x, 0.5, True), sample(x, training=False)]
    maps = [sample(image, 0.5, False), sample(image, 0.0, True), sample(image, 0.5, True)]
    plain = [sample(x), sample(s), sample(one), sample(image), sample(x - 1)]
    found = {
        "dropout": drop,
        "alpha_dropout": drop,
        "dropout1d": [sample(x, 0.5, False), sample(x, 0.5, True)],
        "dropout2d": maps,
        "dropout3d": [sample(torch.rand(1, 1, 2, 2, 2), 0.5, False), sample(torch.rand(1, 1, 2, 2, 2), 0.5, True)],
        "feature_alpha_dropout": maps,
        "pad": [
            sample(x, (0, 0)),
            sample(x, (1, 0)),
            sample(x, ()),
            sample(x, (0, -1)),
            sample(image, (0, 0, 0, 0), "replicate"),
        ],
        "interpolate": [
            sample(image, 4),
            sample(image, scale_factor=1.0),
            sample(image, 8, mode="bilinear"),
            sample(image, 2),
        ],
        "upsample": [sample(image, 4), sample(image, 2)],
        "normalize": [sample(x), sample(torch.eye(3)), sample(one, dim=0)],
        "embedding": [
            sample(words, square),
            sample(words, square * 9, max_norm=0.1),
            sample(words, square, padding_idx=0),
        ],
        "embedding_bag": [sample(words, square), sample(words, square * 9, max_norm=0.1)],
        "layer_norm": [sample(x, (3,)), sample(x, (3,), v, v), sample(one, (1,))],
        "rms_norm": [sample(x, (3,)), sample(x, (3,), v), sample(one, (1,))],
        "group_norm": [sample(image, 1), sample(image, 2)],
        "local_response_norm": [sample(image, 1), sample(image, 2)],
        "batch_norm": [sample(x, v, v + 1), sample(x, v, v + 1, training=True)],
        "instance_norm": [sample(image, torch.rand(2), torch.rand(2)), sample(image)],
        "linear": [sample(x, square), sample(x, square, v), sample(v, square), sample(one, torch.ones(1, 1))],
        "bilinear": [sample(x, x, torch.rand(4, 3, 3))],
        "one_hot": [sample(words), sample(words, 3)],
        "unfold": [sample(image, 1), sample(image, 2, stride=2), sample(image, 4)],
        "fold": [sample(torch.rand(1, 2, 16), 4, 1), sample(torch.rand(1, 8, 4), 4, 2, stride=2)],
        "scaled_dot_product_attention": [sample(heads, heads, heads), sample(heads, heads, heads, is_causal=True)],
        "softmax": [sample(x, -1), sample(s, 0), sample(one, 0, dtype=torch.float32)],
        "log_softmax": [sample(x, -1), sample(s, 0)],
        "softmin": [sample(x, -1), sample(s, 0)],
        "gumbel_softmax": [sample(x), sample(x, hard=True)],
        "cross_entropy": [sample(x, torch.tensor([0, 1])), sample(x, torch.tensor([0, 1]), reduction="none")],
        "mse_loss": [sample(x, x), sample(x, x + 1, reduction="none"), sample(s, s)],
        "l1_loss": [sample(x, x), sample(x, x + 1, reduction="none"), sample(s, s)],
        "avg_pool1d": [sample(x, 1), sample(x, 2)],
        "avg_pool2d": [sample(image, 1), sample(image, 2)],
        "avg_pool3d": [sample(image, 1)],
        "max_pool2d": [sample(image, 1), sample(image, 2), sample(image, 2, return_indices=True)],
        "max_pool1d": [sample(x, 1), sample(x, 2)],
        "adaptive_avg_pool2d": [sample(image, 4), sample(image, (None, 4)), sample(image, 1)],
        "adaptive_max_pool2d": [sample(image, 4), sample(image, 1)],
        "lp_pool2d": [sample(image, 2.0, 1), sample(image, 2.0, 2)],
        "conv1d": [sample(x[None], torch.rand(2, 2, 1)), sample(x[None], torch.ones(2, 1, 1), groups=2)],
        "conv2d": [sample(image, torch.rand(2, 2, 1, 1)), sample(image, torch.ones(2, 1, 1, 1), groups=2)],
        "conv3d": [sample(image[None], torch.rand(2, 1, 1, 1, 1))],
        "glu": [sample(torch.rand(2, 4)), sample(torch.rand(2), 0)],
        "tanh": plain,
        "sigmoid": plain,
    }
    activations = """
        relu relu6 silu mish elu selu celu leaky_relu hardtanh hardswish hardsigmoid gelu softplus
        softsign tanhshrink logsigmoid hardshrink softshrink rrelu
    """
    found |= dict.fromkeys(activations.split(), plain)
    found["threshold"] = [sample(x, 0.5, 0.0), sample(s, 9.0, 1.0)]
    return {f"nn.functional.{name}": calls for name, calls in found.items()}


def init() -> Calls:
    x, v, s, cube = torch.rand(3, 5), torch.rand(4), torch.tensor(1.0), torch.rand(4, 2, 3)
    wide = torch.rand(5, 3).t()
    every = [
        sample(x),
        sample(wide),
        sample(torch.rand(4, 4)),
        sample(cube),
        sample(torch.rand(1, 1)),
        sample(torch.rand(0, 3)),
    ]
    flat = [*every, sample(v), sample(s), sample(x.double()), sample(x.bfloat16())]
    found = {
        "zeros_": [*flat, sample(torch.arange(4))],
        "ones_": [*flat, sample(torch.arange(4))],
        "constant_": [sample(*call.args, 0.5) for call in flat],
        "normal_": flat,
        "uniform_": flat,
        "trunc_normal_": flat,
        "xavier_uniform_": every,
        "xavier_normal_": every,
        "kaiming_uniform_": [*every, *(sample(*call.args, mode="fan_out", nonlinearity="relu") for call in every)],
        "kaiming_normal_": every,
        "eye_": every,
        "orthogonal_": every,
        "dirac_": [sample(cube), sample(torch.rand(2, 2, 3, 3)), sample(cube, groups=2)],
        "sparse_": [sample(x, 0.3), sample(wide, 0.5)],
    }
    return {f"nn.init.{name}": calls for name, calls in found.items()}
