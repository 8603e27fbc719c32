"""Fitting the attention model: the loop, for the heads that a data set has labels of."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from models.attention.checkpoint import Weights
from models.attention.model import AttentionConfig, AttentionModel
from models.training.dataset import Dataset
from models.training.loop import Place, Trainee, fit_module
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
    """The attention model by `fit_module`, for the heads that `dataset` has labels of."""
    config = replace(model, outputs=dataset.heads)

    def build() -> Trainee[AttentionModel]:
        attention = AttentionModel(config)
        return Trainee(attention, attention.heads, config.context)

    trained = fit_module(dataset, build, training, report, place, savepoints)
    return Fitted(config=config, weights=trained.weights, history=trained.history)
