"""Rotary embedding with sine and cosine interleaved."""

import torch


class RotaryCache:
    def __init__(self, rotary_dim: int, max_positions: int, base: float = 10000.0):
        self.rotary_dim = rotary_dim
        self.cache = self.compute(max_positions, base)

    def compute(self, max_positions: int, base: float) -> torch.Tensor:
        """[max_positions, rotary_dim]: sines in the even columns, cosines in the odd ones."""
        steps = torch.arange(0, self.rotary_dim, 2, dtype=torch.float32)
        angles = torch.outer(torch.arange(max_positions, dtype=torch.float32), 1.0 / base ** (steps / self.rotary_dim))
        cache = torch.zeros(max_positions, self.rotary_dim)
        cache[:, 0::2] = torch.sin(angles)
        cache[:, 1::2] = torch.cos(angles)
        return cache

    def __call__(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Turn the last dimension of x, [tokens, rotary_dim]."""
        rows = self.cache[positions]
        sine, cosine = rows[:, 0::2], rows[:, 1::2]
        even, odd = x[:, 0::2], x[:, 1::2]
        turned = torch.zeros_like(x)
        turned[:, 0::2] = even * cosine - odd * sine
        turned[:, 1::2] = odd * cosine + even * sine
        return turned
