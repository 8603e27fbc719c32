"""Fitting the attention model: pretraining where it is asked for, then the heads that a data set has labels of."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from models.attention.checkpoint import Weights
from models.attention.model import AttentionConfig, AttentionModel
from models.training.dataset import Dataset
from models.training.loop import Place, Trainee, fit_module
from models.training.pretraining.catalog import NONE
from models.training.pretraining.trunk import load_trunk, pretrain
from models.training.savepoints import Savepoints
from models.training.settings import Progress, TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The weights of the best epoch on validation, and a report of each epoch."""

    config: AttentionConfig
    weights: Weights
    history: tuple[Progress, ...]

    def model(self) -> AttentionModel:
        """The model with these weights."""
        model = AttentionModel(self.config)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in self.weights.items()})
        return model


def fit(
    dataset: Dataset,
    model: AttentionConfig,
    training: TrainingConfig,
    report: Callable[[Progress, AttentionModel], None],
    place: Place | None = None,
    savepoints: Savepoints | None = None,
) -> Fitted:
    """The attention model by `fit_module`, for the heads that `dataset` has labels of.

    What it was pretrained on gives its first weights, all but those of the heads; they are in the savepoints of the
    training, so one that goes on does not repeat it. Raises BadInput for pretraining without events, or with a
    mechanism that it cannot teach.
    """
    config = replace(model, outputs=dataset.heads)
    begun = savepoints is not None and savepoints.begun()
    first: Weights = {}
    if training.pretrain != NONE and not begun:
        first = pretrain(dataset, config, training, report, place, savepoints)

    def build() -> Trainee[AttentionModel]:
        attention = AttentionModel(config)
        load_trunk(attention, first)
        return Trainee(attention, attention.heads, config.context)

    trained = fit_module(dataset, build, training, report, place, savepoints)
    return Fitted(config=config, weights=trained.weights, history=trained.history)
