"""Causal multi-head attention in a window that knows order, but not time: banded without its time bias.

    softmax(Q K^T / sqrt(E) + order[h, i - j]) V    for 0 <= i - j < W

It is what `banded` is compared with to see what the time bias is worth.
"""

from torch import Tensor, nn

from models.attention.bias import recency
from models.attention.windowed import Band, Windowed


class Attention(Windowed):
    """The mechanism; shapes as in `windowed`."""

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__(d_model, heads, window)
        self.order_bias = nn.Parameter(recency(heads, window))

    def bias(self, band: Band) -> Tensor:
        """(H, N, S, K) of order."""
        return super().bias(band) + self.order_bias[:, band.distance][:, None]
