"""Plain causal self-attention: SAKT (Pandey & Karypis 2019) for any kind of event.

It is as large as the model and sees as far; its attention knows order by a learned vector a position and knows nothing
of time. (Its tokens are the model's own, so the gap to the event before is in them.)

Shape legend: B people, T tokens, D width, H heads, E = D/H, W tokens of a window, N = T/W blocks.
"""

import torch
import torch.nn.functional as F  # noqa: N812  the name everybody reads
from torch import Tensor, nn

from models.attention.model import AttentionConfig
from models.evaluation.catalog import Baseline, BaselineSettings
from models.evaluation.sequences import SequencePredictor, TokenEmbedding, fit_sequences, output_heads
from models.training.dataset import Dataset
from models.training.loop import Trainee

_ROUND = 16  # pieces are padded to a multiple of this
_STANDARD_DEVIATION = 0.02


def _visible(blocks: int, window: int, device: torch.device) -> Tensor:
    """(N, 1, W, 2W) bool: a query of block n sees the last W of the keys of blocks n-1 and n, its own included."""
    query, key = torch.arange(window, device=device)[:, None], torch.arange(2 * window, device=device)
    back = query + window - key
    visible = ((back >= 0) & (back < window)).repeat(blocks, 1, 1, 1)
    visible[0] &= key >= window  # nothing comes before the first block
    return visible


class _Layer(nn.Module):
    """Pre-norm scaled dot-product attention over the last W tokens and a two-layer perceptron, each with a residual."""

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.heads, self.window = config.heads, config.window
        self.norm = nn.LayerNorm(config.d_model)
        self.project = nn.Linear(config.d_model, 3 * config.d_model)
        self.out = nn.Linear(config.d_model, config.d_model)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(config.d_model),
            nn.Linear(config.d_model, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, config.d_model),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_btd: Tensor, visible: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D), T a multiple of W."""
        x_btd = x_btd + self.dropout(self.out(self._mixed(self.norm(x_btd), visible)))
        out: Tensor = x_btd + self.dropout(self.perceptron(x_btd))
        return out

    def _mixed(self, x_btd: Tensor, visible: Tensor) -> Tensor:
        batch, tokens, width = x_btd.shape
        shape = (batch, tokens // self.window, self.window, self.heads, width // self.heads)
        query, key, value = (part.reshape(shape).transpose(2, 3) for part in self.project(x_btd).chunk(3, dim=-1))
        key, value = (torch.cat([_block_before(part), part], dim=3) for part in (key, value))
        mixed_bnhwe = F.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        return mixed_bnhwe.transpose(2, 3).reshape(batch, tokens, width)


def _block_before(blocks_bnhwe: Tensor) -> Tensor:
    """Each block's predecessor; zeros before the first."""
    return F.pad(blocks_bnhwe, (0, 0, 0, 0, 0, 0, 1, 0))[:, :-1]


class PlainAttentionModel(nn.Module):
    """Embedding plus position, L layers of causal attention over the last W tokens, and the heads."""

    def __init__(self, names: tuple[str, ...], settings: BaselineSettings, positions: int) -> None:
        super().__init__()
        config = settings.model
        self.names, self.window = names, config.window
        self.embedding = TokenEmbedding(config.d_model, config.item_buckets)
        self.position = nn.Embedding(positions, config.d_model)
        nn.init.normal_(self.position.weight, std=_STANDARD_DEVIATION)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.heads = output_heads(names, config.d_model)

    def forward(self, kind: Tensor, features: Tensor, item: Tensor, time_us: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002  time is what it does without
        """Logits (B, T, H); tokens are padded on the right, so that none that counts sees padding."""
        tokens = kind.shape[1]
        x_btd = self.embedding(kind, features, item) + self.position(torch.arange(tokens, device=kind.device))
        x_btd = F.pad(x_btd, (0, 0, 0, -tokens % self.window))
        visible = _visible(x_btd.shape[1] // self.window, self.window, x_btd.device)
        for layer in self.layers:
            x_btd = layer(x_btd, visible)
        x_btd = self.norm(x_btd[:, :tokens])
        return torch.cat([self.heads[name](x_btd) for name in self.names], dim=-1)


def fit(dataset: Dataset, settings: BaselineSettings) -> SequencePredictor:
    """Train on the model's own batches."""
    longest = max(settings.training.sequence_tokens, 2 * settings.model.context)

    def build() -> Trainee[nn.Module]:
        module = PlainAttentionModel(dataset.heads, settings, -(-longest // _ROUND) * _ROUND)
        return Trainee(module, module.heads, settings.model.context)

    return fit_sequences(dataset, settings, build)


BASELINE = Baseline(title="plain self-attention", meaning="attention that knows order, not time (SAKT)", fit=fit)
