"""Our metrics equal scikit-learn's."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss, roc_auc_score

from models.evaluation.metrics import auc, ece, log_losses


def made(seed: int, rows: int = 400) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Labels and predictions with ties, both classes present."""
    random = np.random.default_rng(seed)
    probability = np.round(random.random(rows), 2)
    label = (random.random(rows) < probability).astype(np.float32)
    label[:2] = [0, 1]
    return label, probability


@given(st.integers(0, 10_000))
def test_log_loss_equals_scikit_learns(seed: int) -> None:
    label, probability = made(seed)
    probability = np.clip(probability, 0.01, 0.99)
    assert math.isclose(log_losses(label, probability).mean(), log_loss(label, probability), rel_tol=1e-9)


def test_a_certain_mistake_costs_much_but_not_everything() -> None:
    assert np.isfinite(log_losses(np.array([0, 1], dtype=np.float32), np.array([1.0, 0.0]))).all()


@given(st.integers(0, 10_000))
def test_auc_equals_scikit_learns_with_ties(seed: int) -> None:
    label, probability = made(seed)
    assert math.isclose(auc(label, probability), roc_auc_score(label, probability), rel_tol=1e-12)


def test_auc_of_one_class_is_not_a_number() -> None:
    assert math.isnan(auc(np.ones(3, dtype=np.float32), np.array([0.1, 0.2, 0.3])))


@given(st.integers(0, 10_000))
def test_ece_is_the_weighted_gap_of_the_calibration_curve(seed: int) -> None:
    label, probability = made(seed)
    probability = np.minimum(probability, 0.99) + 1e-4  # away from bin borders, which the two put on different sides
    rate, mean = calibration_curve(label, probability, n_bins=10)
    rows = np.histogram(probability, bins=10, range=(0, 1))[0]
    expected = (rows[rows > 0] * np.abs(rate - mean)).sum() / len(label)
    assert math.isclose(ece(label, probability, bins=10), expected, rel_tol=1e-6)
