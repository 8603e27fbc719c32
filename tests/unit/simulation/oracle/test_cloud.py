"""Resampling: what a cloud supposes stays what it was, and is not narrowed to what a few suppositions hold."""

import numpy as np
import pytest
from numpy.typing import NDArray

from simulation.oracle.cloud import Cloud
from simulation.oracle.config import OracleConfig
from simulation.oracle.prior import Prior
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


def test_resampling_keeps_mean_and_covariance_of_traits_and_states(prior: Prior) -> None:
    cloud = weighed(prior, 1)
    before, spread = moments(cloud)
    for tick in range(3):
        cloud.resample(1000 + tick, -1)
    after, spread_after = moments(cloud)
    assert after == pytest.approx(before, abs=0.03)
    assert spread_after == pytest.approx(spread, rel=0.15)


def test_the_cloud_knows_how_many_have_traits_of_their_own(prior: Prior) -> None:
    cloud = weighed(prior, 2)
    cloud.weights = np.where(np.arange(PARTICLES) < 40, 0.0, -30.0)
    assert cloud.distinct() == 1.0
    cloud.resample(1000, -1)
    assert cloud.distinct() == pytest.approx(40 / PARTICLES)
    assert len(np.unique(cloud.scores[:, CONTROL])) == 40
    cloud.moved_apart()
    assert cloud.distinct() == 1.0


def test_the_past_says_whose_draws_a_supposition_has_lived_by(prior: Prior) -> None:
    cloud = weighed(prior, 5)
    ids = np.arange(PARTICLES)
    for tick in range(3):
        cloud.weights = np.where(np.arange(PARTICLES) % 3 == tick, 0.0, -5.0)
        cloud.people["command"] = ids if tick == 0 else cloud.people["command"]
        cloud.resample(1000 + tick, -1)
    places = cloud.past.places()
    assert [epoch.since for epoch in cloud.past.epochs] == [0, 1001, 1002, 1003]
    assert np.array_equal(places[0], cloud.people["command"])
    assert np.array_equal(places[-1], ids)


def test_whoever_is_chosen_to_look_ahead_stands_for_their_weight(prior: Prior) -> None:
    cloud = weighed(prior, 4)
    chosen = cloud.thinned(500)
    assert len(chosen) == 500
    shares = cloud.shares()
    assert (np.abs(np.bincount(chosen, minlength=PARTICLES) - 500 * shares) < 1.0).all()
    assert np.array_equal(cloud.thinned(PARTICLES), np.arange(PARTICLES))
