"""A gated recurrent unit over the same tokens: deep knowledge tracing (Piech et al. 2015) for any kind of event.

It is given up to half a piece of the past before its first scored token, and all of the piece after it.
"""

import torch
from torch import Tensor, nn

from models.evaluation.catalog import Baseline, BaselineSettings
from models.evaluation.sequences import SequencePredictor, TokenEmbedding, fit_sequences, output_heads
from models.training.dataset import Dataset
from models.training.loop import Trainee


class RecurrentModel(nn.Module):
    """Embedding, one layer of gated recurrent units (Cho et al. 2014) of width D, and the heads."""

    def __init__(self, names: tuple[str, ...], width: int, item_buckets: int, dropout: float) -> None:
        super().__init__()
        self.names = names
        self.embedding = TokenEmbedding(width, item_buckets)
        self.recurrent = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.heads = output_heads(names, width)

    def forward(self, kind: Tensor, features: Tensor, item: Tensor, time_us: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002  the loop gives every module the same
        """Logits (B, T, H); tokens ascend in time and are padded on the right, so padding comes after what counts."""
        x_btd = self.embedding(kind, features, item)
        state_btd, _ = self.recurrent(x_btd)
        y_btd = self.norm(x_btd + self.dropout(state_btd))
        return torch.cat([self.heads[name](y_btd) for name in self.names], dim=-1)


def fit(dataset: Dataset, settings: BaselineSettings) -> SequencePredictor:
    """Train on the model's own batches."""
    model, training = settings.model, settings.training

    def build() -> Trainee[nn.Module]:
        module = RecurrentModel(dataset.heads, model.hidden, model.item_buckets, model.dropout)
        return Trainee(module, module.heads, max(model.context, training.sequence_tokens // 2))

    return fit_sequences(dataset, settings, build)


BASELINE = Baseline(title="GRU", meaning="a recurrent network over the same tokens (knowledge tracing)", fit=fit)
