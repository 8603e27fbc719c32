"""Attention rollout (Abnar & Zuidema 2020): what flows from each token to the score, if attention were all there is.

Each layer passes half of what it gets straight on and half by its attention, heads averaged; layers multiply.
Importances are above 0 and know no direction; values and perceptrons have no part in them.

Shape legend: B people, T tokens, H heads.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from models.attention.model import AttentionModel
from models.evaluation.explanation.catalog import Method
from models.evaluation.explanation.subject import Doubles, Subject


def rollout(weights_hbtt: Sequence[Tensor]) -> Tensor:
    """(B, T, T) how much of each token (last) is in each output: weights (H, B, T, T) a layer, the lowest first."""
    tokens = weights_hbtt[0].shape[-1]
    flow_btt = torch.eye(tokens).expand(weights_hbtt[0].shape[1], -1, -1)
    for layer in weights_hbtt:
        flow_btt = (0.5 * layer.mean(dim=0) + 0.5 * torch.eye(tokens)) @ flow_btt
    return flow_btt


def importance(subject: Subject, _: np.random.Generator) -> Doubles:
    """(n,) shares of the score's output."""
    model = cast("AttentionModel", subject.model)
    mask = torch.ones_like(subject.kind, dtype=torch.bool)
    with torch.inference_mode():
        weights = model.attention_weights(subject.kind, subject.features, subject.item, subject.time_us, mask)
        return rollout(weights)[0, -1, :-1].double().numpy()


METHOD = Method(
    title="attention rollout",
    meaning="attention of all layers multiplied, half of each layer passing straight on",
    signed=False,
    importance=importance,
)
