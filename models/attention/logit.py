"""Linear maps at the top: to one number, row by row, and to one a class."""

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


class Logits(nn.Linear):
    """(…, D) -> (…, classes): the logits of a head of several classes, which no score on the wire comes from."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__(width, classes)
