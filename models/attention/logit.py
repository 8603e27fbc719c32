"""A linear map to one number that treats each row alone."""

import torch
from torch import Tensor, nn


class Logit(nn.Module):
    """(…, D) -> (…, 1), as nn.Linear(D, 1).

    A matrix-vector product takes several rows at once, and a row's last bit then depends on where it stands (seen
    with MKL for row counts that are no multiple of four). Scores must not depend on who else is in the batch.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width).uniform_(-1, 1) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """One number a row."""
        return (x * self.weight).sum(dim=-1, keepdim=True) + self.bias
