"""The form of claim 003-5, which no release has: a column of zeros in front of running sums of each chunk."""

from __future__ import annotations

import torch


def running_sums(lengths: torch.Tensor, chunks: int, device: torch.device) -> torch.Tensor:
    starts = torch.arange(chunks, device=device, dtype=torch.int32).unsqueeze(1).expand(-1, lengths.shape[0])
    lengths = (torch.min(lengths.unsqueeze(0), starts + 1) - starts).clamp(min=0)
    sums = lengths.cumsum(dim=1).to(torch.int32)
    zero = torch.zeros(chunks, dtype=torch.int32, device=device).unsqueeze(-1)
    return torch.cat([zero, sums], dim=1)
