"""The parts of summary.json that are computed, not just counted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.experiments.effect import PRIMARY
from services.experiments.learning import TrainedModel


def decisions(counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """`decisions` and its two breakdowns, from `audit.decision_counts`."""
    return {
        "decisions": sum(counts["action"].values()),
        "decisions_by_action": counts["action"],
        "decisions_by_reason": counts["reason"],
    }


def model(trained: TrainedModel | None) -> dict[str, Any] | None:
    """`model`: version and quality by head; None where nothing was deployed."""
    if trained is None:
        return None
    return {"version": trained.version, "heads": trained.heads, "notes": list(trained.notes)}


def effects(differences: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`effect` (the primary metric) and `metrics` (all of them), from `effect.all_differences`."""
    primary = differences.get(PRIMARY)
    if primary is None:
        return {"effect": None, "metrics": {}}
    effect = {
        "metric": PRIMARY,
        "unit": primary["unit"],
        "difference": primary["difference"],
        "ci_low": primary["ci_low"],
        "ci_high": primary["ci_high"],
        "run": primary["run"],
        "twin": primary["twin"],
        "people": primary["pairs"],
    }
    return {"effect": effect, "metrics": differences}


def latency(round_trip_ms: NDArray[np.float64]) -> dict[str, float | str | None]:
    """`latency_ms`: from a tick's emission to its orders applied. In lockstep that is service time."""
    if len(round_trip_ms) == 0:
        return dict.fromkeys(("p50", "p95", "p99", "max")) | {"kind": "service time"}
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(round_trip_ms, [50, 95, 99]))
    return {"p50": p50, "p95": p95, "p99": p99, "max": round(float(round_trip_ms.max()), 3), "kind": "service time"}
