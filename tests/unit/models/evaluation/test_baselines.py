"""Rules of the baselines: found by discovery, fitted on training people alone, better than the base rate."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig
from models.evaluation.baselines.gru import RecurrentModel
from models.evaluation.baselines.self_attention import PlainAttentionModel, _visible
from models.evaluation.catalog import BaselineSettings, baseline, baselines
from models.evaluation.metrics import log_losses
from models.evaluation.sequences import SequencePredictor
from models.features.tokens import FEATURE_COUNT, FEATURES, Tokens
from models.features.vocabulary import KIND_COUNT
from models.training.dataset import Dataset
from models.training.settings import TrainingConfig
from models.training.split import Role

SETTINGS = BaselineSettings(
    model=AttentionConfig(d_model=16, heads=2, layers=1, window=8, hidden=16, item_buckets=3),
    training=TrainingConfig(epochs=14, patience=14, learning_rate=0.02, sequence_tokens=32, batch_tokens=512),
)
LENGTH = 30


def made(people: int = 160, seed: int = 0) -> Dataset:
    """People of whom `interaction` follows the mean importance of the last four tokens; `lapse` is the same, turned."""
    random = np.random.default_rng(seed)
    rows = people * LENGTH
    importance = random.random(rows)
    features = np.zeros((rows, FEATURE_COUNT), dtype=np.float32)
    features[:, FEATURES.index("importance")] = importance
    recent = np.array([importance[max(row - row % LENGTH, row - 3) : row + 1].mean() for row in range(rows)])
    chance = 1 / (1 + np.exp(-14 * (recent - 0.5)))
    label = np.stack([random.random(rows) < chance, random.random(rows) < 1 - chance], axis=1)
    person = np.repeat(np.arange(people, dtype=np.uint64), LENGTH)
    role = np.select([person % 4 < 2, person % 4 == 2], [int(Role.TRAIN), int(Role.VALIDATION)], int(Role.TEST))
    tokens = Tokens(
        kind=random.integers(2, KIND_COUNT, rows).astype(np.int16),
        time_us=np.arange(rows) * 60_000_000,
        features=features,
        item=random.integers(0, 4, rows).astype(np.int32),
    )
    return Dataset(
        heads=("interaction", "lapse"),
        tokens=tokens,
        person=person,
        value=label.astype(np.float32),
        known=np.ones((rows, 2), dtype=np.bool_),
        role=role.astype(np.int8),
    )


@pytest.fixture(scope="module")
def data() -> Dataset:
    return made()


def test_all_of_them_are_found() -> None:
    assert baselines() == ("base_rate", "gru", "lightgbm", "logistic", "self_attention")
    with pytest.raises(BadInput, match="there are: base_rate, gru"):
        baseline("oracle")


@pytest.mark.parametrize("name", ["gru", "lightgbm", "logistic", "self_attention"])
def test_it_beats_the_base_rate_on_unseen_people(data: Dataset, name: str) -> None:
    rows = np.flatnonzero(data.role == Role.TEST)
    predicted = baseline(name).fit(data, SETTINGS).predict(data, rows)
    rate = baseline("base_rate").fit(data, SETTINGS).predict(data, rows)
    assert predicted.shape == rate.shape == (len(rows), 2)
    for head in range(2):
        label = data.value[rows, head]
        loss, base = log_losses(label, predicted[:, head]).mean(), log_losses(label, rate[:, head]).mean()
        assert loss < 0.9 * base, (head, loss, base)


@pytest.mark.parametrize("name", ["base_rate", "gru", "lightgbm", "logistic", "self_attention"])
def test_it_is_a_function_of_training_people_and_the_seed(data: Dataset, name: str) -> None:
    tested = data.role == Role.TEST
    other = replace(data, value=np.where(tested[:, None], 1 - data.value, data.value))
    rows = np.flatnonzero(tested)[:200]
    quick = replace(SETTINGS, training=replace(SETTINGS.training, epochs=1))
    first = baseline(name).fit(data, quick).predict(data, rows)
    assert first.tobytes() == baseline(name).fit(other, quick).predict(data, rows).tobytes()


@pytest.mark.parametrize(
    "build",
    [
        lambda: RecurrentModel(("interaction",), 16, 3, 0.0),
        lambda: PlainAttentionModel(("interaction",), SETTINGS, 32),
    ],
    ids=["gru", "self_attention"],
)
def test_a_sequence_baseline_sees_nothing_that_comes_later(build: Callable[[], nn.Module]) -> None:
    predictor = SequencePredictor(build(), SETTINGS.model.context, SETTINGS.training)
    two = made(people=4)
    one = replace(two, heads=("interaction",), value=two.value[:, :1], known=two.known[:, :1])
    rows = np.arange(10, 28)  # all of one piece, so that what comes later is there to be seen
    before = predictor.predict(one, rows)
    one.tokens.features[20:] = 9.0
    after = predictor.predict(one, rows)
    assert after[:10].tobytes() == before[:10].tobytes()
    assert not np.allclose(after[10:], before[10:])
    one.tokens.features[9] = 9.0
    assert not np.allclose(predictor.predict(one, rows)[:10], before[:10])


def test_plain_attention_in_blocks_is_attention_over_the_last_tokens_of_the_whole_sequence() -> None:
    torch.manual_seed(4)
    layer, window = PlainAttentionModel(("lapse",), SETTINGS, 32).layers[0].eval(), SETTINGS.model.window
    x_btd = torch.randn(3, 4 * window, SETTINGS.model.d_model)
    split = [part.reshape(3, 4 * window, 2, -1).transpose(1, 2) for part in layer.project(x_btd).chunk(3, dim=-1)]  # type: ignore[operator]  # a Linear
    place = torch.arange(4 * window)
    back = place[:, None] - place
    scores = split[0] @ split[1].transpose(-1, -2) / (SETTINGS.model.d_model // 2) ** 0.5
    weights = scores.masked_fill((back < 0) | (back >= window), -torch.inf).softmax(dim=-1)
    expected = (weights @ split[2]).transpose(1, 2).reshape(x_btd.shape)
    got = layer._mixed(x_btd, _visible(4, window, x_btd.device))  # type: ignore[operator]  # a layer's own method
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
