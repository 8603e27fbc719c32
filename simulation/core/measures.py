"""Per-person measures of a run, in the names of `infra.contracts.metrics`."""

import numpy as np
from numpy.typing import NDArray

from simulation.core.rows import Rows

Floats = NDArray[np.float64]
_DAY = 1440.0


def measures(people: Rows, ticks: int) -> dict[str, Floats]:
    """float64 [people] per measure over the last `ticks` minutes: every metric of the contracts, and the counts behind.

    A mean of nothing (the lapse rate of somebody never checked) is NaN. Counts `checks`, `lapses`, `quizzes`,
    `reactions`, `exposures`, `sessions` and `session_minutes` are totals, so that rates over many people can be pooled.
    """
    days = max(ticks, 1) / _DAY
    per_day = {
        name: people[name] / days for name in ("focus_minutes", "errors", "answers", "offers", "practice_minutes")
    }
    means = {
        "lapse_rate": _ratio(people["lapses"], people["checks"]),
        "mood": _ratio(people["mood_sum"], people["minutes"]),
        "stress": _ratio(people["stress_sum"], people["minutes"]),
        "burden": _ratio(people["burden_sum"], people["minutes"]),
        "quiz_score": _ratio(people["quiz_sum"], people["quizzes"]),
        "reaction_ms": _ratio(people["reaction_sum"], people["reactions"]),
    }
    names = ("checks", "lapses", "quizzes", "reactions", "exposures", "sessions")
    totals = {name: people[name].astype(np.float64) for name in names}
    return per_day | means | totals | {"session_minutes": people["minutes"].astype(np.float64)}


def _ratio(total: NDArray[np.generic], count: NDArray[np.generic]) -> Floats:
    counts = count.astype(np.float64)
    result = np.full(len(counts), np.nan)
    np.divide(total.astype(np.float64), counts, out=result, where=counts > 0)
    return result
