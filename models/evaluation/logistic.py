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

Doubles = npt.NDArray[np.float64]

STRENGTHS = (0.003, 0.03, 0.3, 3.0)
"""Inverse strengths of the L2 penalty that are tried."""
MOST_ROWS = 150_000
"""Training rows at most, drawn by a hash: some 200 coefficients do not get better from more."""
_ROWS_TO_CHOOSE = 40_000
_SHORT_WINDOW = 4
_SMALLEST_DEVIATION = 1e-6
_MOST_STEPS = 25
_ENOUGH = 1e-7  # relative gain below which Newton's method stops


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """How rows become standardised inputs: the columns of `windowed` that vary in training, their centre and scale."""

    windows: tuple[int, int]
    columns: npt.NDArray[np.int64]
    centre: Floats
    scale: Floats

    def of(self, dataset: Dataset, rows: npt.NDArray[np.int64]) -> Floats:
        """(r, columns) standardised inputs of `rows`."""
        return self.standardise(windowed(dataset.tokens, dataset.person, rows, self.windows))

    def standardise(self, raw: Floats) -> Floats:
        """(r, columns) from all columns of `windowed`."""
        inputs: Floats = raw[:, self.columns]
        inputs -= self.centre
        inputs *= self.scale
        return inputs


@dataclass(frozen=True, kw_only=True)
class LogisticBaseline:
    """A fitted baseline for one head. weights: of each input, then the intercept. `strength`: the inverse penalty."""

    inputs: Inputs
    weights: Doubles
    strength: float

    def predict(self, dataset: Dataset, rows: npt.NDArray[np.int64]) -> Doubles:
        """(r,) probabilities at `rows` of `dataset`."""
        return _probability(self.inputs.of(dataset, rows), self.weights)


def fit_logistic(dataset: Dataset, head: int, window: int, seed: int) -> LogisticBaseline:
    """Fit on the training rows of head number `head`, choose the penalty on its validation rows."""
    rows = _rows(dataset, head, Role.TRAIN, MOST_ROWS, seed)
    inputs, values = _standardised(dataset, rows, (_SHORT_WINDOW, window))
    label = dataset.value[rows, head]
    held_out = _rows(dataset, head, Role.VALIDATION, _ROWS_TO_CHOOSE, seed)
    held_out_values, held_out_label = inputs.of(dataset, held_out), dataset.value[held_out, head]
    weights, best, best_loss = None, STRENGTHS[0], np.inf
    for strength in STRENGTHS:
        weights = _solve(values[:_ROWS_TO_CHOOSE], label[:_ROWS_TO_CHOOSE], strength, weights)
        losses = log_losses(held_out_label, _probability(held_out_values, weights))
        loss = float(losses.mean()) if len(losses) else 0.0
        if loss < best_loss:
            best, best_loss = strength, loss
    return LogisticBaseline(inputs=inputs, weights=_solve(values, label, best, weights), strength=best)


def _standardised(dataset: Dataset, rows: npt.NDArray[np.int64], windows: tuple[int, int]) -> tuple[Inputs, Floats]:
    """The standardisation that `rows` give, and their inputs under it."""
    raw = windowed(dataset.tokens, dataset.person, rows, windows)
    centre, deviation = raw.mean(axis=0), raw.std(axis=0)
    columns = np.flatnonzero(deviation > _SMALLEST_DEVIATION)
    inputs = Inputs(windows=windows, columns=columns, centre=centre[columns], scale=1 / deviation[columns])
    return inputs, inputs.standardise(raw)


def _rows(dataset: Dataset, head: int, role: Role, most: int, seed: int) -> npt.NDArray[np.int64]:
    """At most `most` labelled rows of `role`, drawn and ordered by a hash of (seed, row)."""
    rows = np.flatnonzero(dataset.known[:, head] & (dataset.role == role))
    return rows[np.argsort(bits(seed, int(Purpose.SPLIT), rows, 1, 0), kind="stable")][:most]


def _solve(inputs: Floats, label: Floats, strength: float, start: Doubles | None = None) -> Doubles:
    """Weights, intercept last, that minimise strength · (sum of log losses) + |w|²/2; the intercept is not penalised.

    Newton's method from `start` (the base rate when None). Equal to scikit-learn's LogisticRegression(C=strength) (a
    test holds it) without its copies in float64: with tens of thousands of rows and some 200 columns, a handful of
    exact steps beat hundreds of gradient steps.
    """
    columns = inputs.shape[1]
    rate = float(np.clip(label.mean(), 1e-6, 1 - 1e-6))
    weights = np.append(np.zeros(columns), np.log(rate / (1 - rate))) if start is None else start
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
    return weights


def _probability(inputs: Floats, weights: Doubles) -> Doubles:
    probability: Doubles = 1 / (1 + np.exp(-_logits(inputs, weights)))
    return probability


def _logits(inputs: Floats, weights: Doubles) -> Doubles:
    logits: Doubles = (inputs @ weights[:-1].astype(np.float32)).astype(np.float64) + weights[-1]
    return logits


def _objective(inputs: Floats, label: Floats, weights: Doubles, penalty: Doubles) -> float:
    logits = _logits(inputs, weights)
    return float((np.logaddexp(0, logits) - label * logits).sum() + 0.5 * (penalty * weights**2).sum())


def _newton_step(inputs: Floats, label: Floats, weights: Doubles, penalty: Doubles) -> Doubles:
    probability = _probability(inputs, weights)
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
