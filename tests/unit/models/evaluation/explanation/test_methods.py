"""Rules of the methods of explanation: each against a case whose answer is known."""

import numpy as np
import pytest
import torch

from infra.contracts.errors import BadInput
from models.attention import catalog as attention_catalog
from models.evaluation.explanation.catalog import CONTROLS, method, methods
from models.evaluation.explanation.methods import gradients, shapley
from models.evaluation.explanation.methods.rollout import rollout
from tests.support.subjects import PAST, of_a_small_model, one_token


def random() -> np.random.Generator:
    return np.random.default_rng(5)


def test_the_methods_are_found_and_the_controls_come_last() -> None:
    assert methods() == ("gradients", "lime", "rollout", "shapley", *CONTROLS)
    with pytest.raises(BadInput, match="there are: gradients, lime"):
        method("saliency")


def test_rollout_of_two_layers_by_hand() -> None:
    """One head reads its own token, the other the first: the mean of each layer is half and half."""
    own, first = torch.eye(3), torch.tensor([[1.0, 0, 0]] * 3)
    lower = torch.stack([own, first])[:, None]  # halves with the identity: 3/4 own, 1/4 first
    upper = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0]])[None, None]  # the last token reads the second
    flow = rollout([lower, upper])[0]
    torch.testing.assert_close(flow[1], torch.tensor([0.25, 0.75, 0]))
    torch.testing.assert_close(flow[2], torch.tensor([0.25, 0.375, 0.375]))


@pytest.mark.parametrize("mechanism", attention_catalog.mechanisms())
def test_rollout_gives_shares_and_nothing_to_what_is_out_of_reach(mechanism: str) -> None:
    subject = of_a_small_model(seed=2, mechanism=mechanism)
    found = method("rollout").importance(subject, random())
    assert found.shape == (subject.past,)
    assert found.min() >= 0
    assert 0 < found.sum() < 1


@pytest.mark.parametrize("mechanism", attention_catalog.mechanisms())
def test_integrated_gradients_add_up_to_what_the_past_tokens_change(mechanism: str) -> None:
    subject = of_a_small_model(seed=3, mechanism=mechanism)
    found = gradients.importance(subject, random())
    assert np.abs(found).max() > 1e-3
    assert abs(gradients.gap(subject, found)) < 1e-3
    assert abs(gradients.gap(subject, 2 * found)) > 1e-3


def test_integrated_gradients_of_an_empty_token_are_zero() -> None:
    subject = of_a_small_model(seed=4)
    for column in (subject.kind, subject.features, subject.item):
        column[:, 6] = 0
    found = gradients.importance(subject, random())
    assert found[6] == 0
    assert np.count_nonzero(found) == subject.past - 1


def test_shapley_values_add_up_to_what_deleting_the_past_changes() -> None:
    subject = of_a_small_model(seed=3)
    found = shapley.importance(subject, random())
    assert abs(shapley.gap(subject, found)) < 1e-5
    assert abs(shapley.gap(subject, 2 * found)) > 1e-3


@pytest.mark.parametrize("name", ["lime", "shapley"])
@pytest.mark.parametrize("worth", [2.0, -2.0])
def test_the_one_token_that_matters_is_found_with_its_sign_and_size(name: str, worth: float) -> None:
    found = method(name).importance(one_token(place=7, worth=worth), random())
    assert found[7] == pytest.approx(worth, rel=0.1)
    others = np.delete(found, 7)
    assert len(others) == PAST - 1
    assert np.abs(others).max() < 0.1


@pytest.mark.parametrize("name", methods())
def test_the_same_generator_gives_the_same_importances(name: str) -> None:
    subject = of_a_small_model(seed=1)
    before = torch.get_rng_state()
    first, second = (method(name).importance(subject, random()) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
