"""The effect of a policy: paired differences between a run and its no-intervention twin, person by person."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from infra.contracts.metrics import METRICS

PRIMARY = "focus_minutes"
_LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences with its 95% interval, both means, and the number of pairs."""

    run: float
    twin: float
    difference: float
    ci_low: float
    ci_high: float
    pairs: int


def paired_difference(run: NDArray[np.float64], twin: NDArray[np.float64]) -> Difference:
    """Student's paired interval of mean(run - twin) over people; shapes (N,). NaN on either side drops the pair.

    The two arms share their random numbers, so that only what the policy changed is left in a difference. People
    who influence each other are not independent, and the interval does not know of it.
    """
    both = np.isfinite(run) & np.isfinite(twin)
    differences = run[both] - twin[both]
    count = int(both.sum())
    if count == 0:
        return Difference(np.nan, np.nan, np.nan, np.nan, np.nan, 0)
    mean = float(differences.mean())
    half = _half_width(differences)
    return Difference(float(run[both].mean()), float(twin[both].mean()), mean, mean - half, mean + half, count)


def all_differences(
    run: dict[str, NDArray[np.float64]], twin: dict[str, NDArray[np.float64]]
) -> dict[str, dict[str, Any]]:
    """`paired_difference` of every metric that both arms measured, by name, as plain values."""
    names = [name for name in METRICS if name in run and name in twin]
    return {
        name: {"unit": METRICS[name].unit, "better": METRICS[name].better}
        | asdict(paired_difference(run[name], twin[name]))
        for name in names
    }


def _half_width(differences: NDArray[np.float64]) -> float:
    if len(differences) < 2:
        return float("nan")
    error = float(differences.std(ddof=1)) / len(differences) ** 0.5
    quantile: float = stats.t.ppf(0.5 + _LEVEL / 2, len(differences) - 1)
    return float(quantile * error)
