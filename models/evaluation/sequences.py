"""What baselines that read sequences share: how tokens become vectors, how they are trained, how they predict.

They are trained by the model's own loop: the same tokens, batches, loss, schedule and early stopping.

Shape legend: B people, T tokens, D width, H heads.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from models.attention import catalog as attention_catalog
from models.evaluation.catalog import BaselineSettings, Doubles, Indices
from models.features.tokens import FEATURE_COUNT
from models.features.vocabulary import KIND_COUNT, PAD
from models.training.batches import cut
from models.training.dataset import Dataset
from models.training.loop import Trainee, fit_module, predict
from models.training.settings import Progress, TrainingConfig

_STANDARD_DEVIATION = 0.05


class TokenEmbedding(nn.Module):
    """Tokens as vectors, as the attention model makes them: kind, features and (where there are any) items, summed."""

    def __init__(self, width: int, item_buckets: int) -> None:
        super().__init__()
        self.kind = nn.Embedding(KIND_COUNT, width, padding_idx=PAD)
        self.features = nn.Linear(FEATURE_COUNT, width)
        self.item = nn.Embedding(item_buckets + 1, width, padding_idx=0) if item_buckets else None
        for table in (each for each in (self.kind, self.item) if each is not None):
            nn.init.normal_(table.weight, std=_STANDARD_DEVIATION)
            nn.init.zeros_(table.weight[0])

    def forward(self, kind: Tensor, features: Tensor, item: Tensor) -> Tensor:
        """(B, T), (B, T, F), (B, T) -> (B, T, D)."""
        x_btd: Tensor = self.kind(kind.long()) + self.features(features)
        return x_btd if self.item is None else x_btd + self.item(item.long())


def output_heads(names: tuple[str, ...], width: int) -> nn.ModuleDict:
    """The last layers, the same as the attention model has."""
    return nn.ModuleDict({name: attention_catalog.head(name).build(width) for name in names})


@dataclass(frozen=True)
class SequencePredictor:
    """A trained module and how much of a person's past it is given."""

    module: nn.Module
    context: int
    training: TrainingConfig

    def predict(self, dataset: Dataset, rows: Indices) -> Doubles:
        """(r, H) probabilities at `rows`."""
        wanted = np.zeros(len(dataset), dtype=np.bool_)
        wanted[rows] = True
        pieces = cut(dataset.person, wanted, self.context, self.training.sequence_tokens)
        logits = predict(self.module, dataset, pieces, self.training.batch_tokens)[rows]
        probability: Doubles = 1 / (1 + np.exp(-logits.astype(np.float64)))
        return probability


def fit_sequences(
    dataset: Dataset, settings: BaselineSettings, build: Callable[[], Trainee[nn.Module]]
) -> SequencePredictor:
    """Train what `build` makes for all heads together, and keep the best epoch on validation."""
    made: list[Trainee[nn.Module]] = []

    def once() -> Trainee[nn.Module]:
        made.append(build())
        return made[-1]

    trained = fit_module(dataset, once, settings.training, _silent)
    trained.load_into(made[0].module)
    return SequencePredictor(made[0].module.eval(), made[0].context, settings.training)


def _silent(_: Progress, module: nn.Module) -> None:
    """Reports to nobody."""
