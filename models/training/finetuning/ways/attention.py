"""Attention-only fine-tuning: the attention sub-layers train, projections and biases alike; all else stays."""

import re

from models.attention.model import AttentionModel
from models.training.finetuning.catalog import NoSettings, Way
from models.training.finetuning.parts import train_only

_OF_ATTENTION = re.compile(r"layers\.\d+\.attention\.")


def _start(model: AttentionModel, _: NoSettings) -> AttentionModel:
    train_only(model, lambda name: _OF_ATTENTION.match(name) is not None)
    return model


WAY = Way(
    title="attention only",
    meaning="projections and biases of the attention sub-layers train, nothing else",
    learning_rate=1e-3,
    start=_start,
)
