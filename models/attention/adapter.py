"""Adapters: bottlenecks behind the sub-layers of a layer (Houlsby et al. 2019), for fine-tuning.

Shape legend: D model width, m width of the bottleneck.
"""

from typing import cast

import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor, nn


class Adapter(nn.Module):
    """(…, D) -> (…, D): x + up(gelu(down(x))). `up` starts at zero, so an untrained one changes nothing."""

    def __init__(self, d_model: int, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(d_model, width)
        self.up = nn.Linear(width, d_model)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """What the sub-layer gave, adapted."""
        return x + cast("Tensor", self.up(F.gelu(self.down(x))))


def adapter(d_model: int, width: int) -> nn.Module:
    """An adapter, or for a width of 0 nothing: a module without parameters that gives back what it is given."""
    return Adapter(d_model, width) if width else nn.Identity()
