"""Metrics of predicted probabilities against binary labels; equal to scikit-learn's where it has them (tests)."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Probabilities = npt.NDArray[np.float64]
_SMALLEST = 1e-12


def log_losses(label: npt.NDArray[np.float32], probability: Probabilities) -> Probabilities:
    """(n,) log loss (nats) of each label in {0, 1}; probabilities are kept 1e-12 away from 0 and 1."""
    p = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    losses: Probabilities = -np.where(label > 0.5, np.log(p), np.log1p(-p))
    return losses


def auc(label: npt.NDArray[np.float32], probability: Probabilities) -> float:
    """Area under the ROC curve: the Mann-Whitney statistic, ties counted half. NaN with one class."""
    positive = label > 0.5
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return float("nan")
    ranks = rankdata(probability)
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def ece(label: npt.NDArray[np.float32], probability: Probabilities, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017, eq. 5): mean |rate - mean probability|."""
    index = np.minimum((probability * bins).astype(np.int64), bins - 1)
    gap = np.bincount(index, label, bins) - np.bincount(index, probability, bins)
    return float(np.abs(gap).sum() / len(label)) if len(label) else float("nan")


def calibration(label: npt.NDArray[np.float32], probability: Probabilities, bins: int = 15) -> list[dict[str, float]]:
    """The bins of `ece` that hold anything, as {predicted, observed, count}: mean probability, rate, rows."""
    index = np.minimum((probability * bins).astype(np.int64), bins - 1)
    count = np.bincount(index, minlength=bins)
    held = np.flatnonzero(count)
    predicted = np.bincount(index, probability, bins)[held] / count[held]
    observed = np.bincount(index, label, bins)[held] / count[held]
    return [
        {"predicted": float(p), "observed": float(o), "count": int(c)}
        for p, o, c in zip(predicted, observed, count[held], strict=True)
    ]
