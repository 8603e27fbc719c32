"""Half of every circle is treated: what reaches the other half, against the twin in which nobody is."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.contracts.metrics import METRICS
from simulation.scenarios.model import Scenario
from simulation.trials.intervals import clustered
from simulation.trials.offering import Offers, half_of_each, live_through

MEASURED = ("stress", "mood", "focus_minutes", "lapse_rate")
PRIMARY = "stress"


def run_interference(scenario: Scenario, seed: int, offers: Offers) -> dict[str, Any]:
    """Differences to the untreated twin with the same random numbers, of the treated half and of the other half.

    Intervals are clustered by circle. `moved`: whether the interval of the untreated half's stress excludes 0.
    """
    nobody = np.zeros(scenario.people, np.bool_)
    twin = live_through(scenario, seed, nobody, offers)
    circles = twin.people["circle"].copy()
    treated = half_of_each(circles, seed)
    run = live_through(scenario, seed, treated, offers)
    measured, without = run.measure(), twin.measure()
    differences = {name: measured[name] - without[name] for name in MEASURED}
    untreated = _arm(differences, circles, ~treated)
    low, high = untreated[PRIMARY]["ci_low"], untreated[PRIMARY]["ci_high"]
    return {
        "scenario": scenario.name,
        "seed": seed,
        "people": scenario.people,
        "circles": len(np.unique(circles)),
        "offers": int(run.people["offers"].sum()),
        "treated_half": _arm(differences, circles, treated),
        "untreated_half": untreated,
        "moved": bool(low > 0.0 or high < 0.0),
    }


def _arm(
    differences: dict[str, NDArray[np.float64]], circles: NDArray[np.integer], arm: NDArray[np.bool_]
) -> dict[str, dict[str, Any]]:
    return {
        name: asdict(clustered(values[arm], circles[arm])) | {"unit": METRICS[name].unit}
        for name, values in differences.items()
    }
