"""Causal self-attention with one head in a window and no bias: the dot product of Vaswani et al. 2017, masked as in
SAKT (Pandey & Karypis 2019), but without its positions.

    softmax(Q K^T / sqrt(D)) V    for 0 <= i - j < W

Order and time reach it through the tokens alone, each of which knows the gap to the one before it.
"""

from models.attention.windowed import Windowed


class Attention(Windowed):
    """The mechanism; shapes as in `windowed`. One head, whatever the number of heads in the config."""

    def __init__(self, d_model: int, heads: int, window: int) -> None:  # noqa: ARG002  a mechanism's constructor
        super().__init__(d_model, 1, window)
