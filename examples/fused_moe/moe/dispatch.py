"""Where the rows of each expert begin, and the order of the rows."""

import torch

from moe.kernels import scatter_rows


def expert_map(local: list[int]) -> torch.Tensor:
    """The global id of each expert that lives on this rank."""
    ids = torch.zeros(len(local), dtype=torch.int32)
    for place, expert in enumerate(local):
        ids[place] = expert
    return ids


def segments(ids: torch.Tensor, experts: int) -> torch.Tensor:
    """Row offsets [experts + 1]: expert e owns the rows from e up to e + 1."""
    counts = torch.bincount(ids.flatten(), minlength=experts)
    seg_indptr = torch.zeros(experts + 1, dtype=torch.int64)
    seg_indptr[1:] = torch.cumsum(counts, dim=0)
    return seg_indptr


def permute(hidden: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Every row once for each of its experts, sorted by expert."""
    order = torch.argsort(ids.flatten(), stable=True)
    rows = torch.zeros(ids.numel(), hidden.shape[1], dtype=hidden.dtype)
    scatter_rows[(ids.numel(),)](hidden, order // ids.shape[1], rows)
    return rows
