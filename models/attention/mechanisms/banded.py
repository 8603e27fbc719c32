"""Causal, banded multi-head attention with a relative time bias.

    softmax(Q K^T / sqrt(E) + time[h, bucket(t_i - t_j)] + order[h, i - j]) V    for 0 <= i - j < W

Each query sees at most the W last tokens, itself included. There are no absolute positions: both biases are
relative, so a sliding window changes nothing. `order` is the distance in tokens; it tells apart tokens of the
same moment. Whole sequences are cut in blocks of S queries, each against the M blocks of S keys that its band
reaches, which costs T·M·S instead of T·T.

Shape legend: B people, T tokens, D width, H heads, E = D/H, S queries a block, K keys a block, N = B·T/S blocks.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor, nn

from models.attention.bias import HIDDEN, TIME_BUCKETS, LookUp, time_bucket

_BLOCK = 16
"""Queries a block: 16 was fastest of 8, 16 and 32 for windows of 32 on one core."""


@dataclass(frozen=True)
class Band:
    """Which pairs see each other, and how far apart they are: bucket (N, S, K), distance (S, K) in tokens.

    `whole`: the pairs are blocks of whole sequences (N = B·T/S), not the last tokens of each (N = B).
    """

    bucket: Tensor
    distance: Tensor
    whole: bool


def _pairs(query_time: Tensor, key_time: Tensor, key_mask: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Bucket (N, S, K) and distance (S, K) of queries (N, S) against keys (N, K); the last of each is one token."""
    queries, keys = query_time.shape[1], key_time.shape[1]
    first = keys - queries
    distance = torch.arange(first, first + queries, device=query_time.device)[:, None] - torch.arange(
        keys, device=query_time.device
    )
    in_band = (distance >= 0) & (distance < window)
    # A token always sees itself: a row of padding must not become 0/0.
    visible = (in_band & key_mask[:, None, :]) | (distance == 0)
    bucket = time_bucket(query_time[:, :, None] - key_time[:, None, :])
    return torch.where(visible, bucket, HIDDEN), distance.clamp(0, window - 1)


def _forgetting(heads: int) -> Tensor:
    """(H, TIME_BUCKETS) where the time bias starts: head 0 forgets nothing, the others by an exponential of the time
    between two tokens with constants of an hour, a quarter of it, and so on, down to a weight of e^-6.
    """
    seconds = 2.0 ** ((torch.arange(TIME_BUCKETS) + 0.5) / 2) - 1
    constant = torch.tensor([math.inf, *(3600.0 / 4**head for head in range(heads - 1))])[:heads]
    return -(seconds / constant[:, None]).clamp(max=6)


def _recency(heads: int, window: int) -> Tensor:
    """(H, W) where the order bias starts: 0, then ever steeper slopes, so that heads begin as averages of all W
    tokens down to the last few (slopes 2^(1-h), as Press, Smith & Lewis 2022 fix them; here they are learned).
    """
    slope = torch.tensor([0.0, *(2.0 ** (1 - head) for head in range(1, heads))])[:heads]
    return -slope[:, None] * torch.arange(window)


