"""Causal, banded multi-head attention with a relative time bias.

    softmax(Q K^T / sqrt(E) + time[h, bucket(t_i - t_j)] + order[h, i - j]) V    for 0 <= i - j < W

Both biases are relative, so a sliding window changes nothing. `order` is the distance in tokens; it tells apart tokens
of the same moment.
"""

from torch import Tensor, nn

from models.attention.bias import LookUp, forgetting, recency
from models.attention.windowed import Band, Windowed


class Attention(Windowed):
    """The mechanism; shapes as in `windowed`."""

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__(d_model, heads, window)
        self.time_bias = nn.Parameter(forgetting(heads))
        self.order_bias = nn.Parameter(recency(heads, window))

    def bias(self, band: Band) -> Tensor:
        """(H, N, S, K) of time and order."""
        return self.bias_of_time(band) + self.order_bias[:, band.distance][:, None]

    def bias_of_time(self, band: Band) -> Tensor:
        """(H, N, S, K) of time alone; hides the pairs that must not see each other."""
        bias_hnsk: Tensor = LookUp.apply(self.time_bias, band.bucket)
        return bias_hnsk
