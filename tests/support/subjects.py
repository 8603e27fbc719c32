"""Scores to explain whose reasons are known, because the model is made by hand; and some of a small real one."""

import torch
from torch import Tensor, nn

from models.attention.model import AttentionConfig, AttentionModel
from models.evaluation.explanation.subject import Subject
from models.features.tokens import FEATURE_COUNT
from models.features.vocabulary import KIND_COUNT

PAST = 20


class OneToken(nn.Module):
    """The logit is `worth` where the token at `place` is there, else 0, whatever the others are."""

    def __init__(self, place: int, worth: float) -> None:
        super().__init__()
        self.place, self.worth = place, worth

    def forward(self, *columns: Tensor, last: int) -> Tensor:
        """(B, 1, 1) out of the mask, the last of the columns."""
        present = columns[-1][:, self.place].float()
        return (self.worth * present)[:, None, None].expand(-1, last, -1)


def one_token(place: int, worth: float = 2.0) -> Subject:
    """A score that rests on one of its past tokens."""
    return tokens_of(OneToken(place, worth), PAST + 1, seed=place)


def of_a_small_model(seed: int, mechanism: str = "banded") -> Subject:
    """A score of an untrained model of two layers."""
    torch.manual_seed(seed)
    config = AttentionConfig(mechanism=mechanism, d_model=16, heads=2, window=8, hidden=24, item_buckets=4)
    return tokens_of(AttentionModel(config).eval(), 15, seed)


def tokens_of(model: nn.Module, tokens: int, seed: int) -> Subject:
    """A score of `model` on made-up tokens."""
    random = torch.Generator().manual_seed(seed)
    return Subject(
        model=model,
        column=0,
        kind=torch.randint(1, KIND_COUNT, (1, tokens), generator=random, dtype=torch.int16),
        features=torch.randn(1, tokens, FEATURE_COUNT, generator=random),
        item=torch.randint(0, 5, (1, tokens), generator=random, dtype=torch.int32),
        time_us=torch.randint(0, 900_000_000, (1, tokens), generator=random).cumsum(1),
    )
