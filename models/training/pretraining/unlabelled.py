"""Events to learn from without their labels, and the objective that all pretraining shares.

Only what training people do before the cut in time is looked at, whether their labels are known or not: nobody who
validates or tests. A twentieth of these people, by a hash, tell the best epoch. Everything random is a function of
(seed, row, epoch), so an epoch can be taken up in the middle.

Shape legend: n events, B people, T tokens.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from infra.contracts.draws import Purpose, uniform
from models.training.batches import Indices, Pieces, cut, plan
from models.training.dataset import Dataset
from models.training.settings import TrainingConfig
from models.training.split import Role

HELD_OUT_SHARE = 0.05
_HELD_OUT_EPOCH = 1 << 20
"""Stands for an epoch that no training reaches: what is drawn for the held-out people is the same after each."""


@dataclass(frozen=True)
class Unlabelled:
    """A data set without labels, which of its events train, and which are held out: both (n,) bool."""

    dataset: Dataset
    training: npt.NDArray[np.bool_]
    held_out: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, dataset: Dataset, training: TrainingConfig) -> "Unlabelled":
        """The events of training people, labels left behind."""
        nothing = np.zeros((len(dataset), 0))
        bare = replace(dataset, heads=(), value=nothing.astype(np.float32), known=nothing.astype(np.bool_))
        seen = np.isin(dataset.role, (int(Role.TRAIN), int(Role.UNLABELLED)))
        place = uniform(training.start_seed, int(Purpose.PRETRAINING), dataset.person, 0, 0)
        return cls(bare, seen & (place >= HELD_OUT_SHARE), seen & (place < HELD_OUT_SHARE))


class Drawn(Protocol):
    """A batch of pretraining; `inputs` is what the module's forward takes."""

    @property
    def mask(self) -> Tensor:
        """(B, T) bool: the real tokens."""
        ...

    def inputs(self, device: torch.device) -> tuple[Tensor, ...]:
        """Tensors on `device`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """How people are cut: tokens that one prediction may depend on, tokens of a piece, padded tokens of a batch."""

    context: int
    length: int
    batch_tokens: int


class OnEvents:
    """Trains a module that returns its loss, on batches that `draw(pieces, epoch)` makes."""

    def __init__(
        self, unlabelled: Unlabelled, cutting: Cutting, draw: Callable[[Pieces, int], Drawn], device: torch.device
    ) -> None:
        self.batch_tokens, self._draw, self._device = cutting.batch_tokens, draw, device
        person = unlabelled.dataset.person
        self.pieces = cut(person, unlabelled.training, cutting.context, cutting.length)
        self.held_out = cut(person, unlabelled.held_out, cutting.context, cutting.length)

    def batches(self, planned: list[Indices], epoch: int) -> Iterator[Drawn]:
        """The batches of a plan."""
        for which in planned:
            yield self._draw(self.pieces.take(which), epoch)

    def loss(self, module: nn.Module, batch: Drawn) -> Tensor:
        """What the module says."""
        loss: Tensor = module(*batch.inputs(self._device))
        return loss

    def validation_loss(self, module: nn.Module) -> float:
        """The mean over batches of held-out people, of training ones where nobody is held out."""
        pieces = self.held_out if len(self.held_out) else self.pieces
        module.eval()
        with torch.inference_mode():
            drawn = (self._draw(pieces.take(which), _HELD_OUT_EPOCH) for which in plan(pieces, self.batch_tokens, None))
            losses = [float(self.loss(module, batch)) for batch in drawn]
        return float(np.mean(losses))


def rows_of(pieces: Pieces, width: int) -> npt.NDArray[np.int64]:
    """(B, T) the row of each token of padded pieces; past the end of a piece it means nothing."""
    return pieces.start[:, None] + np.arange(width)


def draws(seed: int, rows: npt.NDArray[np.int64], epoch: int, index: int) -> npt.NDArray[np.float64]:
    """Uniform numbers in [0, 1) of the shape of `rows`; `index` tells different uses apart."""
    return uniform(seed, int(Purpose.PRETRAINING), rows, epoch, 1 + index)
