"""The logistic baseline: its inputs are what they say, its solution is scikit-learn's, and it is a strong one."""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.evaluation.logistic import _solve, fit_logistic
from models.evaluation.metrics import log_losses
from models.evaluation.windows import windowed
from models.features.tokens import FEATURE_COUNT, FEATURES, Tokens
from models.features.vocabulary import KIND_COUNT
from models.training.dataset import Dataset
from models.training.split import Role


def made(people: int = 60, length: int = 40, seed: int = 0) -> Dataset:
    """People whose label follows the mean importance of their last four events."""
    random = np.random.default_rng(seed)
    rows = people * length
    features = np.zeros((rows, FEATURE_COUNT), dtype=np.float32)
    importance = random.random(rows)
    features[:, FEATURES.index("importance")] = importance
    recent = np.array([importance[max(row - row % length, row - 3) : row + 1].mean() for row in range(rows)])
    label = random.random(rows) < 1 / (1 + np.exp(-12 * (recent - 0.5)))
    person = np.repeat(np.arange(people, dtype=np.uint64), length)
    role = np.select([person % 4 < 2, person % 4 == 2], [int(Role.TRAIN), int(Role.VALIDATION)], int(Role.TEST))
    return Dataset(
        heads=("interaction",),
        tokens=Tokens(
            kind=random.integers(2, KIND_COUNT, rows).astype(np.int16),
            time_us=np.arange(rows),
            features=features,
            item=random.integers(0, 4, rows).astype(np.int32),
        ),
        person=person,
        value=label[:, None].astype(np.float32),
        known=np.ones((rows, 1), dtype=np.bool_),
        role=role.astype(np.int8),
    )


def test_inputs_are_the_token_and_its_means_over_the_last_tokens_of_the_person() -> None:
    data = made(people=3, length=9)
    rows = np.array([0, 2, 8, 9, 20, 26])
    items = int(data.tokens.item.max())
    width = FEATURE_COUNT + KIND_COUNT + items
    got = windowed(data.tokens, data.person, rows, (4, 8))
    assert got.shape == (len(rows), 3 * width)
    kinds = np.eye(KIND_COUNT)[data.tokens.kind]
    columns = np.concatenate([data.tokens.features, kinds, np.eye(items + 1)[data.tokens.item][:, 1:]], axis=1)
    for place, row in enumerate(rows):
        own = row - row % 9
        expected = [columns[row], *(columns[max(own, row + 1 - w) : row + 1].mean(axis=0) for w in (4, 8))]
        np.testing.assert_allclose(got[place], np.concatenate(expected), atol=1e-6)


def test_the_solution_is_scikit_learns() -> None:
    random = np.random.default_rng(1)
    inputs = random.normal(size=(800, 12)).astype(np.float32)
    label = (random.random(800) < 1 / (1 + np.exp(-inputs @ random.normal(size=12)))).astype(np.float32)
    for strength in (0.01, 1.0):
        weights = _solve(inputs, label, strength)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn deprecates options from release to release
            theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=1_000).fit(inputs.astype(float), label)
        np.testing.assert_allclose(weights[:-1], theirs.coef_[0], atol=1e-4)
        np.testing.assert_allclose(weights[-1], theirs.intercept_[0], atol=1e-4)


def test_columns_that_never_change_in_training_are_left_out() -> None:
    data = made()
    data.tokens.features[:, FEATURES.index("sentiment")] = data.role == Role.TEST
    fitted = fit_logistic(data, 0, window=32, seed=1)
    assert FEATURES.index("sentiment") not in fitted.inputs.columns
    assert FEATURES.index("importance") in fitted.inputs.columns
    assert np.isfinite(fitted.weights).all()


def test_it_finds_what_is_linear_in_the_recent_past_on_unseen_people() -> None:
    data = made()
    rows = np.flatnonzero(data.role == Role.TEST)
    label = data.value[rows, 0]
    fitted = fit_logistic(data, 0, window=32, seed=1)
    loss = log_losses(label, fitted.predict(data, rows)).mean()
    base = log_losses(label, np.full(len(rows), label.mean())).mean()
    assert loss < 0.9 * base
