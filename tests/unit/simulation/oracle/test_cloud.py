"""Resampling: what a cloud supposes stays what it was, and is not narrowed to what a few suppositions hold."""

import numpy as np
import pytest
from numpy.typing import NDArray

from simulation.oracle.cloud import Cloud
from simulation.oracle.config import OracleConfig
from simulation.oracle.prior import OTHERS, STATES, Prior
from simulation.scenarios import load

PARTICLES = 4000
CONTROL = 2


@pytest.fixture(scope="module")
def prior() -> Prior:
    """Of the demo's population."""
    return Prior(load("demo"), 3)


def weighed(prior: Prior, person: int) -> Cloud:
    """A cloud in which pressure goes with control, and some weigh far more than others."""
    cloud = Cloud(prior, OracleConfig(particles=PARTICLES, first_guesses=1), person, 0)
    control = cloud.scores[:, CONTROL]
    cloud.people["pressure"] = 0.35 + 0.03 * control + 0.01 * np.sin(np.arange(PARTICLES))
    cloud.weights = -0.5 * ((control - 0.7) / 0.6) ** 2
    return cloud


def moments(cloud: Cloud) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean and covariance of the score of control and of pressure."""
    both = np.stack([cloud.scores[:, CONTROL], cloud.people["pressure"]])
    return both @ cloud.shares(), np.cov(both, aweights=cloud.shares())


def test_resampling_keeps_mean_and_covariance_of_traits_and_slow_states(prior: Prior) -> None:
    cloud = weighed(prior, 1)
    before, spread = moments(cloud)
    for tick in range(3):
        cloud.resample(1000 + tick, -1)
    after, spread_after = moments(cloud)
    assert after == pytest.approx(before, abs=0.03)
    assert spread_after == pytest.approx(spread, rel=0.15)


def test_after_resampling_no_two_suppose_the_same_pressure(prior: Prior) -> None:
    cloud = weighed(prior, 2)
    cloud.weights = np.where(np.arange(PARTICLES) < 40, 0.0, -30.0)
    cloud.resample(1000, -1)
    for name in STATES[:1]:
        assert len(np.unique(cloud.people[name])) == PARTICLES
    assert len(np.unique(cloud.scores[:, OTHERS[0]])) == PARTICLES


def test_the_spread_after_resampling_allows_for_a_mean_that_rests_on_few(prior: Prior) -> None:
    # Scores are standard normal. A mean over 20 is off by 1/20: to cover the truth, the spread must be 1 + 1/20.
    few, spreads = 20, []
    for person in range(80):
        cloud = Cloud(prior, OracleConfig(particles=500, first_guesses=1), person, 0)
        cloud.weights = np.where(np.arange(500) < few, 0.0, -30.0)
        cloud.resample(1000, -1)
        spreads.append(cloud.scores[:, OTHERS].var(axis=0).mean())
    assert np.mean(spreads) == pytest.approx(1.0 + 1.0 / few, abs=0.035)


def test_whoever_is_chosen_to_look_ahead_stands_for_their_weight(prior: Prior) -> None:
    cloud = weighed(prior, 4)
    chosen = cloud.thinned(500)
    assert len(chosen) == 500
    shares = cloud.shares()
    assert (np.abs(np.bincount(chosen, minlength=PARTICLES) - 500 * shares) < 1.0).all()
    assert np.array_equal(cloud.thinned(PARTICLES), np.arange(PARTICLES))
