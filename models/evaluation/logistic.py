"""Logistic regression on the same inputs as the model: the simple model that a better one must beat.

It sees the current token (features, kind and item one-hot) and its means over the last 4 and the last W tokens. Its
strength of regularisation is chosen on the validation people, as the model's early stopping is.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infra.contracts.draws import Purpose, bits
from models.evaluation.metrics import log_losses
from models.evaluation.windows import Floats, windowed
from models.training.dataset import Dataset
from models.training.split import Role

STRENGTHS = (0.003, 0.03, 0.3, 3.0)
"""Inverse strengths of the L2 penalty that are tried."""
MOST_ROWS = 150_000
"""Training rows at most, drawn by a hash: some 200 coefficients do not get better from more."""
_ROWS_TO_CHOOSE = 40_000
_SHORT_WINDOW = 4
_SMALLEST_DEVIATION = 1e-6
_MOST_STEPS = 25
_ENOUGH = 1e-8  # relative gain below which Newton's method stops


@dataclass(frozen=True, kw_only=True)
class LogisticBaseline:
    """A fitted baseline for one head. `strength` is the inverse penalty that validation chose."""

    windows: tuple[int, int]
    centre: Floats
    scale: Floats
    coefficients: npt.NDArray[np.float64]
    intercept: float
    strength: float

    def predict(self, dataset: Dataset, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """(r,) probabilities at `rows` of `dataset`."""
        inputs = (windowed(dataset.tokens, dataset.person, rows, self.windows) - self.centre) * self.scale
        logits = inputs @ self.coefficients + self.intercept
        probability: npt.NDArray[np.float64] = 1 / (1 + np.exp(-logits))
        return probability


def fit_logistic(dataset: Dataset, head: int, window: int, seed: int) -> LogisticBaseline:
    """Fit on the training rows of head number `head`, choose the penalty on its validation rows."""
    train = _rows(dataset, head, Role.TRAIN, MOST_ROWS, seed)
    choose = _rows(dataset, head, Role.VALIDATION, _ROWS_TO_CHOOSE, seed)
    windows = (_SHORT_WINDOW, window)
    inputs = windowed(dataset.tokens, dataset.person, train, windows)
    centre, deviation = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(deviation > _SMALLEST_DEVIATION, 1 / np.maximum(deviation, _SMALLEST_DEVIATION), 0)
    scale = scale.astype(np.float32)
    inputs = (inputs - centre) * scale
    label = dataset.value[train, head]

    def fitted(strength: float, rows: int) -> LogisticBaseline:
        coefficients, intercept = _solve(inputs[:rows], label[:rows], strength)
        return LogisticBaseline(
            windows=windows,
            centre=centre,
            scale=scale,
            coefficients=coefficients,
            intercept=intercept,
            strength=strength,
        )

    strengths = STRENGTHS if len(choose) else (STRENGTHS[len(STRENGTHS) // 2],)
    best = min(strengths, key=lambda strength: _loss(fitted(strength, _ROWS_TO_CHOOSE), dataset, choose, head))
    return fitted(best, len(train))


def _rows(dataset: Dataset, head: int, role: Role, most: int, seed: int) -> npt.NDArray[np.int64]:
    """At most `most` labelled rows of `role`, drawn and ordered by a hash of (seed, row)."""
    rows = np.flatnonzero(dataset.known[:, head] & (dataset.role == role))
    return rows[np.argsort(bits(seed, int(Purpose.SPLIT), rows, 1, 0), kind="stable")][:most]


def _loss(fitted: LogisticBaseline, dataset: Dataset, rows: npt.NDArray[np.int64], head: int) -> float:
    if not len(rows):
        return 0.0
    return float(log_losses(dataset.value[rows, head], fitted.predict(dataset, rows)).mean())


def _solve(inputs: Floats, label: Floats, strength: float) -> tuple[npt.NDArray[np.float64], float]:
    """Minimise strength · (sum of log losses) + |w|²/2 by Newton's method; the intercept is not penalised.

    Equal to scikit-learn's LogisticRegression(C=strength) (a test holds it) without its copies in float64: with tens
    of thousands of rows and some 200 columns, a handful of exact steps beat hundreds of gradient steps.
    """
    columns = inputs.shape[1]
    rate = float(np.clip(label.mean(), 1e-6, 1 - 1e-6))
    weights = np.zeros(columns + 1)
    weights[-1] = np.log(rate / (1 - rate))
    penalty = np.append(np.full(columns, 1 / strength), 0.0)
    objective = _objective(inputs, label, weights, penalty)
    for _ in range(_MOST_STEPS):
        step = _newton_step(inputs, label, weights, penalty)
        size = 1.0
        while (value := _objective(inputs, label, weights - size * step, penalty)) > objective and size > 1e-4:
            size /= 2
        gain, objective, weights = objective - value, value, weights - size * step
        if gain < _ENOUGH * abs(objective):
            break
    return weights[:-1], float(weights[-1])


def _logits(inputs: Floats, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    logits: npt.NDArray[np.float64] = (inputs @ weights[:-1].astype(np.float32)).astype(np.float64) + weights[-1]
    return logits


def _objective(
    inputs: Floats, label: Floats, weights: npt.NDArray[np.float64], penalty: npt.NDArray[np.float64]
) -> float:
    logits = _logits(inputs, weights)
    return float((np.logaddexp(0, logits) - label * logits).sum() + 0.5 * (penalty * weights**2).sum())


def _newton_step(
    inputs: Floats, label: Floats, weights: npt.NDArray[np.float64], penalty: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    probability = 1 / (1 + np.exp(-_logits(inputs, weights)))
    error = (probability - label).astype(np.float32)
    curve = (probability * (1 - probability)).astype(np.float32)
    gradient = np.asarray(np.append(error @ inputs, error.sum()), dtype=np.float64) + penalty * weights
    hessian = np.zeros((len(weights), len(weights)))
    weighted = inputs * curve[:, None]
    hessian[:-1, :-1] = inputs.T @ weighted
    hessian[-1, :-1] = hessian[:-1, -1] = weighted.sum(axis=0)
    hessian[-1, -1] = curve.sum()
    hessian[np.diag_indices_from(hessian)] += penalty + 1e-6
    return np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
