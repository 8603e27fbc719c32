"""The content of a token as something to be predicted: what kind it is, how long after the one before, and its values.

The loss of a token with kind k, gap in bucket g and values x, from a state h, is

    -log p(k | h) - log p(g | h) + 1/2 mean_v (z_v - f_v(h, k))^2,    z_v = (x_v - mean_v(k)) / deviation_v(k)

with softmaxes p, and a perceptron f that is told the kind. Means and deviations are of the training events of each
kind; v runs over the values that vary within the kind, so f = 0 knows nothing but the kind. Gap and clock are no
values: they say when, not what. Items are not predicted.

Shape legend: n events, N tokens that are predicted, D width of the model, V values, G gap buckets, K kinds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.features.tokens import FEATURES, GAP_BOUNDS_S, Tokens
from models.features.vocabulary import KIND_COUNT

_GAP_COLUMNS = [FEATURES.index(name) for name in (*(f"gap_under_{bound}s" for bound in GAP_BOUNDS_S), "gap_longer")]
_CLOCK = ("day_sin", "day_cos", "half_day_sin", "half_day_cos", "weekend")
_NO_VALUES = {FEATURES.index(name) for name in ("has_previous", "gap_log", *_CLOCK)} | set(_GAP_COLUMNS)
VALUES = [column for column in range(len(FEATURES)) if column not in _NO_VALUES]
"""Columns of the features that are values."""
_LEAST_DEVIATION = 1e-3
_FURTHEST = 5.0
"""Deviations at which a value is cut off, so that a rare one does not outweigh a batch."""


@dataclass(frozen=True)
class Content:
    """What is to be predicted of N tokens: kind (N,), gap (N,) bucket, -1 for a first event; z and varies (N, V)."""

    kind: Tensor
    gap: Tensor
    z: Tensor
    varies: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        """All four, in the order of the decoder's forward."""
        return self.kind, self.gap, self.z, self.varies


class Scales:
    """mean, deviation (K, V): of each value among the `counted` events of each kind; deviation 0 for a constant."""

    def __init__(self, tokens: Tokens, counted: npt.NDArray[np.bool_]) -> None:
        kind = tokens.kind[counted].astype(np.int64)
        events = np.maximum(np.bincount(kind, minlength=KIND_COUNT), 1)
        mean, deviation = np.zeros((KIND_COUNT, len(VALUES))), np.zeros((KIND_COUNT, len(VALUES)))
        for place, column in enumerate(VALUES):
            values = tokens.features[counted, column].astype(np.float64)
            mean[:, place] = np.bincount(kind, values, KIND_COUNT) / events
            spread = np.bincount(kind, (values - mean[kind, place]) ** 2, KIND_COUNT) / events
            deviation[:, place] = np.sqrt(spread)
        self.mean = torch.from_numpy(mean.astype(np.float32))
        self.deviation = torch.from_numpy(np.where(deviation < _LEAST_DEVIATION, 0, deviation).astype(np.float32))

    def content(self, kind: Tensor, features: Tensor) -> Content:
        """The content of tokens: kind (N,), features (N, F)."""
        kind = kind.long()
        deviation = self.deviation[kind]
        varies = deviation > 0
        z = (features[:, VALUES] - self.mean[kind]) / deviation.masked_fill(~varies, 1)
        buckets = features[:, _GAP_COLUMNS]
        gap = torch.where(buckets.any(dim=-1), buckets.argmax(dim=-1), -1)
        return Content(kind, gap, z.clamp(-_FURTHEST, _FURTHEST), varies.float())


class ContentDecoder(nn.Module):
    """From states to the loss of the contents that they are to predict."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kind = nn.Linear(width, KIND_COUNT)
        self.gap = nn.Linear(width, len(_GAP_COLUMNS))
        self.told = nn.Embedding(KIND_COUNT, width)
        self.values = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, len(VALUES)))

    def forward(self, state_nd: Tensor, kind: Tensor, gap: Tensor, z: Tensor, varies: Tensor) -> Tensor:
        """The mean loss of N tokens; 0 for none. Arguments as in `Content`, on the device of the states."""
        tokens = max(len(kind), 1)
        of_kind = functional.cross_entropy(self.kind(state_nd), kind, reduction="sum")
        of_gap = functional.cross_entropy(self.gap(state_nd), gap, ignore_index=-1, reduction="sum")
        off = varies * (z - self.values(state_nd + self.told(kind))) ** 2
        of_values = (off.sum(dim=1) / varies.sum(dim=1).clamp(min=1)).sum() / 2
        loss: Tensor = (of_kind + of_gap + of_values) / tokens
        return loss
