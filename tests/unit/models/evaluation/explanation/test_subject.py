"""Rules of what is explained: which scores are taken, and what deleting a token does."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from models.attention.model import AttentionConfig, AttentionModel
from models.evaluation.explanation.subject import choose, places, subject
from models.training.batches import cut
from models.training.dataset import assemble
from models.training.loop import predict
from models.training.settings import TrainingConfig, TrainingRequest
from tests.support.hidden_state import HiddenStatePopulation
from tests.support.subjects import of_a_small_model

MODEL = AttentionConfig(d_model=8, heads=2, layers=2, window=6, hidden=16)


def test_the_score_that_is_explained_is_the_models_own() -> None:
    population = HiddenStatePopulation.simulate(people=12, minutes=40, seed=3)
    training = TrainingConfig(seed=1, horizon_min=5, threads=1)
    request = TrainingRequest(lake=Path(), out_dir=Path(), model=MODEL, training=training)
    tables = (pa.Table.from_batches([each]) for each in (population.events, population.outcomes))
    dataset = assemble(request, *tables).dataset
    torch.manual_seed(1)
    model = AttentionModel(MODEL).eval()
    rows = np.array([3, 60, 200, len(dataset) - 1])
    everything = cut(dataset.person, np.ones(len(dataset), dtype=np.bool_), MODEL.context, 64)
    expected = predict(model, dataset, everything, 2_048)[rows, 1]
    found = [subject(model, 1, dataset, int(row), MODEL.context).ends()[0] for row in rows]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_deleted_token_may_have_been_anything() -> None:
    one = of_a_small_model(seed=6)
    present = np.ones((1, one.past), dtype=np.bool_)
    present[0, 10] = False
    before, whole = one.logits(present), one.ends()[0]
    one.features[:, 10] += 4
    np.testing.assert_allclose(one.logits(present), before, atol=1e-6)
    assert abs(one.ends()[0] - whole) > 1e-4


def test_many_sets_of_tokens_are_scored_as_one_at_a_time() -> None:
    one = of_a_small_model(seed=6)
    present = np.random.default_rng(0).random((700, one.past)) < 0.5
    single = np.concatenate([one.logits(present[[at]]) for at in (0, 511, 512, 699)])
    np.testing.assert_allclose(one.logits(present)[[0, 511, 512, 699]], single, atol=1e-6)


def test_nobody_is_taken_twice_before_everybody_is_taken_once() -> None:
    person = np.repeat(np.arange(1, 11, dtype=np.uint64), 30)
    event = np.arange(300, dtype=np.uint64)
    allowed = places(person) >= 20
    few, many = (choose(person, event, allowed, wanted, 4) for wanted in (7, 25))
    assert len(set(person[few].tolist())) == 7
    assert sorted(Counter(person[many].tolist()).values()) == [2] * 5 + [3] * 5
    assert allowed[many].all()
    assert set(few) <= set(many)
    other = choose(person, event, allowed, 25, 5)
    assert set(other) != set(many)
    assert len(choose(person, event, allowed, 10_000, 4)) == 100
