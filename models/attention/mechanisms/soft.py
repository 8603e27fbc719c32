"""Soft (additive) attention of Bahdanau, Cho & Bengio 2015 in a causal window, per head:

    softmax(v_h · tanh(q_i + k_j)) V    for 0 <= i - j < W,    q = W_q x + b_q,  k = W_k x + b_k

It pools the window by content alone, without order or time. Its logits are no product of a query with a stored key, it
costs E times the memory of one that is, and it is never used for streaming: it is there to explain and to compare.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from models.attention.windowed import Band, Windowed


class Attention(Windowed):
    """The mechanism; shapes as in `windowed`."""

    streaming: ClassVar[bool] = False

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__(d_model, heads, window)
        width = d_model // heads
        self.direction = nn.Parameter(torch.empty(heads, width).uniform_(-1, 1) * (3 / width) ** 0.5)
        # The bias stands inside the tanh here: a large one would only saturate it.
        nn.init.zeros_(self.project.bias[:d_model])

    def logits(self, query_hnse: Tensor, key_hnke: Tensor, band: Band) -> Tensor:
        """v · tanh(q + k), hidden where a pair does not see each other: -> (H·N, S, K)."""
        bent_hnske = torch.tanh(query_hnse[:, :, :, None] + key_hnke[:, :, None])
        logits_hnsk = torch.einsum("hnske,he->hnsk", bent_hnske, self.direction) + self.bias(band)
        return logits_hnsk.flatten(0, 1)
