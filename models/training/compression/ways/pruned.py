"""Global magnitude pruning (Han et al. 2015): of all weights of all linear maps together the smallest become zero.

What is left then trains for a short while, the zeros held at zero, and the recovered weights are kept where validation
says that they are better. Stored are the weights that are left and a bit for each place. In memory the maps are dense:
multiplying by zeros takes as long as by anything else.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from infra.contracts.errors import BadInput
from models.attention.checkpoint import Weights, weights_of
from models.attention.model import AttentionConfig, AttentionModel
from models.attention.outputs import Outputs
from models.training.compression.catalog import Material, Packed, Way
from models.training.compression.linear import linear_maps, plain_model
from models.training.loop import Labelled, Place, Trainee, fit_module

_PLACES, _VALUES = ":places", ":values"


@dataclass(frozen=True, kw_only=True)
class PrunedSettings:
    """sparsity: share of the weights of linear maps that become zero. recovery: 1 to train what is left, 0 not to."""

    sparsity: float = 0.5
    recovery: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.sparsity < 1:
            raise BadInput(f"sparsity={self.sparsity} must be above 0 and below 1")
        if self.recovery not in {0, 1}:
            raise BadInput(f"recovery={self.recovery} must be 1, to train what is left, or 0")


class _Held(nn.Module):
    """The parametrization of a weight whose pruned places stay zero."""

    kept: Tensor

    def __init__(self, kept: Tensor) -> None:
        super().__init__()
        self.register_buffer("kept", kept)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, zero where it is pruned."""
        return weight * self.kept


def prune(model: nn.Module, sparsity: float) -> None:
    """Set round(sparsity · n) of the n weights of all linear maps to zero, the smallest by magnitude, in place."""
    weights = [each.weight for each in linear_maps(model).values()]
    with torch.no_grad():
        magnitude = torch.cat([each.abs().flatten() for each in weights])
        kept = torch.ones_like(magnitude)
        kept[torch.argsort(magnitude, stable=True)[: round(sparsity * len(magnitude))]] = 0
        for weight, own in zip(weights, torch.split(kept, [each.numel() for each in weights]), strict=True):
            weight.mul_(own.view_as(weight))


def _pack(material: Material, settings: PrunedSettings) -> Packed:
    model = copy.deepcopy(material.base)
    prune(model, settings.sparsity)
    about: dict[str, Any] = {}
    epochs = 0
    if settings.recovery:
        before = _validation_loss(model, material)
        recovered, after, epochs = _recovered(model, material)
        about = {"validation_loss": {"pruned": before, "recovered": after}, "recovered": after < before}
        model = recovered if after < before else model
    arrays = {name: part for name, whole in weights_of(model).items() for name, part in _parts(model, name, whole)}
    return Packed(config=model.config, arrays=arrays, epochs=epochs, about=about)


def _validation_loss(model: AttentionModel, material: Material) -> float:
    objective = Labelled(material.dataset, model.config.context, material.training, Place())
    return objective.validation_loss(Outputs(model, material.dataset.heads))


def _recovered(pruned: AttentionModel, material: Material) -> tuple[AttentionModel, float, int]:
    """The trained model, its validation loss, and how many epochs it took."""
    made: list[Outputs] = []

    def build() -> Trainee[Outputs]:
        model = copy.deepcopy(pruned)
        for module in linear_maps(model).values():
            parametrize.register_parametrization(module, "weight", _Held((module.weight != 0).float()))
        made.append(Outputs(model, material.dataset.heads))
        return Trainee(made[0], None, model.config.context)

    report = material.report
    trained = fit_module(material.dataset, build, material.training, lambda progress, _module: report(progress))
    trained.load_into(made[0])
    model = made[0].model
    for module in list(model.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    losses = [each.validation_loss for each in trained.history]
    return plain_model(pruned.config, weights_of(model)), min(losses), len(losses)


def _parts(model: AttentionModel, name: str, array: npt.NDArray[Any]) -> list[tuple[str, npt.NDArray[Any]]]:
    """A tensor as it is stored: as it is, or for a linear map a bit for each place and the weights that are left."""
    if name not in _weights(model):
        return [(name, array)]
    kept = array != 0
    return [(name + _PLACES, np.packbits(kept)), (name + _VALUES, array[kept])]


def _weights(model: AttentionModel) -> set[str]:
    return {f"{path}.weight" for path in linear_maps(model)}


def _restore(config: AttentionConfig, arrays: Weights, _: PrunedSettings) -> AttentionModel:
    dense: Weights = {}
    for name, template in weights_of(AttentionModel(config)).items():
        if name in arrays:
            dense[name] = arrays[name]
            continue
        kept = np.unpackbits(arrays[name + _PLACES], count=template.size).astype(np.bool_).reshape(template.shape)
        dense[name] = np.zeros_like(template)
        dense[name][kept] = arrays[name + _VALUES]
    return plain_model(config, dense)


WAY = Way(
    title="pruned",
    meaning="the smallest weights of all linear maps are zero; what is left may train for a while",
    pack=_pack,
    restore=_restore,
    settings=PrunedSettings(),
    loop={"epochs": 1, "patience": 1, "learning_rate": 1e-3, "warmup_share": 0.1},
    ordinary=copy.deepcopy,
)
