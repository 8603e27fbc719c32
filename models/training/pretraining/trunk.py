"""Pretraining a model without heads (its trunk), and giving these weights to a model that has some."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from infra.contracts.errors import BadInput
from models.attention.checkpoint import Weights
from models.attention.model import AttentionConfig, AttentionModel
from models.training.dataset import Dataset
from models.training.loop import Objective, Place, fit_objective
from models.training.pretraining.catalog import pretraining
from models.training.pretraining.unlabelled import Unlabelled
from models.training.savepoints import Savepoints
from models.training.settings import PRETRAINING, Progress, TrainingConfig

_TRUNK = "trunk."


def pretrain(
    dataset: Dataset,
    model: AttentionConfig,
    training: TrainingConfig,
    report: Callable[[Progress, AttentionModel], None],
    place: Place | None,
    savepoints: Savepoints | None,
) -> Weights:
    """The weights of a trunk that has learned `training.pretrain` from the events of `dataset`, never from labels."""
    chosen, place = pretraining(training.pretrain), replace(place or Place(), phase=PRETRAINING)
    epochs = training.pretrain_epochs
    own = replace(training, epochs=epochs, patience=epochs, learning_rate=training.pretrain_learning_rate)
    unlabelled = Unlabelled.of(dataset, own)
    if not unlabelled.training.any():
        raise BadInput("nothing to pretrain on: no training person has an event before the cut in time")

    def begin() -> tuple[nn.Module, Objective]:
        trunk = AttentionModel(model)
        trunk.heads = nn.ModuleDict()  # workers that share gradients wait for every parameter's
        return chosen.begin(unlabelled, trunk, own, place)

    def tell(progress: Progress, module: nn.Module) -> None:
        trunk = module.get_submodule("trunk")
        assert isinstance(trunk, AttentionModel)  # noqa: S101  for the type checker: what `begin` was given
        report(replace(progress, phase=PRETRAINING), trunk)

    trained = fit_objective(begin, own, tell, place, savepoints and savepoints.phase(PRETRAINING))
    return {name[len(_TRUNK) :]: each for name, each in trained.weights.items() if name.startswith(_TRUNK)}


def load_trunk(model: AttentionModel, weights: Weights) -> None:
    """Give `model` the weights of a trunk, and leave its heads; no weights change nothing."""
    model.load_state_dict({**model.state_dict(), **{name: torch.from_numpy(each) for name, each in weights.items()}})
