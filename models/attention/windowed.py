"""What all windowed attention shares: each query sees the W last tokens, itself included, cut in blocks.

A mechanism differs in its logits alone. There are no absolute positions: whatever is added to a logit is relative, so
a sliding window changes nothing. Keys and values are projections of their own token: neither later tokens nor the
person's present state may enter them, because streaming keeps them.

Whole sequences are cut in blocks of S queries, each against the M blocks of S keys that its band reaches, which costs
T·M·S instead of T·T.

Shape legend: B people, T tokens, D width, H heads, E = D/H, S queries a block, K keys a block, N = B·T/S blocks.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor

from models.attention.bias import HIDDEN, HIDDEN_BIAS, time_bucket
from models.attention.mechanism import Mechanism, scaled_products, weighted_mean

BLOCK = 16
"""Queries a block: 16 was fastest of 8, 16 and 32 for windows of 32 on one core."""


@dataclass(frozen=True)
class Band:
    """Which pairs see each other, and how far apart they are: bucket (N, S, K), distance (S, K) in tokens, gap_us
    (N, S, K) in time.

    `whole`: the pairs are blocks of whole sequences (N = B·T/S), not the last tokens of each (N = B). state: (N, S, C)
    what is observed of the person at each query, for a mechanism that looks at it.
    """

    bucket: Tensor
    distance: Tensor
    gap_us: Tensor
    whole: bool
    state: Tensor | None = None


def _pairs(query_time: Tensor, key_time: Tensor, key_mask: Tensor, window: int) -> tuple[Tensor, Tensor, Tensor]:
    """Bucket (N, S, K), distance (S, K) and gap (N, S, K) of queries (N, S) against keys (N, K); the last of each is
    one token.
    """
    queries, keys = query_time.shape[1], key_time.shape[1]
    first = keys - queries
    distance = torch.arange(first, first + queries, device=query_time.device)[:, None] - torch.arange(
        keys, device=query_time.device
    )
    in_band = (distance >= 0) & (distance < window)
    # A token always sees itself: a row of padding must not become 0/0.
    visible = (in_band & key_mask[:, None, :]) | (distance == 0)
    gap_us = query_time[:, :, None] - key_time[:, None, :]
    return torch.where(visible, time_bucket(gap_us), HIDDEN), distance.clamp(0, window - 1), gap_us


class Windowed(Mechanism):
    """Multi-head attention in a window: softmax(logits) V, logits by `logits`, or by `bias` where only that differs.

    As it stands: softmax(Q K^T / sqrt(E)) V over 0 <= i - j < W.
    """

    streaming: ClassVar[bool] = True
    windowed: ClassVar[bool] = True

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__(d_model, heads, window)
        self.back = math.ceil((window - 1) / BLOCK)

    def band(self, time_us: Tensor, mask: Tensor, features: Tensor | None = None) -> Band:
        """Band of whole sequences: time_us (B, T) int64, mask (B, T) bool, features (B, T, F) where they count."""
        right = -time_us.shape[1] % BLOCK
        time, real = F.pad(time_us, (0, right)), F.pad(mask, (0, right))
        left = self.back * BLOCK
        key_time, key_mask = F.pad(time, (left, 0)), F.pad(real, (left, 0))
        query_time = time.reshape(-1, BLOCK)
        pairs = _pairs(query_time, self._stretch(key_time), self._stretch(key_mask), self.window)
        state = self.state(time_us, mask, features)
        if state is not None:
            state = F.pad(state, (0, 0, 0, right)).reshape(-1, BLOCK, state.shape[-1])
        return Band(*pairs, whole=True, state=state)

    def tail(self, time_us: Tensor, mask: Tensor, queries: int, features: Tensor | None = None) -> Band:
        """Band of the last `queries` tokens against all T; time_us, mask and features as in `band`."""
        state = self.state(time_us, mask, features)
        pairs = _pairs(time_us[:, -queries:], time_us, mask, self.window)
        return Band(*pairs, whole=False, state=None if state is None else state[:, -queries:])

    def state(self, time_us: Tensor, mask: Tensor, features: Tensor | None) -> Tensor | None:  # noqa: ARG002  for those that look
        """(B, T, C) what each query knows of the person, out of its own window alone; None: it is not looked at."""
        return None

    def bias(self, band: Band) -> Tensor:
        """What is added to Q K^T / sqrt(E): (H or 1, N, S, K), `HIDDEN_BIAS` where a pair does not see each other."""
        hidden: Tensor = torch.where(band.bucket == HIDDEN, HIDDEN_BIAS, 0.0)
        return hidden[None]

    def logits(self, query_hnse: Tensor, key_hnke: Tensor, band: Band) -> Tensor:
        """Q K^T / sqrt(E) + bias: (H, N, S, E) against (H, N, K, E) -> (H·N, S, K)."""
        return scaled_products(query_hnse, key_hnke, self.bias(band))

    def forward(self, x_btd: Tensor, band: Band, queries: int) -> Tensor:
        """(B, T, D) -> (B, queries, D); queries is T for the band of `band`, fewer for that of `tail`."""
        x_3hbte = self.split(x_btd)
        if band.whole:
            return self.merge(self._blocks(x_3hbte, band))
        return self.merge(weighted_mean(self._of_tail(x_3hbte, band, queries), x_3hbte[2]))

    def weights(self, x_btd: Tensor, band: Band, queries: int) -> Tensor:
        """(B, T, D) -> (H, B, queries, T): how much each query reads of each token, for a band of `tail`."""
        logits = self._of_tail(self.split(x_btd), band, queries)
        return torch.softmax(logits, dim=-1).view(self.heads, -1, *logits.shape[1:])

    def _of_tail(self, x_3hbte: Tensor, band: Band, queries: int) -> Tensor:
        """(H·B, queries, T) logits of the last tokens against all."""
        return self.logits(x_3hbte[0][:, :, -queries:], x_3hbte[1], band)

    def _blocks(self, x_3hbte: Tensor, band: Band) -> Tensor:
        """Every token against its band, block by block: (3, H, B, T, E) -> (H, B, T, E)."""
        _, heads, batch, tokens, width = x_3hbte.shape
        right, left = -tokens % BLOCK, self.back * BLOCK
        x_3hbte = F.pad(x_3hbte, (0, 0, left, right))
        blocks = (tokens + right) // BLOCK
        x_3hbmse = x_3hbte.view(3, heads, batch, blocks + self.back, BLOCK, width)
        query_hnse = x_3hbmse[0, :, :, self.back :].reshape(heads, -1, BLOCK, width)
        reach = [x_3hbmse[1:, :, :, step : step + blocks] for step in range(self.back + 1)]
        key_hnke, value_hnke = torch.cat(reach, dim=4).view(2, heads, batch * blocks, -1, width)
        mixed = weighted_mean(self.logits(query_hnse, key_hnke, band), value_hnke)
        return mixed.view(heads, batch, tokens + right, width)[:, :, :tokens]

    def _stretch(self, padded: Tensor) -> Tensor:
        """(B, back·S + T) -> (N, K): for each block of queries, its own block and the `back` blocks before it."""
        batch = padded.shape[0]
        blocks = padded.view(batch, -1, BLOCK)
        count = blocks.shape[1] - self.back
        reach = [blocks[:, step : step + count] for step in range(self.back + 1)]
        return torch.cat(reach, dim=2).view(batch * count, -1)
