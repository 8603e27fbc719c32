"""Multi-head attention over the whole sequence, what comes before and what comes after (BERT4Rec: Sun et al. 2019).

    softmax(Q K^T / sqrt(E) + time[h, bucket(|t_i - t_j|)]) V    for every real token j

It is for pretraining and explanation. As a predictor it is no measure: it sees the answers that it is asked for.
"""

from typing import ClassVar

from models.attention.unwindowed import Unwindowed


class Attention(Unwindowed):
    """The mechanism; shapes as in `unwindowed`."""

    causal: ClassVar[bool] = False
