"""Buffers with fixed addresses, so that a captured graph can be replayed with other contents."""

import torch


class GraphBuffers:
    def __init__(self, max_batch: int, max_blocks: int, hidden: int):
        self.seq_lens = torch.ones(max_batch, dtype=torch.int32)
        self.block_table = torch.zeros(max_batch, max_blocks, dtype=torch.int32)
        self.out = torch.zeros(max_batch, hidden)

    def load(self, seq_lens: torch.Tensor, block_table: torch.Tensor) -> None:
        """The batch of this step. The rows behind it keep what they hold."""
        batch = seq_lens.shape[0]
        self.seq_lens[:batch] = seq_lens
        self.block_table[:batch, : block_table.shape[1]] = block_table