class Attention(nn.Module):
    """The mechanism; parameters are shared by nothing, shapes as in the legend."""

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.back = math.ceil((window - 1) / _BLOCK)
        self.project = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)
        self.time_bias = nn.Parameter(_forgetting(heads))
        self.order_bias = nn.Parameter(_recency(heads, window))
        # A bias of the query scores keys by their content alone. Started at 0, heads took a thousand steps to find
        # out which kinds of events are worth attending to; from random preferences they take a third of that.
        nn.init.normal_(self.project.bias[:d_model], std=1.5)

    def band(self, time_us: Tensor, mask: Tensor) -> Band:
        """Band of whole sequences: time_us (B, T) int64, mask (B, T) bool."""
        right = -time_us.shape[1] % _BLOCK
        time, real = F.pad(time_us, (0, right)), F.pad(mask, (0, right))
        left = self.back * _BLOCK
        key_time, key_mask = F.pad(time, (left, 0)), F.pad(real, (left, 0))
        query_time = time.reshape(-1, _BLOCK)
        pairs = _pairs(query_time, self._stretch(key_time), self._stretch(key_mask), self.window)
        return Band(*pairs, whole=True)

    def tail(self, time_us: Tensor, mask: Tensor, queries: int) -> Band:
        """Band of the last `queries` tokens against all T: time_us (B, T) int64, mask (B, T) bool."""
        return Band(*_pairs(time_us[:, -queries:], time_us, mask, self.window), whole=False)

    def forward(self, x_btd: Tensor, band: Band, queries: int) -> Tensor:
        """(B, T, D) -> (B, queries, D); queries is T for the band of `band`, fewer for that of `tail`."""
        batch, tokens, width = x_btd.shape
        x_3hbte = self.project(x_btd).view(batch, tokens, 3, self.heads, -1).permute(2, 3, 0, 1, 4)
        if band.whole:
            mixed_hbqe = self._blocks(x_3hbte, band)
        else:
            query, key, value = x_3hbte[0][:, :, -queries:], x_3hbte[1], x_3hbte[2]
            mixed_hbqe = self._attend(query, key, value, band)
        mixed_bqd = mixed_hbqe.permute(1, 2, 0, 3).reshape(batch, queries, width)
        out: Tensor = self.out(mixed_bqd)
        return out

    def _blocks(self, x_3hbte: Tensor, band: Band) -> Tensor:
        """Every token against its band, block by block: (3, H, B, T, E) -> (H, B, T, E)."""
        _, heads, batch, tokens, width = x_3hbte.shape
        right, left = -tokens % _BLOCK, self.back * _BLOCK
        x_3hbte = F.pad(x_3hbte, (0, 0, left, right))
        blocks = (tokens + right) // _BLOCK
        x_3hbmse = x_3hbte.view(3, heads, batch, blocks + self.back, _BLOCK, width)
        query_hnse = x_3hbmse[0, :, :, self.back :].reshape(heads, -1, _BLOCK, width)
        reach = [x_3hbmse[1:, :, :, step : step + blocks] for step in range(self.back + 1)]
        key_hnke, value_hnke = torch.cat(reach, dim=4).view(2, heads, batch * blocks, -1, width)
        mixed = self._attend(query_hnse, key_hnke, value_hnke, band)
        return mixed.view(heads, batch, tokens + right, width)[:, :, :tokens]

    def _attend(self, query_hnse: Tensor, key_hnke: Tensor, value_hnke: Tensor, band: Band) -> Tensor:
        """softmax(Q K^T / sqrt(E) + bias) V: (H, N, S, E) against (H, N, K, E) -> (H, N, S, E)."""
        heads, blocks, queries, width = query_hnse.shape
        bias_hnsk: Tensor = LookUp.apply(self.time_bias, band.bucket)
        bias_hnsk = bias_hnsk + self.order_bias[:, band.distance][:, None]
        logits = torch.baddbmm(
            bias_hnsk.view(heads * blocks, queries, -1),
            query_hnse.reshape(heads * blocks, queries, width),
            key_hnke.reshape(heads * blocks, -1, width).transpose(1, 2),
            alpha=1 / math.sqrt(width),
        )
        weights = torch.softmax(logits, dim=-1)
        mixed = torch.bmm(weights, value_hnke.reshape(heads * blocks, -1, width))
        return mixed.view(heads, blocks, queries, width)

    def _stretch(self, padded: Tensor) -> Tensor:
        """(B, back·S + T) -> (N, K): for each block of queries, its own block and the `back` blocks before it."""
        batch = padded.shape[0]
        blocks = padded.view(batch, -1, _BLOCK)
        count = blocks.shape[1] - self.back
        reach = [blocks[:, step : step + count] for step in range(self.back + 1)]
        return torch.cat(reach, dim=2).view(batch * count, -1)
