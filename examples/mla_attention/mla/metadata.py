"""What a batch looks like, in tensors that the attention reads."""

from dataclasses import dataclass

import torch


@dataclass
class Metadata:
    query_start: torch.Tensor  # [requests + 1] int32: request r owns the tokens from r up to r + 1
    seq_lens: torch.Tensor  # [requests] int32
    block_table: torch.Tensor  # [requests, blocks] int32, 0 where a request has no more blocks


class Builder:
    def __init__(self, device: str = "cpu"):
        self.device = device

    def query_start(self, query_lens: torch.Tensor) -> torch.Tensor:
        """Offsets of the requests. Both parts are written, the first element too."""
        start = torch.zeros(query_lens.shape[0] + 1, dtype=torch.int32, device=self.device)
        start[:1].zero_()
        start[1:] = torch.cumsum(query_lens, dim=0)
        return start

    def seq_lens(self, lengths: list[int]) -> torch.Tensor:
        seq_lens = torch.zeros(len(lengths), dtype=torch.int32)
        for index, length in enumerate(lengths):
            seq_lens[index] = length
        return seq_lens

    def block_table(self, blocks: list[list[int]]) -> torch.Tensor:
        """A row for each request. The rows are of different lengths: what is behind them must be 0."""
        table = torch.zeros(len(blocks), max(map(len, blocks)), dtype=torch.int32)
        for request, row in enumerate(blocks):
            table[request, : len(row)] = torch.tensor(row, dtype=torch.int32)
        return table

    def build(self, query_lens: torch.Tensor, lengths: list[int], blocks: list[list[int]]) -> Metadata:
        return Metadata(self.query_start(query_lens), self.seq_lens(lengths), self.block_table(blocks))
