"""Per-person measures of a run, in the names of `infra.contracts.metrics`."""

import numpy as np
from numpy.typing import NDArray

from simulation.cognition import scales
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
        "lapses_per_hour": 60.0 * _ratio(people["lapses"], people["minutes"]),
    }
    last = {
        "depression": depression_score(people),
        "anxiety": anxiety_score(people),
        "dropout": people["left"].astype(np.float64),
    }
    names = ("checks", "lapses", "quizzes", "reactions", "exposures", "sessions")
    totals = {name: people[name].astype(np.float64) for name in names}
    return per_day | means | last | totals | {"session_minutes": people["minutes"].astype(np.float64)}


def depression_score(people: Rows) -> Floats:
    """Points of a PHQ-like scale, 0 to 27, float64 [people]: the same line as `scales.depression_severity`."""
    severity = scales.DEPRESSION_BASE + scales.DEPRESSION_SLOPE * people["gloom"]
    return np.asarray(3.0 * scales.DEPRESSION_ITEMS * np.clip(severity, 0.0, 1.0))


def anxiety_score(people: Rows) -> Floats:
    """Points of a GAD-like scale, 0 to 21, float64 [people]: the same line as `scales.anxiety_severity`."""
    severity = scales.ANXIETY_BASE + scales.ANXIETY_SLOPE * people["worry"] + scales.ANXIETY_GLOOM * people["gloom"]
    return np.asarray(3.0 * scales.ANXIETY_ITEMS * np.clip(severity, 0.0, 1.0))


def _ratio(total: NDArray[np.generic], count: NDArray[np.generic]) -> Floats:
    counts = count.astype(np.float64)
    result = np.full(len(counts), np.nan)
    np.divide(total.astype(np.float64), counts, out=result, where=counts > 0)
    return result
