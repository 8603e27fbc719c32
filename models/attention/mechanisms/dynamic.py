"""Dynamic attention: banded, its queries and logits conditioned on what is observed of the person, s_i (`observed`):

    softmax(τ_h(s_i) (q_i + U s_i) · k_j / sqrt(E) + γ_h(s_i) time[h, bucket(t_i - t_j)] + order[h, i - j]) V

for 0 <= i - j < W. τ sharpens or flattens what a head looks for, γ stretches how far back in time it looks; both are
exp(tanh(·)) of a linear map, so between 1/e and e. Keys and values do not know of s, so streaming may keep them: how
somebody feels now changes how their past is read, never the past. U, τ and γ start neutral: untrained, it is banded.
"""

import torch
from torch import Tensor, nn

from models.attention.mechanism import scaled_products
from models.attention.mechanisms import banded
from models.attention.observed import STATE_COUNT, observed_state
from models.attention.windowed import Band


class Attention(banded.Attention):
    """The mechanism; shapes as in `windowed`, C of `observed`. Without features nothing is observed."""

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__(d_model, heads, window)
        self.ask = nn.Linear(STATE_COUNT, d_model, bias=False)
        self.gain = nn.Linear(STATE_COUNT, 2 * heads)
        for neutral in (self.ask.weight, self.gain.weight, self.gain.bias):
            nn.init.zeros_(neutral)

    def state(self, time_us: Tensor, mask: Tensor, features: Tensor | None) -> Tensor:
        """(B, T, C) the last readings in each query's window."""
        if features is None:
            return torch.zeros(*time_us.shape, STATE_COUNT, device=time_us.device)
        return observed_state(time_us, mask, features, self.window)

    def logits(self, query_hnse: Tensor, key_hnke: Tensor, band: Band) -> Tensor:
        """The conditioned logits: -> (H·N, S, K)."""
        heads, blocks, queries, width = query_hnse.shape
        asked_hnse = self.ask(band.state).view(blocks, queries, heads, width).permute(2, 0, 1, 3)
        gains = torch.exp(torch.tanh(self.gain(band.state))).view(blocks, queries, 2, heads)
        sharpness_hns, stretch_hns = gains.permute(2, 3, 0, 1)
        bias = stretch_hns[..., None] * self.bias_of_time(band) + self.order_bias[:, band.distance][:, None]
        return scaled_products(sharpness_hns[..., None] * (query_hnse + asked_hnse), key_hnke, bias)
