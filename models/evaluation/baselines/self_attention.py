"""Plain causal self-attention: SAKT (Pandey & Karypis 2019) for any kind of event.

It is as large as the model and sees as far; its attention knows order by a learned vector a position and knows nothing
of time. (Its tokens are the model's own, so the gap to the event before is in them.)
"""

import torch
from torch import Tensor, nn

from models.evaluation.catalog import Baseline, BaselineSettings
from models.evaluation.sequences import SequencePredictor, TokenEmbedding, fit_sequences, output_heads
from models.training.dataset import Dataset
from models.training.loop import Trainee

_ROUND = 16  # pieces are padded to a multiple of this
_STANDARD_DEVIATION = 0.02


class PlainAttentionModel(nn.Module):
    """Embedding plus position, L pre-norm layers of causal attention over the last W tokens, and the heads."""

    def __init__(self, names: tuple[str, ...], settings: BaselineSettings, positions: int) -> None:
        super().__init__()
        config = settings.model
        self.names, self.window = names, config.window
        self.embedding = TokenEmbedding(config.d_model, config.item_buckets)
        self.position = nn.Embedding(positions, config.d_model)
        nn.init.normal_(self.position.weight, std=_STANDARD_DEVIATION)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                config.d_model,
                config.heads,
                config.hidden,
                config.dropout,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.d_model)
        self.heads = output_heads(names, config.d_model)

    def forward(self, kind: Tensor, features: Tensor, item: Tensor, time_us: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002  time is what it does without
        """Logits (B, T, H); tokens are padded on the right, so that none that counts sees padding."""
        place = torch.arange(kind.shape[1], device=kind.device)
        x_btd = self.embedding(kind, features, item) + self.position(place)
        back = place[:, None] - place
        hidden = (back < 0) | (back >= self.window)
        for layer in self.layers:
            x_btd = layer(x_btd, src_mask=hidden)
        x_btd = self.norm(x_btd)
        return torch.cat([self.heads[name](x_btd) for name in self.names], dim=-1)


def fit(dataset: Dataset, settings: BaselineSettings) -> SequencePredictor:
    """Train on the model's own batches."""
    longest = max(settings.training.sequence_tokens, 2 * settings.model.context)

    def build() -> Trainee[nn.Module]:
        module = PlainAttentionModel(dataset.heads, settings, -(-longest // _ROUND) * _ROUND)
        return Trainee(module, module.heads, settings.model.context)

    return fit_sequences(dataset, settings, build)


BASELINE = Baseline(title="plain self-attention", meaning="attention that knows order, not time (SAKT)", fit=fit)
