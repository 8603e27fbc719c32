"""How good predictions are: log loss, area under the curve, calibration; and how sure a difference is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_] | Floats
Binning = Callable[[Floats], NDArray[np.int64]]
BINS = 15
"""Of calibration: Guo et al. (2017) take 15."""
_SMALLEST = 1e-12
_FLIPS = 1000


def log_losses(label: NDArray[np.bool_], probability: Floats) -> Floats:
    """float64 [n]: log loss of each label, nats."""
    p = np.clip(probability, _SMALLEST, 1.0 - _SMALLEST)
    losses: Floats = -np.where(label, np.log(p), np.log1p(-p))
    return losses


def auc(label: NDArray[np.bool_], probability: Floats) -> float:
    """Area under the ROC curve (Mann & Whitney 1947), ties counted half; NaN with one class."""
    ones, zeros = int(label.sum()), int((~label).sum())
    if not ones or not zeros:
        return float("nan")
    return float((rankdata(probability)[label].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def equal_width(probability: Floats) -> NDArray[np.int64]:
    """int64 [n]: the bin of each probability, of `BINS` equally wide ones."""
    index: NDArray[np.int64] = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    return index


def equal_mass(probability: Floats) -> NDArray[np.int64]:
    """int64 [n]: the bin of each probability, of `BINS` that hold about as many rows each; equal ones stay together."""
    edges = np.quantile(probability, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, probability, side="right")


def calibration(label: Labels, probability: Floats) -> list[dict[str, float]]:
    """Equal-width bins that hold anything: mean probability `predicted`, rate `observed`, rows `count`."""
    index = equal_width(probability)
    count = np.bincount(index, minlength=BINS)
    held = np.flatnonzero(count)
    predicted = np.bincount(index, probability, BINS)[held] / count[held]
    observed = np.bincount(index, label, BINS)[held] / count[held]
    columns = zip(predicted.tolist(), observed.tolist(), count[held].tolist(), strict=True)
    return [{"predicted": p, "observed": o, "count": c} for p, o, c in columns]


def ece(label: Labels, probability: Floats, binning: Binning = equal_width) -> float:
    """Expected calibration error (Guo et al. 2017, eq. 5): mean over rows of |rate - mean probability| of the bin.

    With true probabilities in the place of labels it has the same expectation in each bin, and less noise.
    """
    if not len(label):
        return float("nan")
    off = np.bincount(binning(probability), label - probability, BINS)
    return float(np.abs(off).sum() / len(label))


def ece_by_chance(
    label: Labels, probability: Floats, person: NDArray[np.integer[Any]], binning: Binning = equal_width
) -> dict[str, float]:
    """What the ECE of a perfectly calibrated predictor would be on these rows: `mean`, and `high` (95% are below).

    The wild bootstrap by clusters (Liu 1988; Cameron, Gelbach & Miller 2008): under perfect calibration what a person's
    labels are off by is 0 on average in every bin, so its sign is flipped at random, for all rows of a person at once.
    Labels drawn row by row would say less: rows of a person share checks and states of mind, and are not independent.
    """
    _, whose = np.unique(person, return_inverse=True)
    off = np.zeros((int(whose.max(initial=-1)) + 1, BINS))
    np.add.at(off, (whose, binning(probability)), label - probability)
    signs = np.random.default_rng(_FLIPS).choice([-1.0, 1.0], (_FLIPS, len(off)))
    errors = np.abs(signs @ off).sum(axis=1) / len(label)
    return {"mean": float(errors.mean()), "high": float(np.quantile(errors, 0.95))}


@dataclass(frozen=True)
class Difference:
    """A mean over rows with its 95% interval; people, not rows, are taken as independent."""

    mean: float
    ci_low: float
    ci_high: float

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return {"mean": self.mean, "ci_low": self.ci_low, "ci_high": self.ci_high}


def paired(values: Floats, person: NDArray[np.integer[Any]]) -> Difference:
    """Interval of the mean of row-wise differences, by the normal law of a ratio of sums over people (Cochran 1977)."""
    _, whose = np.unique(person, return_inverse=True)
    people = int(whose.max(initial=-1)) + 1
    if people < 2:
        return Difference(float(values.mean()) if len(values) else np.nan, np.nan, np.nan)
    mean = float(values.mean())
    residual = np.bincount(whose, values) - mean * np.bincount(whose)
    error = float(np.sqrt(people / (people - 1) * (residual @ residual)) / len(values))
    return Difference(mean, mean - 1.96 * error, mean + 1.96 * error)


def judge(
    label: NDArray[np.bool_], observable: Floats, latent: Floats, person: NDArray[np.integer[Any]]
) -> dict[str, Any]:
    """Everything about one head's predictions, the base rate's and the latent oracle's, on the same rows."""
    if not len(label):
        return {"rows": 0}
    base = np.full(len(label), label.mean())
    losses = {"base_rate": base, "observable": observable, "latent": latent}
    by = {name: log_losses(label, values) for name, values in losses.items()}
    return {
        "rows": len(label),
        "rate": float(label.mean()),
        "log_loss": {name: float(values.mean()) for name, values in by.items()},
        "base_less_observable": paired(by["base_rate"] - by["observable"], person).as_dict(),
        "observable_less_latent": paired(by["observable"] - by["latent"], person).as_dict(),
        "auc": {"observable": auc(label, observable), "latent": auc(label, latent)},
        "ece": errors(label, observable, latent, person, equal_width),
        "ece_equal_mass": errors(label, observable, latent, person, equal_mass),
        "calibration": calibration(label, observable),
    }


def errors(
    label: NDArray[np.bool_], observable: Floats, latent: Floats, person: NDArray[np.integer[Any]], binning: Binning
) -> dict[str, Any]:
    """Calibration errors by labels and against the truth, and by how much chance alone would give in each."""
    pairs: dict[str, tuple[Labels, Floats]] = {
        "observable": (label, observable),
        "latent": (label, latent),
        "observable_against_truth": (latent, observable),
    }
    found: dict[str, Any] = {name: ece(*pair, binning) for name, pair in pairs.items()}
    return found | {"by_chance": {name: ece_by_chance(*pair, person, binning) for name, pair in pairs.items()}}
