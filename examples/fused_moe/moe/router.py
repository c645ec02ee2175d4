"""Which experts each token goes to, and how much of each."""

import torch


def route(hidden: torch.Tensor, logits: torch.Tensor, top_k: int, renormalize: bool = True):
    """Weights [tokens, top_k] in float32 and expert ids [tokens, top_k] in int32."""
    tokens = hidden.shape[0]
    weights = torch.empty(tokens, top_k, dtype=torch.float32, device=hidden.device)
    ids = torch.empty(tokens, top_k, dtype=torch.int32, device=hidden.device)

    scores = torch.softmax(logits.float(), dim=-1)
    weights, ids = torch.topk(scores, top_k, dim=-1)
    if renormalize:
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights, ids.to(torch.int32)


def with_shared_expert(weights: torch.Tensor, ids: torch.Tensor, shared: int):
    """One more column in which every token goes to the shared expert with weight 1."""
    tokens, top_k = weights.shape
    wider = torch.zeros(tokens, top_k + 1, dtype=torch.float32)
    wider[:, :top_k] = weights
    wider[:, top_k:] = 1.0
    columns = torch.full((tokens, top_k + 1), -1, dtype=torch.int32)
    columns[:, :top_k] = ids
    columns[:, top_k:] = shared
    return wider, columns
