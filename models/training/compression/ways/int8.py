"""Dynamic int8 quantisation of the linear maps: symmetric, a scale for each output channel of a weight and for each
token of an input,

    W ≈ s_o Q_oi,    x ≈ s_t q_ti,    y_to = s_t s_o Σ_i q_ti Q_oi + b_o,    Q, q in -127 … 127,

sums in int32 (as Jacob et al. 2018 quantise, without zero points). A token's scale is its own, so scores do not depend
on who shares the batch. With `activations=float32` weights are widened at every call and inputs stay as they are.

`torch.ao.quantization` is deprecated in the installed torch and its successor is another package, so the maps are
written out here, around torch's product of int8 matrices.
"""

import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor, nn

from infra.contracts.errors import BadInput
from models.attention.checkpoint import Weights, weights_of
from models.attention.model import AttentionConfig, AttentionModel
from models.training.compression.catalog import Material, Packed, Way
from models.training.compression.linear import replace_linear_maps

_LARGEST: Final = 127
_INT8, _FLOAT32 = "int8", "float32"


@dataclass(frozen=True, kw_only=True)
class Int8Settings:
    """activations: what inputs of linear maps are multiplied as, int8 or float32."""

    activations: str = _INT8

    def __post_init__(self) -> None:
        if self.activations not in {_INT8, _FLOAT32}:
            raise BadInput(f"activations={self.activations}: there are {_INT8} and {_FLOAT32}")


def quantise(rows: Tensor) -> tuple[Tensor, Tensor]:
    """(r, c) float32 -> (r, c) int8 and (r, 1) float32 scales: each row in steps of its largest magnitude / 127."""
    scale = rows.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / _LARGEST
    scale = scale.clamp_min(torch.finfo(torch.float32).tiny)
    return (rows / scale).round_().clamp_(-_LARGEST, _LARGEST).to(torch.int8), scale


class Int8Linear(nn.Module):
    """A linear map whose weight is int8: weight (O, I) int8, scale (O, 1) and bias (O,) float32."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, linear: nn.Linear, activations: str) -> None:
        super().__init__()
        weight, scale = quantise(linear.weight.detach())
        self.activations = activations
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """(…, I) -> (…, O)."""
        if self.activations == _FLOAT32:
            return F.linear(x, self.weight * self.scale, self.bias)
        quantised, scale = quantise(x.reshape(-1, x.shape[-1]))
        summed = torch._int_mm(quantised, self.weight.t())  # noqa: SLF001  torch has no other name for it
        y = summed * scale * self.scale.t()
        return (y if self.bias is None else y + self.bias).view(*x.shape[:-1], -1)


def _quantised(model: AttentionModel, settings: Int8Settings) -> AttentionModel:
    replace_linear_maps(model, lambda _, linear: Int8Linear(linear, settings.activations))
    return model.eval()


def _pack(material: Material, settings: Int8Settings) -> Packed:
    model = _quantised(copy.deepcopy(material.base), settings)
    return Packed(config=model.config, arrays=weights_of(model))


def _restore(config: AttentionConfig, arrays: Weights, settings: Int8Settings) -> AttentionModel:
    model = _quantised(AttentionModel(config), settings)
    model.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()})
    return model.requires_grad_(requires_grad=False)


WAY = Way(
    title="int8",
    meaning="weights of linear maps are int8 with a scale a channel; their inputs become int8 token by token",
    pack=_pack,
    restore=_restore,
    settings=Int8Settings(),
)
