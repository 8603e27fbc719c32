"""Accuracies of classifiers with intervals, and of two on the same rows with a test of the difference."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from models.evaluation.bootstrap import mean_by_person

Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Accuracy:
    """A share of rows that are right, with its 95% interval (Wilson 1927)."""

    value: float
    ci_low: float
    ci_high: float

    def as_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """Accuracy of one classifier minus that of another on the same rows.

    The interval is a paired bootstrap over rows (95%, percentiles). `only_first` and `only_second` count the rows that
    one of them alone has right, and `p_value` is McNemar's exact test of these two (two-sided).
    """

    value: float
    ci_low: float
    ci_high: float
    only_first: int
    only_second: int
    p_value: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def accuracy(right: Right) -> Accuracy:
    """Accuracy and interval of `right` (n,), n at least 1."""
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return Accuracy(float(right.mean()), float(interval.low), float(interval.high))


def difference(first: Right, second: Right, seed: int) -> Difference:
    """`first` (n,) minus `second` (n,), the same rows in the same order; `seed` is of the bootstrap."""
    rows = np.arange(len(first), dtype=np.uint64)
    interval = mean_by_person(first.astype(np.float64) - second.astype(np.float64), rows, seed)
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    disagree = only_first + only_second
    p_value = float(binomtest(only_first, disagree).pvalue) if disagree else 1.0
    return Difference(interval.mean, interval.ci_low, interval.ci_high, only_first, only_second, p_value)
