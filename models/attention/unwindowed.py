"""What attention over whole sequences shares: every query against every key, with a bias of the time between them.

It costs T² and depends on as many tokens as there are, so streaming cannot use it.

Shape legend: B people, T tokens, D width, H heads, E = D/H, S queries.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from models.attention.bias import HIDDEN, LookUp, forgetting, time_bucket
from models.attention.mechanism import Mechanism, scaled_products, weighted_mean


class Unwindowed(Mechanism):
    """softmax(Q K^T / sqrt(E) + time[h, bucket(|t_i - t_j|)]) V over all keys, or those up to the query where `causal`.

    The window of the constructor has no part in it.
    """

    streaming: ClassVar[bool] = False
    windowed: ClassVar[bool] = False
    causal: ClassVar[bool]

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__(d_model, heads, window)
        self.time_bias = nn.Parameter(forgetting(heads))

    def band(self, time_us: Tensor, mask: Tensor, features: Tensor | None = None) -> Tensor:
        """(B, T, T) bucket of each pair: time_us (B, T) int64, mask (B, T) bool."""
        return self.tail(time_us, mask, time_us.shape[1], features)

    def tail(self, time_us: Tensor, mask: Tensor, queries: int, features: Tensor | None = None) -> Tensor:  # noqa: ARG002  a mechanism's method
        """(B, queries, T) bucket of each pair of the last `queries` tokens with all."""
        place = torch.arange(time_us.shape[1], device=time_us.device)
        distance = place[-queries:, None] - place
        in_reach = distance >= 0 if self.causal else torch.ones_like(distance, dtype=torch.bool)
        # A token always sees itself: a row of padding must not become 0/0.
        visible = (in_reach & mask[:, None, :]) | (distance == 0)
        gap_us = time_us[:, -queries:, None] - time_us[:, None, :]
        return torch.where(visible, time_bucket(gap_us.abs()), HIDDEN)

    def forward(self, x_btd: Tensor, bucket_bst: Tensor, queries: int) -> Tensor:
        """(B, T, D) -> (B, queries, D)."""
        x_3hbte = self.split(x_btd)
        return self.merge(weighted_mean(self._logits(x_3hbte, bucket_bst, queries), x_3hbte[2]))

    def weights(self, x_btd: Tensor, bucket_bst: Tensor, queries: int) -> Tensor:
        """(B, T, D) -> (H, B, queries, T): how much each query reads of each token."""
        logits = self._logits(self.split(x_btd), bucket_bst, queries)
        return torch.softmax(logits, dim=-1).view(self.heads, -1, *logits.shape[1:])

    def _logits(self, x_3hbte: Tensor, bucket_bst: Tensor, queries: int) -> Tensor:
        """(H·B, queries, T) logits of the last tokens against all."""
        bias: Tensor = LookUp.apply(self.time_bias, bucket_bst)
        return scaled_products(x_3hbte[0][:, :, -queries:], x_3hbte[1], bias)
