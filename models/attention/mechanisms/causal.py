"""Masked multi-head attention over everything before: banded without a window, and so without a bias of order.

    softmax(Q K^T / sqrt(E) + time[h, bucket(t_i - t_j)]) V    for j <= i

What a score depends on grows with the person's past, so it is no mechanism for streaming; it tells what a window costs.
"""

from typing import ClassVar

from models.attention.unwindowed import Unwindowed


class Attention(Unwindowed):
    """The mechanism; shapes as in `unwindowed`."""

    causal: ClassVar[bool] = True
