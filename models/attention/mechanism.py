"""What every attention mechanism is: projections to queries, keys and values of H heads, and one out of them.

Shape legend: B people, T tokens, D width, H heads, E = D/H, N sequences or blocks of them, S queries, K keys.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn


class Mechanism(nn.Module):
    """The projections; see `catalog.mechanism` for what a mechanism must have besides. Parameters are not shared.

    windowed: a query sees its last `window` tokens alone. streaming: it may score events as they arrive.
    """

    streaming: ClassVar[bool]
    windowed: ClassVar[bool]

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.project = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)
        # A bias of the query scores keys by their content alone. Started at 0, heads took a thousand steps to find
        # out which kinds of events are worth attending to; from random preferences they take a third of that.
        nn.init.normal_(self.project.bias[:d_model], std=1.5)

    def split(self, x_btd: Tensor) -> Tensor:
        """Queries, keys and values: (B, T, D) -> (3, H, B, T, E)."""
        batch, tokens, _ = x_btd.shape
        projected: Tensor = self.project(x_btd)
        return projected.view(batch, tokens, 3, self.heads, -1).permute(2, 3, 0, 1, 4)

    def merge(self, mixed_hbqe: Tensor) -> Tensor:
        """What the heads have read, as one: (H, B, queries, E) -> (B, queries, D)."""
        mixed_bqd = mixed_hbqe.permute(1, 2, 0, 3).flatten(2)
        out: Tensor = self.out(mixed_bqd)
        return out


def scaled_products(query_hnse: Tensor, key_hnke: Tensor, bias: Tensor) -> Tensor:
    """Q K^T / sqrt(E) + bias: (H, N, S, E) against (H, N, K, E) and (H or 1, N, S, K) -> (H·N, S, K)."""
    heads, blocks, queries, width = query_hnse.shape
    return torch.baddbmm(
        bias.expand(heads, -1, -1, -1).reshape(heads * blocks, queries, -1),
        query_hnse.reshape(heads * blocks, queries, width),
        key_hnke.reshape(heads * blocks, -1, width).transpose(1, 2),
        alpha=1 / math.sqrt(width),
    )


def weighted_mean(logits: Tensor, value_hnke: Tensor) -> Tensor:
    """softmax(logits) V: (H·N, S, K) and (H, N, K, E) -> (H, N, S, E)."""
    heads, blocks, keys, width = value_hnke.shape
    mixed = torch.bmm(torch.softmax(logits, dim=-1), value_hnke.reshape(heads * blocks, keys, width))
    return mixed.view(heads, blocks, -1, width)
