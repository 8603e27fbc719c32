"""Rules of the weights that explanations ask for: what each token reads of each, of every mechanism."""

import pytest
import torch

from models.attention import catalog
from models.attention.mechanism import Mechanism
from tests.unit.models.attention.test_mechanisms import inputs, made
from tests.unit.models.attention.test_model_of_mechanisms import inputs as columns_of
from tests.unit.models.attention.test_model_of_mechanisms import model, scores


@pytest.mark.parametrize("queries", [1, 20])
@pytest.mark.parametrize("name", catalog.mechanisms())
def test_what_attention_gives_out_are_the_values_by_these_weights(name: str, queries: int) -> None:
    attention: Mechanism = made(name, window=7)
    x, time_us, mask, features = inputs(20)
    band = attention.tail(time_us, mask, queries, features)  # type: ignore[operator]
    weights = attention.weights(x, band, queries)  # type: ignore[operator]
    assert weights.shape == (attention.heads, 2, queries, 20)
    torch.testing.assert_close(weights.sum(-1), torch.ones(attention.heads, 2, queries))
    mixed = attention.merge(weights @ attention.split(x)[2])
    torch.testing.assert_close(mixed, attention(x, band, queries), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", catalog.mechanisms())
def test_nobody_else_reads_a_masked_token_in_any_layer(name: str) -> None:
    columns = columns_of(2, 18)
    columns[4][:, 9] = False
    with torch.inference_mode():
        layers = model(name).attention_weights(*columns)
    for weights in layers:
        others = torch.arange(18) != 9
        assert weights[:, :, others, 9].abs().max() == 0


@pytest.mark.parametrize("name", catalog.mechanisms())
def test_a_masked_token_may_say_anything(name: str) -> None:
    made_model, columns = model(name), columns_of(2, 18)
    columns[4][:, 9] = False
    before = scores(made_model, columns, last=1)
    columns[1][:, 9] += 3
    torch.testing.assert_close(scores(made_model, columns, last=1), before, rtol=0, atol=1e-6)
