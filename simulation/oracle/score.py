"""How good predictions are: log loss, area under the curve, calibration; and how sure a difference is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
BINS = 15
_SMALLEST = 1e-12


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


def calibration(label: NDArray[np.generic], probability: Floats) -> list[dict[str, float]]:
    """Equal-width bins that hold anything: mean probability `predicted`, rate `observed`, rows `count`."""
    index = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    count = np.bincount(index, minlength=BINS)
    held = np.flatnonzero(count)
    predicted = np.bincount(index, probability, BINS)[held] / count[held]
    observed = np.bincount(index, label, BINS)[held] / count[held]
    columns = zip(predicted.tolist(), observed.tolist(), count[held].tolist(), strict=True)
    return [{"predicted": p, "observed": o, "count": c} for p, o, c in columns]


def ece(label: NDArray[np.generic], probability: Floats) -> float:
    """Expected calibration error (Guo et al. 2017, eq. 5): mean over rows of |rate - mean probability| of the bin.

    With true probabilities in the place of labels it has the same expectation in each bin, and less noise.
    """
    bins = calibration(label, probability)
    rows = sum(each["count"] for each in bins)
    return sum(each["count"] * abs(each["predicted"] - each["observed"]) for each in bins) / rows if rows else np.nan


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
        "ece": {
            "observable": ece(label, observable),
            "latent": ece(label, latent),
            "observable_against_truth": ece(latent, observable),
        },
        "calibration": calibration(label, observable),
    }
