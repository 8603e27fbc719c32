"""Soft attention over the tokens of a text: which tokens count, and which way they point.

Additive attention (Bahdanau, Cho & Bengio 2015) with one learned question, as in hierarchical attention networks (Yang
et al. 2016): a_i = softmax_i(v·tanh(W x_i + b)), class logits = U Σ a_i x_i + c. Tokens do not see each other, so that
a weight belongs to the characters of its token and to no others; what a neighbour changes ("not good", 不好) is a
token of its own.

Shape legend: t tokens of all texts one after another, n texts, d width.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infra.contracts.errors import BadInput
from models.features.sentiment.text import Tokens, tokenise

_FIRST_SPREAD = 0.01
"""Standard deviation of the first embeddings. A bucket that training never meets keeps it: near nothing, not noise."""


@dataclass(frozen=True, kw_only=True)
class SentimentConfig:
    """Shape of a sentiment model. `longest_text` is in units: what follows is not read."""

    buckets: int = 2**18
    width: int = 32
    hidden: int = 32
    longest_text: int = 512
    token_dropout: float = 0.5
    dropout: float = 0.3

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "SentimentConfig":
        """The config that `as_dict` gave. Raises BadInput for anything else."""
        try:
            return cls(**values)
        except TypeError as error:
            raise BadInput(f"not the config of a sentiment model: {error}") from error


@dataclass(frozen=True)
class TokenBatch:
    """Tokens of n texts, one after another. `bucket` (t,), `text` (t,) the number of the text of each."""

    bucket: Tensor
    text: Tensor
    texts: int

    @classmethod
    def of(cls, texts: Sequence[Tokens]) -> "TokenBatch":
        """The tokens of `texts`, at least one text."""
        lengths = [len(each.bucket) for each in texts]
        return cls(
            bucket=torch.from_numpy(np.concatenate([each.bucket for each in texts])),
            text=torch.from_numpy(np.repeat(np.arange(len(texts)), lengths)),
            texts=len(texts),
        )


class SentimentModel(nn.Module):
    """Tokens to logits of (negative, positive), and the attention of every token."""

    def __init__(self, config: SentimentConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.buckets, config.width, sparse=True)
        nn.init.normal_(self.embedding.weight, std=_FIRST_SPREAD)
        self.known: Tensor
        self.register_buffer("known", torch.ones(config.buckets, dtype=torch.bool))
        self.question = nn.Linear(config.width, config.hidden)
        self.importance = nn.Linear(config.hidden, 1, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.width, 2)

    def tokens(self, text: str) -> Tokens:
        """What the model reads of a text: the tokens that its training texts had often enough."""
        return tokenise(text, self.config.buckets, self.config.longest_text).among(self.known.numpy())

    def forward(self, batch: TokenBatch) -> tuple[Tensor, Tensor]:
        """Logits (n, 2) and attention (t,), which sums to 1 over the tokens of each text.

        In training each token is hidden with probability `token_dropout`, so that more than the plainest ones is
        learned; those that are left share the attention.
        """
        embedded_td = self.embedding(batch.bucket)
        attention_t = self._attention(embedded_td, batch)
        pooled_nd = embedded_td.new_zeros(batch.texts, self.config.width)
        pooled_nd = pooled_nd.index_add(0, batch.text, embedded_td * attention_t[:, None])
        return self.output(self.dropout(pooled_nd)), attention_t

    def _attention(self, embedded_td: Tensor, batch: TokenBatch) -> Tensor:
        logit_t = self.importance(torch.tanh(self.question(embedded_td)))[:, 0]
        most_n = logit_t.new_full((batch.texts,), -torch.inf)
        most_n = most_n.scatter_reduce(0, batch.text, logit_t.detach(), "amax")
        weight_t = torch.exp(logit_t - most_n[batch.text])
        if self.training:
            weight_t = weight_t * (torch.rand_like(weight_t) >= self.config.token_dropout)
        total_n = weight_t.new_zeros(batch.texts).index_add(0, batch.text, weight_t)
        return weight_t / total_n.clamp_min(torch.finfo(total_n.dtype).tiny)[batch.text]
