"""Banded attention whose products fade with time, as in AKT (Ghosh, Heffernan & Lan 2020), per head:

    softmax(exp(-θ_h (t_i - t_j)) Q K^T / sqrt(E) + order[h, i - j]) V    for 0 <= i - j < W

θ_h > 0 is learned. What lies far back keeps its place in the order, but its content no longer counts. AKT measures the
distance in questions, weighted by their relevance; here it is plain time, in hours.
"""

import torch
from torch import Tensor, nn

from models.attention.bias import recency
from models.attention.mechanism import scaled_products
from models.attention.windowed import Band, Windowed

_HOUR_US = 3.6e9


class Attention(Windowed):
    """The mechanism; shapes as in `windowed`. `log_rate` (H,) is log θ, θ an hour; it starts at a quarter an hour,
    then four times as fast from head to head.
    """

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__(d_model, heads, window)
        self.order_bias = nn.Parameter(recency(heads, window))
        self.log_rate = nn.Parameter((4.0 ** (torch.arange(heads) - 1.0)).log())

    def bias(self, band: Band) -> Tensor:
        """(H, N, S, K) of order."""
        return super().bias(band) + self.order_bias[:, band.distance][:, None]

    def logits(self, query_hnse: Tensor, key_hnke: Tensor, band: Band) -> Tensor:
        """Faded products and the bias of order: -> (H·N, S, K)."""
        hours_nsk = band.gap_us.clamp(min=0).to(query_hnse.dtype) / _HOUR_US
        fading_hnsk = torch.exp(-self.log_rate.exp()[:, None, None, None] * hours_nsk)
        nothing = query_hnse.new_zeros(1, *hours_nsk.shape)
        products = scaled_products(query_hnse, key_hnke, nothing)
        faded: Tensor = products * fading_hnsk.flatten(0, 1) + self.bias(band).flatten(0, 1)
        return faded
