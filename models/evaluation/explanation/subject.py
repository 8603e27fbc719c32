"""One score that is to be explained: its tokens, and its logit with any of the past tokens deleted.

A deleted token is masked: nobody attends to it, in no layer. The others keep their places, so the window does not reach
further back for it and distances stay what they were: what changes in the score is that token's doing. (Cut out of the
sequence instead, it would also pull a new token into the window and move all that are older.) What other tokens say of
themselves stays too, such as the gap to the event before. The score's own token is never deleted.

Shape legend: T tokens of the score, its own the last; n = T - 1 past tokens; m sets of past tokens; F features.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from infra.contracts.draws import Purpose, bits
from models.training.dataset import Dataset

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LONGEST = 128
"""Tokens of a score at most: where attention has no window, the score of the last so many is explained."""
ENOUGH = 32
"""Past tokens that a score must have to be explained; fewer where the model sees fewer."""
_AT_ONCE = 512  # sets of past tokens that are scored together


@dataclass(frozen=True)
class Subject:
    """A score: kind, item and time_us (1, T), features (1, T, F), as the model's forward takes them; all real tokens.

    column: which of the model's logits is explained.
    """

    model: nn.Module
    column: int
    kind: Tensor
    features: Tensor
    item: Tensor
    time_us: Tensor

    @property
    def past(self) -> int:
        """n, how many tokens may be deleted."""
        return self.kind.shape[1] - 1

    def logits(self, present: Flags) -> Doubles:
        """(m,) the logit with those past tokens alone that `present` (m, n) names."""
        parts = [self._logits(present[first : first + _AT_ONCE]) for first in range(0, len(present), _AT_ONCE)]
        return np.concatenate(parts)

    def ends(self) -> tuple[float, float]:
        """The logit with the whole past, and with none of it."""
        whole, none = self.logits(np.stack([np.ones(self.past, dtype=np.bool_), np.zeros(self.past, dtype=np.bool_)]))
        return float(whole), float(none)

    def _logits(self, present: Flags) -> Doubles:
        many = len(present)
        mask = torch.from_numpy(np.concatenate([present, np.ones((many, 1), dtype=np.bool_)], axis=1))
        columns = (self.kind, self.features, self.item, self.time_us)
        with torch.inference_mode():
            out: Tensor = self.model(*(each.expand(many, *each.shape[1:]) for each in columns), mask, last=1)
        return out[:, -1, self.column].double().numpy()


def subject(model: nn.Module, column: int, dataset: Dataset, row: int, context: int) -> Subject:
    """The score of event `row`: at most `context` tokens of its person, up to `LONGEST`."""
    begin = int(np.searchsorted(dataset.person, dataset.person[row], side="left"))
    tokens = dataset.tokens.take(np.arange(max(begin, row + 1 - min(context, LONGEST)), row + 1))
    columns = (tokens.kind, tokens.features, tokens.item, tokens.time_us)
    return Subject(model, column, *(torch.from_numpy(each)[None] for each in columns))


def choose(
    person: npt.NDArray[np.uint64], event_id: npt.NDArray[np.uint64], allowed: Flags, wanted: int, seed: int
) -> Indices:
    """At most `wanted` of the allowed rows (n,), by a hash of seed, person and event.

    Nobody is taken twice before everybody is taken once: people are independent, their rows are not.
    """
    rows = np.flatnonzero(allowed)
    key = bits(seed, int(Purpose.ORDER), person[rows], event_id[rows], 2)
    order = np.lexsort((key, person[rows]))
    turn = places(person[rows])
    return rows[order[np.lexsort((key[order], turn))][:wanted]]


def places(person: npt.NDArray[np.uint64]) -> Indices:
    """(n,) how many events of the same person lie before each; `person` is sorted."""
    return np.arange(len(person)) - np.searchsorted(person, person, side="left")
