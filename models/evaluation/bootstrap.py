"""The paired bootstrap by person: rows of one person are not independent, people are."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

RESAMPLES = 1_000
_AT_ONCE = 100  # resamples whose counts are in memory together


@dataclass(frozen=True)
class Interval:
    """A mean with its 95% percentile interval; NaN bounds with fewer than two people."""

    mean: float
    ci_low: float
    ci_high: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN becomes None."""
        return {name: None if np.isnan(value) else value for name, value in asdict(self).items()}


def mean_by_person(
    value: npt.NDArray[np.float64], person: npt.NDArray[np.uint64], seed: int, resamples: int = RESAMPLES
) -> Interval:
    """Interval of the mean over rows of `value` (n,), people resampled with replacement. Paired: pass differences.

    The mean of a resample is a ratio of sums over its people, so people with many rows count by their rows.
    """
    _, whose = np.unique(person, return_inverse=True)
    people = int(whose.max(initial=-1)) + 1
    if people < 2:
        return Interval(float(value.mean()) if len(value) else float("nan"), float("nan"), float("nan"))
    total, rows = np.bincount(whose, value, people), np.bincount(whose, minlength=people)
    random = np.random.default_rng(seed)
    means = []
    for first in range(0, resamples, _AT_ONCE):
        size = min(_AT_ONCE, resamples - first)
        times = random.multinomial(people, np.full(people, 1 / people), size=size)
        means.append((times @ total) / (times @ rows))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Interval(float(value.mean()), float(low), float(high))
