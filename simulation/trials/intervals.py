"""Intervals of differences in means."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """A difference of two means with its 95% interval."""

    difference: float
    ci_low: float
    ci_high: float

    @property
    def covers_zero(self) -> bool:
        """Whether no difference is within the interval."""
        return self.ci_low <= 0.0 <= self.ci_high


def welch(treated: NDArray[np.float64], untreated: NDArray[np.float64]) -> Difference:
    """Mean of `treated` less mean of `untreated`, shapes (N,) and (M,), variances not assumed equal (Welch 1947)."""
    difference = float(treated.mean() - untreated.mean())
    parts = [float(arm.var(ddof=1)) / len(arm) for arm in (treated, untreated)]
    variance = sum(parts)
    if variance == 0.0:
        return Difference(difference, difference, difference)
    freedom = variance**2 / sum(part**2 / (len(arm) - 1) for part, arm in zip(parts, (treated, untreated), strict=True))
    return _around(difference, variance**0.5, freedom)


def clustered(differences: NDArray[np.float64], cluster: NDArray[np.integer]) -> Difference:
    """Mean of paired differences (N,), whose interval takes clusters (N,), not people, as independent; NaN is left out.

    The mean is over people; its standard error is that of the cluster totals about it (Liang & Zeger 1986).
    """
    known = np.isfinite(differences)
    values, groups = differences[known], cluster[known]
    mean = float(values.mean())
    labels, place = np.unique(groups, return_inverse=True)
    totals = np.bincount(place, values - mean)
    count = len(labels)
    error = float((count / (count - 1) * (totals**2).sum()) ** 0.5) / len(values)
    return _around(mean, error, count - 1)


def _around(mean: float, error: float, freedom: float) -> Difference:
    half = float(stats.t.ppf(0.5 + LEVEL / 2, freedom)) * error
    return Difference(mean, mean - half, mean + half)
