"""Rules of the model with every mechanism: what a score depends on, and how the last tokens alone are scored."""

import pytest
import torch
from torch import Tensor

from infra.contracts.errors import BadInput
from models.attention import catalog
from models.attention.model import UNBOUNDED, AttentionConfig, AttentionModel
from models.features.tokens import FEATURE_COUNT, FEATURES
from models.features.vocabulary import KIND_COUNT

STREAMING = [name for name in catalog.mechanisms() if catalog.mechanism(name).streaming]


def model(mechanism: str) -> AttentionModel:
    torch.manual_seed(5)
    made = AttentionModel(AttentionConfig(mechanism=mechanism, d_model=16, heads=2, window=6, hidden=24)).eval()
    with torch.no_grad():
        for parameter in made.layers.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.2)
    return made


def inputs(batch: int, tokens: int, seed: int = 0) -> list[Tensor]:
    """Columns of `forward`, with readings of emotion and gaze now and then."""
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(batch, tokens, FEATURE_COUNT, generator=random)
    for name in ("has_emotion", "has_gaze"):
        features[:, :, FEATURES.index(name)] = (torch.rand(batch, tokens, generator=random) < 0.3).float()
    return [
        torch.randint(1, KIND_COUNT, (batch, tokens), generator=random, dtype=torch.int16),
        features,
        torch.zeros(batch, tokens, dtype=torch.int32),
        torch.randint(0, 900_000_000, (batch, tokens), generator=random).cumsum(1),
        torch.ones(batch, tokens, dtype=torch.bool),
    ]


def scores(made: AttentionModel, columns: list[Tensor], last: int | None = None) -> Tensor:
    with torch.inference_mode():
        out: Tensor = made(*columns, last=last)
    return out


@pytest.mark.parametrize("mechanism", catalog.mechanisms())
@pytest.mark.parametrize("last", [1, 9])
def test_scoring_the_last_tokens_equals_the_whole_forward(mechanism: str, last: int) -> None:
    made, columns = model(mechanism), inputs(3, 40)
    torch.testing.assert_close(scores(made, columns, last), scores(made, columns)[:, -last:], rtol=0, atol=1e-5)


@pytest.mark.parametrize("mechanism", STREAMING)
def test_a_score_depends_on_the_context_and_on_nothing_before(mechanism: str) -> None:
    made, columns = model(mechanism), inputs(4, 40)
    context = made.config.context
    assert context == 2 * (6 - 1) + 1
    whole = scores(made, columns)[:, -1:]
    torch.testing.assert_close(scores(made, [each[:, -context:] for each in columns], 1), whole, rtol=0, atol=1e-5)
    assert (scores(made, [each[:, 1 - context :] for each in columns], 1) - whole).abs().max() > 1e-5


@pytest.mark.parametrize("mechanism", STREAMING)
@pytest.mark.parametrize("rows", [3, 8, 32])
def test_a_rows_bits_do_not_depend_on_the_other_rows(mechanism: str, rows: int) -> None:
    made, columns, others = model(mechanism), inputs(rows, 12), inputs(rows, 12, seed=9)
    for column, mine in zip(others, columns, strict=True):
        column[rows // 2] = mine[rows // 2]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    got, beside = scores(made, columns, 2), scores(made, others, 2)
    torch.set_num_threads(threads)
    assert torch.equal(got[rows // 2], beside[rows // 2])


@pytest.mark.parametrize("mechanism", ["causal", "bidirectional"])
def test_without_a_window_the_context_is_all_there_is(mechanism: str) -> None:
    made, columns = model(mechanism), inputs(2, 40)
    assert made.config.context == UNBOUNDED
    whole = scores(made, columns, 1)
    assert (scores(made, [each[:, 1:] for each in columns], 1) - whole).abs().max() > 1e-6


def test_an_unknown_mechanism_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="no mechanism is called 'flash'; there are: banded, "):
        AttentionModel(AttentionConfig(mechanism="flash"))
