"""The same small trial over many seeds: how often the interval covers no effect, how often an effect is found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulation.scenarios import load
from simulation.scenarios.model import Scenario
from simulation.trials.intervals import Difference, welch
from simulation.trials.offering import Offers, half_of_each, live_through

METRIC = "focus_minutes"
PRACTICE_METRIC = "practice_minutes"
NOMINAL = (0.93, 0.97)
"""Where the share of covering intervals must lie: 95%, give or take three standard errors of 1,000 seeds."""
POWER = 0.95


@dataclass(frozen=True, kw_only=True)
class CoverageBench:
    """Seeds and sizes. A trial is `people` for `hours` from ten in the morning, a random half offered a practice."""

    null_seeds: int = 1000
    null_people: int = 300
    null_hours: float = 3.0
    strong_seeds: int = 100
    strong_people: int = 2000
    strong_hours: float = 8.0


def run_coverage(config: CoverageBench, progress: Callable[[int], None]) -> dict[str, Any]:
    """Share of 95% intervals that cover 0 under `null`, of trials that find the effect under `strong`; do both pass.

    An effect is found when the whole interval is above 0.
    """
    null = _differences(_small("null", config.null_people, config.null_hours), config.null_seeds, progress)
    strong = _differences(_small("strong", config.strong_people, config.strong_hours), config.strong_seeds, progress)
    covered = float(np.mean([one.covers_zero for one in null]))
    found = float(np.mean([one.ci_low > 0.0 for one in strong]))
    return {
        "metric": METRIC,
        "null": {"seeds": len(null), "covered": covered, "pass": NOMINAL[0] <= covered <= NOMINAL[1]},
        "strong": {
            "seeds": len(strong),
            "detected": found,
            "mean_difference": float(np.mean([one.difference for one in strong])),
            "pass": found >= POWER,
        },
        "pass": NOMINAL[0] <= covered <= NOMINAL[1] and found >= POWER,
    }


def trial(scenario: Scenario, seed: int, offers: Offers) -> Difference:
    """One trial: focus minutes a day of a random half that is offered practices, less those of the other half."""
    treated = half_of_each(np.zeros(scenario.people, np.int64), seed)
    measured = live_through(scenario, seed, treated, offers).measure()[METRIC]
    return welch(measured[treated], measured[~treated])


def _differences(scenario: Scenario, seeds: int, progress: Callable[[int], None]) -> list[Difference]:
    found = []
    for seed in range(seeds):
        found.append(trial(scenario, seed, Offers()))
        progress(1)
    return found


def _small(preset: str, people: int, hours: float) -> Scenario:
    sizes = {"people": str(people), "days": str(hours / 24), "warmup_days": str(1 / 24)}
    return load(preset, sizes | {"start": "2026-03-02T09:00:00Z", "utc_offsets": "[0]"})
