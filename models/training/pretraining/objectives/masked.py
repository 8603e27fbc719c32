"""Masked events: what happened at a moment of which nothing is told but what came before (Devlin et al. 2019).

A share of tokens is hidden: in place of its vector stands a learned one, its features are 0, and its time is that of
the last token before it that is shown, so neither attention nor a reading of the person can give its gap away. Its
content (`content.py`) is predicted from the state at its own place. Under causal attention that state sees the past, so
this is to say what happens next from a past with holes. Every hidden token gets the mask: Devlin's 80/10/10 is for
models that see the other side, where a token that stays would give itself away. (Under `bidirectional` the gap that the
next token states does give the hidden one's time away, not its content.)

Shape legend: B people, T tokens, N hidden tokens, D width of the model.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from models.attention.model import AttentionModel
from models.training.batches import Pieces, gather
from models.training.loop import Objective, Place
from models.training.pretraining.catalog import Pretraining
from models.training.pretraining.content import ContentDecoder, Scales
from models.training.pretraining.unlabelled import Cutting, OnEvents, Unlabelled, draws, rows_of
from models.training.settings import TrainingConfig

SHARE = 0.3
"""Of tokens that are hidden. More than Devlin's 15%: a small model that sees few tokens learns faster from more of them
(Wettig et al. 2023 find 40% no worse for words)."""


@dataclass(frozen=True)
class MaskedBatch:
    """shown: kind, features, item, time_us, mask as the model gets them, hidden content removed. hidden, predicted
    (B, T) bool: the latter are those of the hidden whose past is all there. content: theirs, as `Content.tensors`.
    """

    shown: tuple[Tensor, ...]
    hidden: Tensor
    predicted: Tensor
    content: tuple[Tensor, ...]

    @property
    def mask(self) -> Tensor:
        """(B, T) bool: the real tokens."""
        return self.shown[-1]

    def inputs(self, device: torch.device) -> tuple[Tensor, ...]:
        """What `MaskedModel` takes."""
        return tuple(each.to(device) for each in (*self.shown, self.hidden, self.predicted, *self.content))


class MaskedModel(nn.Module):
    """The trunk, the vector of the mask, and the decoder."""

    def __init__(self, trunk: AttentionModel) -> None:
        super().__init__()
        self.trunk = trunk
        self.vector = nn.Parameter(torch.randn(trunk.config.d_model) * 0.05)
        self.decoder = ContentDecoder(trunk.config.d_model)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The mean loss of the hidden tokens, from `MaskedBatch.inputs`."""
        kind, features, item, time_us, mask, hidden, predicted, *content = inputs
        x_btd = torch.where(hidden[:, :, None], self.vector, self.trunk.embed(kind, features, item))
        state_btd = self.trunk.states(x_btd, features, time_us, mask)
        loss: Tensor = self.decoder(state_btd[predicted], *content)
        return loss


def draw(unlabelled: Unlabelled, scales: Scales, seed: int, pieces: Pieces, epoch: int) -> MaskedBatch:
    """The batch of `pieces` in an epoch."""
    batch = gather(unlabelled.dataset, pieces, unlabelled.dataset.known)
    rows = rows_of(pieces, batch.mask.shape[1])
    hidden = batch.mask & torch.from_numpy(draws(seed, rows, epoch, 0) < SHARE)
    shown = (
        batch.kind.masked_fill(hidden, 0),
        batch.features.masked_fill(hidden[:, :, None], 0),
        batch.item.masked_fill(hidden, 0),
        _times_shown(batch.time_us, hidden | ~batch.mask),
        batch.mask,
    )
    predicted = hidden & torch.from_numpy(batch.rows >= 0)
    content = scales.content(batch.kind[predicted], batch.features[predicted])
    return MaskedBatch(shown, hidden, predicted, content.tensors())


def _times_shown(time_us: Tensor, hidden: Tensor) -> Tensor:
    """(B, T) the times, those of hidden tokens replaced by the last shown before them, or else the first shown at all.

    Padding counts as hidden.
    """
    most = np.iinfo(np.int64).max
    first = time_us.masked_fill(hidden, most).min(dim=1, keepdim=True).values
    first = torch.where(first == most, 0, first)
    return torch.where(hidden, first, time_us).cummax(dim=1).values


def begin(
    unlabelled: Unlabelled, trunk: AttentionModel, training: TrainingConfig, place: Place
) -> tuple[nn.Module, Objective]:
    """As `catalog.Pretraining.begin`."""
    cutting = Cutting(context=trunk.config.context, length=training.sequence_tokens, batch_tokens=training.batch_tokens)
    scales = Scales(unlabelled.dataset.tokens, unlabelled.training)
    drawing = partial(draw, unlabelled, scales, training.start_seed)
    return MaskedModel(trunk).to(place.device), OnEvents(unlabelled, cutting, drawing, place.device)


OBJECTIVE = Pretraining(meaning="say what hidden events were, from what came before", begin=begin)
