"""Integrated gradients (Sundararajan, Taly & Yan 2017) over the vectors of the past tokens, by Captum.

The path leads from vectors of padding (no kind, no item, features of 0) to those of the tokens; the score's own token
stays what it is. Importances add up to the difference of the logit between the two ends; `gap` tells how nearly. Where
attention looks at what is observed of the person (`dynamic`), that is held fixed on the path.
"""

from typing import cast

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from models.attention.model import AttentionModel
from models.evaluation.explanation.catalog import Method
from models.evaluation.explanation.subject import Doubles, Subject

STEPS = 32
"""Points of the Gauss-Legendre quadrature."""


def importance(subject: Subject, _: np.random.Generator) -> Doubles:
    """(n,) in the logit."""
    tokens_1td, padding_1td = _ends(subject)
    gradients = IntegratedGradients(lambda x_btd: _logit(subject, x_btd))
    found_1td: Tensor = gradients.attribute(tokens_1td, baselines=padding_1td, n_steps=STEPS)
    return found_1td.sum(dim=-1)[0, :-1].detach().double().numpy()


def gap(subject: Subject, importances: Doubles) -> float:
    """What the importances add up to, less the difference of the logit between the ends of the path."""
    with torch.inference_mode():
        tokens, padding = (_logit(subject, each) for each in _ends(subject))
    return float(importances.sum()) - float(tokens - padding)


def _ends(subject: Subject) -> tuple[Tensor, Tensor]:
    """(1, T, D) the vectors of the tokens, and those of padding with the score's own token."""
    model = cast("AttentionModel", subject.model)
    columns = (subject.kind, subject.features, subject.item)
    with torch.no_grad():
        tokens = model.embed(*columns)
        padding = model.embed(*(torch.zeros_like(each) for each in columns))
    padding[:, -1] = tokens[:, -1]
    return tokens, padding


def _logit(subject: Subject, x_btd: Tensor) -> Tensor:
    """(B,)"""
    model, many = cast("AttentionModel", subject.model), len(x_btd)
    features, time_us = (each.expand(many, *each.shape[1:]) for each in (subject.features, subject.time_us))
    mask = torch.ones(time_us.shape, dtype=torch.bool)
    return model.read(x_btd, features, time_us, mask, last=1)[:, -1, subject.column]


METHOD = Method(
    title="integrated gradients",
    meaning="gradients along the way from padding to the tokens (Captum)",
    signed=True,
    importance=importance,
    gap=gap,
)
