"""bfloat16 weights: float32 without the lower half of its fraction, for every tensor of the model.

They are half as large on disk and in memory. By default they are widened where they are used and everything is computed
in float32: a float32 model of the same values is the same function. With `arithmetic=bfloat16` the linear maps multiply
in bfloat16.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor, nn
from torch.nn.utils import parametrize

from infra.contracts.errors import BadInput
from models.attention.checkpoint import Weights
from models.attention.model import AttentionConfig, AttentionModel
from models.training.compression.catalog import Material, Packed, Way
from models.training.compression.linear import plain_model, replace_linear_maps

_FLOAT32, _BFLOAT16 = "float32", "bfloat16"
_DROPPED_BITS = 16


@dataclass(frozen=True, kw_only=True)
class Bf16Settings:
    """arithmetic: what linear maps compute in, float32 or bfloat16."""

    arithmetic: str = _FLOAT32

    def __post_init__(self) -> None:
        if self.arithmetic not in {_FLOAT32, _BFLOAT16}:
            raise BadInput(f"arithmetic={self.arithmetic}: there are {_FLOAT32} and {_BFLOAT16}")


class _Widened(nn.Module):
    """The parametrization of a tensor that is held as bfloat16 and used as float32."""

    def forward(self, held: Tensor) -> Tensor:
        """As it is used."""
        return held.float()


class _HalfLinear(nn.Module):
    """A linear map in bfloat16, out of float32 and into it."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach().to(torch.bfloat16), requires_grad=False)
        bias = None if linear.bias is None else linear.bias.detach().to(torch.bfloat16)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(…, I) -> (…, O)."""
        return F.linear(x.to(torch.bfloat16), self.weight, self.bias).float()


def _pack(material: Material, _: Bf16Settings) -> Packed:
    """The upper 16 bits of every tensor, as integers: NumPy has no bfloat16."""
    state = material.base.state_dict()
    arrays = {name: tensor.to(torch.bfloat16).view(torch.uint16).numpy() for name, tensor in state.items()}
    return Packed(config=material.base.config, arrays=copy.deepcopy(arrays))


def widened(upper: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The float32 values of bfloat16 ones, given as the integers of their 16 bits."""
    return (upper.astype(np.uint32) << _DROPPED_BITS).view(np.float32)


def _restore(config: AttentionConfig, arrays: Weights, settings: Bf16Settings) -> AttentionModel:
    model = plain_model(config, {name: widened(array) for name, array in arrays.items()})
    model.requires_grad_(requires_grad=False)
    if settings.arithmetic == _BFLOAT16:
        replace_linear_maps(model, lambda _, linear: _HalfLinear(linear))
    for module in [each for each in model.modules() if not isinstance(each, _HalfLinear)]:
        for name, used in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(used.to(torch.bfloat16), requires_grad=False))
            # unsafe: the type that is held is not the type that is used, which is the point.
            parametrize.register_parametrization(module, name, _Widened(), unsafe=True)
    return model.eval()


def _ordinary(model: AttentionModel) -> AttentionModel:
    if any(isinstance(module, _HalfLinear) for module in model.modules()):
        raise BadInput(
            "arithmetic=bfloat16 cannot be kept: a checkpoint computes in float32; leave it out to keep bf16"
        )
    used = {}
    for name in AttentionModel(model.config).state_dict():
        path, _, own = name.rpartition(".")
        used[name] = getattr(model.get_submodule(path), own).detach().numpy()
    return plain_model(model.config, used)


WAY = Way(
    title="bf16",
    meaning="every tensor is held in 16 bits and widened where it is used",
    pack=_pack,
    restore=_restore,
    settings=Bf16Settings(),
    ordinary=_ordinary,
)
