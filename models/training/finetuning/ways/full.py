"""Full fine-tuning: every parameter trains."""

from models.attention.model import AttentionModel
from models.training.finetuning.catalog import NoSettings, Way
from models.training.finetuning.parts import train_only


def _start(model: AttentionModel, _: NoSettings) -> AttentionModel:
    train_only(model, lambda _name: True)
    return model


WAY = Way(title="full", meaning="every parameter trains", learning_rate=1e-3, start=_start)
