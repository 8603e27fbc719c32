"""The linear maps of a model: most of its numbers, and what pruning and int8 are about."""

from collections.abc import Callable

import torch
from torch import nn

from models.attention.checkpoint import Weights
from models.attention.model import AttentionConfig, AttentionModel


def linear_maps(model: nn.Module) -> dict[str, nn.Linear]:
    """Every linear map by its path in the model; the heads of two classes are none (`models.attention.logit`)."""
    return {path: module for path, module in model.named_modules() if isinstance(module, nn.Linear)}


def replace_linear_maps(model: nn.Module, make: Callable[[str, nn.Linear], nn.Module]) -> None:
    """Put what `make` gives for path and map in the place of each linear map."""
    for path, module in linear_maps(model).items():
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, make(path, module))


def plain_model(config: AttentionConfig, arrays: Weights) -> AttentionModel:
    """An ordinary model in evaluation mode of arrays by name, whatever their floating type."""
    model = AttentionModel(config)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return model.eval()
