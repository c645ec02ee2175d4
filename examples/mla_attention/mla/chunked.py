"""Prefill in chunks: the context of a long request does not fit into the workspace at once."""

import torch


def gather(latent: torch.Tensor, rope: torch.Tensor) -> torch.Tensor:
    """Both parts of the cached keys side by side, [tokens, latent + rope]."""
    rank = latent.shape[1]
    workspace = torch.zeros(latent.shape[0], rank + rope.shape[1], dtype=latent.dtype)
    workspace[:, :rank] = latent
    workspace[:, rank:] = rope
    return workspace


def attend(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, chunk: int):
    """Softmax attention over the keys, chunk by chunk, and the logarithm of its normaliser."""
    out = torch.zeros(query.shape[0], values.shape[1])
    lse = torch.full((query.shape[0],), float("-inf"))
    for start in range(0, keys.shape[0], chunk):
        scores = query @ keys[start : start + chunk].t()
        part_lse = torch.logsumexp(scores, dim=-1)
        part = torch.softmax(scores, dim=-1) @ values[start : start + chunk]
        both = torch.logaddexp(lse, part_lse)
        out = out * torch.exp(lse - both)[:, None] + part * torch.exp(part_lse - both)[:, None]
        lse = both
    return out, lse
