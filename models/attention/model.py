"""The attention model: event tokens in, the logits of each head and token out.

A stack of L layers with window W depends on the last L(W-1)+1 tokens and on nothing else, so a token's score is
the same whether the whole sequence or only those tokens are given (to 1e-5; a test holds it). Mechanisms without a
window depend on all tokens they are given.

Shape legend: B people, T tokens a person, F features, D model width, S last tokens that are scored.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from infra.contracts.errors import BadInput
from models.attention import catalog
from models.attention.adapter import adapter
from models.features.tokens import FEATURE_COUNT
from models.features.vocabulary import KIND_COUNT, PAD

UNBOUNDED = 1 << 31
"""Stands for "all there are" where a number of tokens is asked for."""


@dataclass(frozen=True, kw_only=True)
class AttentionConfig:
    """Size and parts of the model. `window` counts the query's own token; `item_buckets` 0 means no items; `adapter` is
    the width of the bottleneck behind each sub-layer, 0 for none (see `adapter`).
    """

    mechanism: str = "banded"
    outputs: tuple[str, ...] = ("interaction", "lapse")
    d_model: int = 32
    heads: int = 4
    layers: int = 2
    window: int = 32
    hidden: int = 64
    dropout: float = 0.05
    item_buckets: int = 0
    adapter: int = 0

    def __post_init__(self) -> None:
        sizes = (self.d_model, self.heads, self.layers, self.window, self.hidden)
        if min(sizes) < 1 or min(self.item_buckets, self.adapter) < 0:
            raise BadInput(f"the model's sizes must be positive whole numbers: {self}")
        if self.d_model % self.heads:
            raise BadInput(f"d_model={self.d_model} must be a multiple of heads={self.heads}")
        if not 0 <= self.dropout < 1:
            raise BadInput(f"dropout={self.dropout} must be in [0, 1)")
        if not self.outputs:
            raise BadInput("the model needs at least one head")

    @property
    def context(self) -> int:
        """Tokens that one score depends on, its own included: L(W-1)+1, or `UNBOUNDED` without a window."""
        return self.layers * self.step + 1 if self.windowed else UNBOUNDED

    @property
    def step(self) -> int:
        """Tokens before its own that one layer looks at."""
        return self.window - 1 if self.windowed else UNBOUNDED

    @property
    def windowed(self) -> bool:
        """Whether a layer sees the last `window` tokens alone. Raises BadInput for an unknown mechanism."""
        return catalog.mechanism(self.mechanism).windowed

    @property
    def streaming(self) -> bool:
        """Whether the mechanism may score events as they arrive. Raises BadInput for an unknown mechanism."""
        return catalog.mechanism(self.mechanism).streaming

    def check_streaming(self) -> None:
        """Raises BadInput where the mechanism is not for streaming, naming those that are."""
        if not self.streaming:
            fit = (name for name in catalog.mechanisms() if catalog.mechanism(name).streaming)
            raise BadInput(
                f"attention of mechanism '{self.mechanism}' is for training and comparison, it cannot score events as "
                f"they arrive: train with --set mechanism=NAME, one of {', '.join(fit)}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` is the inverse.

        Without adapters nothing is said of them: versions are hashes of this, and such a model is what it was before
        there were any.
        """
        values = asdict(self) | {"outputs": list(self.outputs)}
        return values if self.adapter else {name: value for name, value in values.items() if name != "adapter"}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The config of `as_dict`. Raises BadInput for unknown keys."""
        try:
            return cls(**(values | {"outputs": tuple(values["outputs"])}))
        except (KeyError, TypeError) as error:
            raise BadInput(f"these are not the settings of an attention model: {error}") from error


class _Layer(nn.Module):
    """Pre-norm attention and a two-layer perceptron, each with a residual."""

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.d_model)
        attention = catalog.mechanism(config.mechanism)
        self.attention = attention(config.d_model, config.heads, config.window)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(config.d_model),
            nn.Linear(config.d_model, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, config.d_model),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.after_attention = adapter(config.d_model, config.adapter)
        self.after_perceptron = adapter(config.d_model, config.adapter)

    def forward(self, x_btd: Tensor, band: object, queries: int) -> Tensor:
        """(B, T, D) -> (B, queries, D): the outputs of the last `queries` tokens."""
        mixed_bqd = self.after_attention(self.attention(self.norm(x_btd), band, queries))
        x_bqd = x_btd[:, -queries:] + self.dropout(mixed_bqd)
        out: Tensor = x_bqd + self.dropout(self.after_perceptron(self.perceptron(x_bqd)))
        return out


class AttentionModel(nn.Module):
    """Embedding, L layers, and a head for each output."""

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.config = config
        self.kind = nn.Embedding(KIND_COUNT, config.d_model, padding_idx=PAD)
        self.features = nn.Linear(FEATURE_COUNT, config.d_model)
        # Only where it is used: workers that share gradients wait for every parameter's.
        self.item = (
            nn.Embedding(config.item_buckets + 1, config.d_model, padding_idx=0) if config.item_buckets else None
        )
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.heads = nn.ModuleDict({name: catalog.head(name).build(config.d_model) for name in config.outputs})
        for table in (each for each in (self.kind, self.item) if each is not None):
            nn.init.normal_(table.weight, std=0.05)
            nn.init.zeros_(table.weight[0])

    def forward(
        self,
        kind: Tensor,
        features: Tensor,
        item: Tensor,
        time_us: Tensor,
        mask: Tensor,
        last: int | None = None,
    ) -> Tensor:
        """Logits (B, T, C) of all heads, laid out as `catalog.columns(config.outputs)`; with `last`, (B, last, C).

        kind (B, T) int, features (B, T, F) float32, item (B, T) int, time_us (B, T) int64, mask (B, T) bool, True
        for a real token. Tokens ascend in time, padding on either side. `last` computes the last tokens only,
        exactly where T >= context + last - 1 or what is missing on the left does not exist; it is what serving uses.
        """
        return self.read(self.embed(kind, features, item), features, time_us, mask, last)

    def embed(self, kind: Tensor, features: Tensor, item: Tensor) -> Tensor:
        """(B, T, D) tokens as vectors, before any has seen another; shapes as in `forward`."""
        x_btd: Tensor = self.kind(kind.long()) + self.features(features)
        return x_btd if self.item is None else x_btd + self.item(item.long())

    def read(self, x_btd: Tensor, features: Tensor, time_us: Tensor, mask: Tensor, last: int | None = None) -> Tensor:
        """The rest of `forward`, from the vectors of `embed`; features serve what is observed of the person alone."""
        x_btd = self.states(x_btd, features, time_us, mask, last)
        return torch.cat([self.heads[name](x_btd) for name in self.config.outputs], dim=-1)

    def states(self, x_btd: Tensor, features: Tensor, time_us: Tensor, mask: Tensor, last: int | None = None) -> Tensor:
        """(B, T, D) what the heads read, from the vectors of `embed`; arguments as in `read`."""
        band = self._attention(0).band(time_us, mask, features) if last is None else None
        for index, layer in enumerate(self.layers):
            seen, queries = self._reach(index, time_us.shape[1], last)
            if last is not None:
                band = self._attention(index).tail(time_us[:, -seen:], mask[:, -seen:], queries, features[:, -seen:])
            x_btd = layer(x_btd[:, -seen:], band, queries)
        normed: Tensor = self.norm(x_btd)
        return normed

    def attention_weights(
        self, kind: Tensor, features: Tensor, item: Tensor, time_us: Tensor, mask: Tensor
    ) -> list[Tensor]:
        """(H, B, T, T) of each layer, the lowest first: how much each token (third) reads of each (last).

        It holds all pairs and is slow: for explanations. Shapes as in `forward`.
        """
        x_btd, tokens = self.embed(kind, features, item), kind.shape[1]
        found = []
        layers: list[Any] = list(self.layers)
        for layer in layers:
            band = layer.attention.tail(time_us, mask, tokens, features)
            found.append(layer.attention.weights(layer.norm(x_btd), band, tokens))
            x_btd = layer(x_btd, band, tokens)
        return found

    def _attention(self, index: int) -> Any:  # noqa: ANN401  a mechanism is duck-typed, see catalog.mechanism
        return self.layers[index].attention

    def _reach(self, index: int, tokens: int, last: int | None) -> tuple[int, int]:
        """How many of the last tokens layer `index` reads, and how many it gives, for `last` tokens at the top."""
        if last is None:
            return tokens, tokens
        step = self.config.step
        queries = last + (len(self.layers) - 1 - index) * step
        return min(tokens, queries + step), min(tokens, queries)
