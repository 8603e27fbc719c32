"""Contrast: two altered views of a stretch of one person's events are to be told from those of other people.

The views are made by cropping, by hiding tokens, and by stretching gaps (Xie et al. 2022, "Contrastive learning for
sequential recommendation", crop and mask items). A view is the mean of the states of its tokens through a perceptron;
the loss is NT-Xent (Chen, Kornblith, Norouzi & Hinton 2020, "SimCLR", eq. 1, temperature 0.1),

    l(i, j) = -log( exp(s_ij / t) / sum_{k != i} exp(s_ik / t) ),    s the cosine,

averaged over the two views i, j of each stretch. Other stretches of the same person are not among the k: they are no
opposites.

Shape legend: B stretches, T tokens, D width of the model, P width of the projection.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.attention.model import AttentionModel
from models.features.tokens import FEATURES, write_gaps
from models.training.batches import Batch, Pieces, gather
from models.training.loop import Objective, Place
from models.training.pretraining.catalog import Pretraining
from models.training.pretraining.unlabelled import Cutting, OnEvents, Unlabelled, draws, rows_of
from models.training.settings import TrainingConfig

TEMPERATURE = 0.1
STRETCH_TOKENS = 64
_BATCHES_IN_ONE = 4  # a contrast needs opposites: some hundred stretches at once
_SHORTEST_CROP = 0.6
_DROPPED = 0.2
_JITTER = 0.2  # logarithm by which a gap grows or shrinks at most
_GAPS = slice(FEATURES.index("has_previous"), FEATURES.index("gap_longer") + 1)


@dataclass(frozen=True)
class Views:
    """Both views of B stretches: kind, features, item, time_us and mask of (2B, T, …), the first views first. person
    (B,): whose each is, as numbers from 0.
    """

    shown: tuple[Tensor, ...]
    person: Tensor

    @property
    def mask(self) -> Tensor:
        """(2B, T) bool: the tokens of the views."""
        return self.shown[-1]

    def inputs(self, device: torch.device) -> tuple[Tensor, ...]:
        """What `ContrastiveModel` takes."""
        return tuple(each.to(device) for each in (*self.shown, self.person))


class ContrastiveModel(nn.Module):
    """The trunk, and the perceptron between its states and what is compared."""

    def __init__(self, trunk: AttentionModel) -> None:
        super().__init__()
        self.trunk = trunk
        width = trunk.config.d_model
        self.projection = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, *inputs: Tensor) -> Tensor:
        """The mean loss of both views, from `Views.inputs`."""
        kind, features, item, time_us, mask, person = inputs
        state_btd = self.trunk.states(self.trunk.embed(kind, features, item), features, time_us, mask)
        weight = mask[:, :, None].to(state_btd.dtype)
        mean_bd = (state_btd * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        return nt_xent(self.projection(mean_bd), person)


def nt_xent(view_bp: Tensor, person: Tensor) -> Tensor:
    """The loss of views (2B, P), the first ones first, of stretches of people (B,)."""
    unit = functional.normalize(view_bp, dim=-1)
    similarity = unit @ unit.T / TEMPERATURE
    count = len(person)
    place = torch.arange(2 * count, device=person.device)
    other = (place + count) % (2 * count)
    whose = person.repeat(2)
    left_out = (whose[:, None] == whose) & (other[:, None] != place)
    return functional.cross_entropy(similarity.masked_fill(left_out, -torch.inf), other)


def draw(unlabelled: Unlabelled, seed: int, pieces: Pieces, epoch: int) -> Views:
    """Both views of the stretches `pieces` in an epoch."""
    batch = gather(unlabelled.dataset, pieces, unlabelled.dataset.known)
    views = [_view(batch, pieces, seed, epoch, 4 * number) for number in (1, 2)]
    _, person = np.unique(unlabelled.dataset.person[pieces.start], return_inverse=True)
    return Views(tuple(torch.cat(parts) for parts in zip(*views, strict=True)), torch.from_numpy(person))


def _view(batch: Batch, pieces: Pieces, seed: int, epoch: int, index: int) -> tuple[Tensor, ...]:
    """One view: kind, features, item, time_us, mask. Draws have numbers from `index` on."""
    rows = rows_of(pieces, batch.mask.shape[1])
    share, offset = (draws(seed, pieces.start, epoch, index + number) for number in (0, 1))
    length = pieces.stop - pieces.start
    kept = np.ceil(length * (_SHORTEST_CROP + (1 - _SHORTEST_CROP) * share)).astype(np.int64)
    first = np.floor((length - kept + 1) * offset).astype(np.int64)
    place = np.arange(rows.shape[1])
    inside = (place >= first[:, None]) & (place < (first + kept)[:, None])
    stays = (draws(seed, rows, epoch, index + 2) >= _DROPPED) | (place == first[:, None])
    factor = np.exp(_JITTER * (2 * draws(seed, rows, epoch, index + 3) - 1))
    features, time_us = _stretched(batch, factor)
    return batch.kind, features, batch.item, time_us, batch.mask & torch.from_numpy(inside & stays)


def _stretched(batch: Batch, factor: npt.NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """Features and times with the gap before each token times `factor` (B, T)."""
    time_us, features = batch.time_us.numpy(), batch.features.numpy().copy()
    step = np.diff(time_us, axis=1, prepend=time_us[:, :1])
    new_time = time_us[:, :1] + np.cumsum(np.round(step * factor).astype(np.int64), axis=1)
    gap_us = np.expm1(10 * features[..., FEATURES.index("gap_log")].astype(np.float64)) * 1e6 * factor
    has_previous = features[..., FEATURES.index("has_previous")] > 0
    features[..., _GAPS] = 0
    flat = features.reshape(-1, features.shape[-1])
    write_gaps(flat, np.where(has_previous, np.round(gap_us), -1).astype(np.int64).reshape(-1))
    return torch.from_numpy(features), torch.from_numpy(new_time)


def begin(
    unlabelled: Unlabelled, trunk: AttentionModel, training: TrainingConfig, place: Place
) -> tuple[nn.Module, Objective]:
    """As `catalog.Pretraining.begin`."""
    cutting = Cutting(context=1, length=STRETCH_TOKENS, batch_tokens=_BATCHES_IN_ONE * training.batch_tokens)
    drawing = partial(draw, unlabelled, training.start_seed)
    return ContrastiveModel(trunk).to(place.device), OnEvents(unlabelled, cutting, drawing, place.device)


OBJECTIVE = Pretraining(meaning="tell two views of one person's events from those of other people", begin=begin)
