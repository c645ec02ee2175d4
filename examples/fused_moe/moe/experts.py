"""The experts themselves."""

import torch
import torch.nn.functional as F

from moe.dispatch import permute, segments
from moe.router import route


def warm_up(device: str) -> None:
    """Set the device up before its free memory is measured."""
    _ = torch.zeros(1, device=device)


def pack(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """Both projections of an expert in one matrix, gate first."""
    half = gate.shape[0]
    packed = torch.zeros(half + up.shape[0], gate.shape[1], dtype=gate.dtype)
    packed[:half] = gate
    packed[half:] = up
    return packed


def silu_and_mul(both: torch.Tensor) -> torch.Tensor:
    gate, up = both.chunk(2, dim=-1)
    return F.silu(gate) * up


def expert(x: torch.Tensor, packed: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """One expert on its rows."""
    both = torch.empty(x.shape[0], packed.shape[0], dtype=x.dtype)
    both.zero_()
    torch.mm(x, packed.t(), out=both)
    return torch.mm(silu_and_mul(both), down.t())


def combine(parts: list[torch.Tensor], tokens: list[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    """The rows of all experts, added up where they came from."""
    out = torch.zeros_like(like)
    for part, picked in zip(parts, tokens):
        out.index_add_(0, picked, part)
    return out


def fused_experts(
    hidden: torch.Tensor, logits: torch.Tensor, packed: list[torch.Tensor], down: list[torch.Tensor], top_k: int
) -> torch.Tensor:
    """The layer: every token through its experts, added up with their weights."""
    weights, ids = route(hidden, logits, top_k)
    offsets = segments(ids, len(packed)).tolist()
    rows = permute(hidden, ids)
    order = torch.argsort(ids.flatten(), stable=True)
    parts, tokens = [], []
    for index in range(len(packed)):
        low, high = offsets[index], offsets[index + 1]
        picked = order[low:high]
        part = expert(rows[low:high], packed[index], down[index])
        parts.append(part * weights.flatten()[picked, None])
        tokens.append(picked // top_k)
    return combine(parts, tokens, hidden)
