"""The particle filter against the exact forward filter, where that can be written down: wandering alone."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.core.moment import Moment
from simulation.core.sources import source_field
from simulation.core.tables import record_of
from simulation.core.witness import SEEN
from simulation.oracle.cloud import Cloud
from simulation.oracle.config import OracleConfig
from simulation.oracle.prior import Prior
from simulation.oracle.steps import Minds, come_all, live_minute, sense_all
from simulation.scenarios import load

PARTICLES = 4000
TOLERANCE = 0.035
"""About four standard errors of a share of 4,000, of which resampling leaves fewer that are independent."""
MINUTES = 120


def two_states() -> tuple[NDArray[np.void], float, float, float, float]:
    """Parameters under which wandering is a Markov chain: the table, both rates, and both chances of failing."""
    k = replace(
        load("tiny").parameters(),
        wander_fatigue=0.0,
        wander_stress=0.0,
        wander_focus=0.0,
        check_fatigue=0.0,
        check_focus=0.0,
        check_depth=1e-6,
        reaction_wandering=0.0,
    )
    fails = 1.0 / (1.0 + np.exp(-k.check_base)), 1.0 / (1.0 + np.exp(-k.check_base - k.check_wandering))
    return record_of(k, source_field()), k.wander_onset, k.wander_end, *fails


def checks() -> dict[int, int]:
    """Minute → whether the check in it was passed: irregular, with runs of failures."""
    draws = np.random.default_rng(11).random(MINUTES)
    return {
        minute: int((minute // 25) % 2 == 0 or draws[minute] < 0.02) for minute in range(MINUTES) if draws[minute] < 0.2
    }


def forward(onset: float, end: float, fails: tuple[float, float], seen: dict[int, int]) -> list[float]:
    """Exact probability of wandering after each minute (Baum & Petrie 1966)."""
    wandering, found = onset / (onset + end), []
    for minute in range(MINUTES):
        if minute > 0:
            wandering = wandering * (1.0 - end) + (1.0 - wandering) * onset
        if minute in seen:
            one, other = (1.0 - fails[1], 1.0 - fails[0]) if seen[minute] else (fails[1], fails[0])
            wandering = wandering * one / (wandering * one + (1.0 - wandering) * other)
        found.append(wandering)
    return found


@pytest.fixture(scope="module")
def estimates() -> tuple[list[float], list[float]]:
    """Probability of wandering after each minute: by particles, and exactly."""
    table, onset, end, attentive, absent = two_states()
    prior = Prior(load("tiny"), 3)
    prior._quantiles["restless"] = np.ones_like(prior._quantiles["restless"])
    cloud = Cloud(prior, OracleConfig(particles=PARTICLES, first_guesses=1), 5, 0)
    prior.give(cloud.people, cloud.scores)
    seen, row, found = checks(), np.zeros(1, SEEN), []
    for minute in range(MINUTES):
        now = Moment(cloud.seed, 10_000 + minute, 600 + minute, 30)
        minds = Minds(cloud.past.noted(now.tick), cloud.likelihood, again=False)
        if minute == 0:
            come_all(cloud.view(), table, now, 1, (500, False), minds)
            cloud.weights[:] = 0.0
        else:
            live_minute(cloud.view(), table, now, ((0.0, 0.0), False), minds)
        if minute in seen:
            row["kind"], row["passed"], row["reaction"] = EventKind.ATTENTION_CHECKED, seen[minute], 300.0
            sense_all(cloud.view(), table, now, row)
        found.append(cloud.mean(cloud.people["wandering"].astype(np.float64)))
        cloud.refresh(now.tick, -1)
    return found, forward(onset, end, (attentive, absent), seen)


def test_the_chance_that_a_mind_wanders_is_that_of_the_exact_forward_filter(
    estimates: tuple[list[float], list[float]],
) -> None:
    found, exact = estimates
    assert np.ptp(exact) > 0.7
    assert np.abs(np.subtract(found, exact)).max() < TOLERANCE
    assert np.abs(np.subtract(found, exact)).mean() < TOLERANCE / 4


def test_a_filter_that_forgot_the_checks_would_be_far_off(estimates: tuple[list[float], list[float]]) -> None:
    _, exact = estimates
    _, onset, end, *_ = two_states()
    assert np.abs(np.asarray(exact) - onset / (onset + end)).max() > 10 * TOLERANCE
