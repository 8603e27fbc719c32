"""Rules of figures by world: whose rows are whose."""

import numpy as np
import pytest

from models.evaluation import metrics
from models.evaluation.explanation.subgroups import by_world, world_of
from models.features.tokens import FEATURE_COUNT, FEATURES, Tokens
from models.training.dataset import Dataset
from models.training.split import Role

ROWS = 600


def dataset() -> Dataset:
    """Thirds of social, gaming and no world; half of the rows of each are of training."""
    features = np.zeros((ROWS, FEATURE_COUNT), dtype=np.float32)
    for at, world in enumerate(("social", "gaming")):
        features[at::3, FEATURES.index(f"world_{world}")] = 1
    random = np.random.default_rng(1)
    zeros = np.zeros(ROWS, dtype=np.int64)
    return Dataset(
        heads=("lapse",),
        tokens=Tokens(zeros.astype(np.int16), zeros, features, zeros.astype(np.int32)),
        person=np.repeat(np.arange(20, dtype=np.uint64), ROWS // 20),
        value=(random.random((ROWS, 1)) < 0.3).astype(np.float32),
        known=random.random((ROWS, 1)) < 0.8,
        role=np.where(np.arange(ROWS) < ROWS // 2, int(Role.TRAIN), int(Role.TEST)).astype(np.int8),
    )


def test_every_row_belongs_to_one_world() -> None:
    found = world_of(dataset(), np.arange(ROWS))
    assert list(found) == ["social", "gaming", "none"]
    np.testing.assert_array_equal(np.sum(list(found.values()), axis=0), np.ones(ROWS))


def test_each_world_is_judged_by_its_own_labelled_rows() -> None:
    data = dataset()
    rows = np.flatnonzero(data.role == Role.TEST)
    said = np.where(rows % 3 == 1, 0.5 + 0.45 * (2 * data.value[rows, 0] - 1), 0.9)[:, None]  # good in gaming alone
    found = by_world(data, rows, said, seed=0)["lapse"]
    gaming = rows[(rows % 3 == 1) & data.known[rows, 0]]
    assert found["gaming"]["rows"] == len(gaming)
    expected = metrics.log_losses(data.value[gaming, 0], said[np.isin(rows, gaming), 0]).mean()
    assert found["gaming"]["log_loss"]["value"] == pytest.approx(expected)
    assert found["gaming"]["verdict"] == "better"
    assert found["social"]["verdict"] == found["none"]["verdict"] == "worse"
    assert found["social"]["ece"]["value"] > 0.3 > found["gaming"]["ece"]["value"]
