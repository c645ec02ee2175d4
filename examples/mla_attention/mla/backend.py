"""The backend: prefill and decode of one batch."""

import torch

from mla.chunked import attend, gather
from mla.rotary import RotaryCache


class Backend:
    def __init__(self, rotary: RotaryCache, rank: int, chunk: int = 4):
        self.rotary = rotary
        self.rank = rank
        self.chunk = chunk

    def query(self, nope: torch.Tensor, rope: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """[tokens, rank + rope]: the latent part as it is, the other one turned."""
        query = torch.empty(nope.shape[0], nope.shape[1] + rope.shape[1])
        query = torch.cat([nope, self.rotary(rope, positions)], dim=-1)
        return query

    def forward(self, query: torch.Tensor, latent: torch.Tensor, rope: torch.Tensor, decode: int) -> torch.Tensor:
        """Tokens below `decode` look at the whole context at once, the others chunk by chunk."""
        keys = gather(latent, rope)
        out = query.new_zeros(query.shape[0], latent.shape[1])
        out[:decode] = torch.softmax(query[:decode] @ keys.t(), dim=-1) @ latent
        out[decode:] = attend(query[decode:], keys, latent, self.chunk)[0]
        return out

    def reserve(self, tokens: int, device: str = "cpu") -> None:
        """Make the allocator hold the room that the largest batch needs."""
        _ = torch.empty(tokens, self.rank, device=device)
