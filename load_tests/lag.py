"""Lag: events sent and not yet scored, and whether it grows.

Shape legend: n, m times of single events; w windows of equal length, one after another.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from load_tests.executions.logs import Micros

GROWTH_SHARE: Final = 0.01
_FEWEST: Final = 5
RULE: Final = (
    f"lag grows when the least-squares slope of its mean over each second is above {GROWTH_SHARE:.0%} of the rate "
    f"and above two of its standard errors, over at least {_FEWEST} seconds"
)


@dataclass(frozen=True)
class Trend:
    """Slope of the lag, events per second of load, its standard error, and the verdict of RULE (None: too short)."""

    slope: float | None
    error: float | None
    grows: bool | None


def mean_lag(sent_us: Micros, scored_us: Micros, edges_us: Micros) -> NDArray[np.float64]:
    """Mean of (events sent − events scored) over each window between `edges_us` (w+1,), exactly: (w,).

    `sent_us` (n,) and `scored_us` (m,) are the moments at which single events were sent and scored, in any order. A
    mean over the whole window, because a reading at an instant depends on where between two slices it falls.
    """
    inside = _area(np.sort(sent_us), edges_us) - _area(np.sort(scored_us), edges_us)
    mean: NDArray[np.float64] = np.diff(inside) / np.diff(edges_us)
    return mean


def trend(lag: NDArray[np.float64], rate: float) -> Trend:
    """Whether lag (w,), a second apart, grows under a load of `rate` events/s, by RULE."""
    count = len(lag)
    if count < _FEWEST:
        return Trend(None, None, None)
    x = np.arange(count) - (count - 1) / 2
    spread = float((x**2).sum())
    slope = float((x * lag).sum()) / spread
    residual = lag - lag.mean() - slope * x
    error = float(np.sqrt((residual**2).sum() / (count - 2) / spread))
    return Trend(slope, error, slope > GROWTH_SHARE * rate and slope > 2 * error)


def _area(moments: Micros, at: Micros) -> NDArray[np.float64]:
    """∫ N(t) dt up to each of `at`, where N counts the sorted moments passed; event·µs, relative to the first edge."""
    origin = at[0]
    relative = moments - origin
    passed = np.searchsorted(relative, at - origin, side="left")
    sums = np.concatenate([[0], np.cumsum(relative)])
    area: NDArray[np.float64] = (passed * (at - origin) - sums[passed]).astype(np.float64)
    return area
