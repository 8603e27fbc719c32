"""Living the past again: with the same traits it is the same past, and traits end up where they should."""

import numpy as np
import pytest
from numpy.typing import NDArray

from simulation.oracle.cloud import Cloud
from simulation.oracle.filter import PersonFilter
from simulation.oracle.laws import LawBook
from simulation.oracle.prior import MOVED, TRAITS, Prior
from simulation.oracle.reliving import Reliving, Reviser
from simulation.scenarios import load
from tests.unit.simulation.oracle.conftest import CONFIG, Consulted

CONTROL = TRAITS.index("control")


class Filtered:
    """The busiest person of a recording, filtered."""

    def __init__(self, consulted: Consulted) -> None:
        recording = consulted.recording
        line = max(recording.lines, key=lambda line: len(line.rows))
        self.cloud = Cloud(Prior(consulted.scenario, CONFIG.seed), CONFIG, 3, line.offset)
        self.last = recording.span.stop - 1
        around = recording.around[line.person]
        self.filter = PersonFilter(LawBook(consulted.scenario), self.cloud, line, recording.span, around)
        self.filter.run()

    def again(self, scores: NDArray[np.float64]) -> Cloud:
        """The suppositions with other scores and the same past otherwise."""
        reliving = Reliving(self.filter.given, self.last, scores)
        reliving.follow()
        return reliving.cloud


@pytest.fixture(scope="module")
def filtered(consulted: Consulted) -> Filtered:
    """Once for all tests."""
    return Filtered(consulted)


def test_a_past_lived_again_with_the_same_traits_is_the_same(filtered: Filtered) -> None:
    cloud, again = filtered.cloud, filtered.again(filtered.cloud.scores)
    assert len(cloud.past.epochs) > 10
    assert filtered.filter.revised > 3
    for name in cloud.people.dtype.names or ():
        assert np.array_equal(again.people[name], cloud.people[name]), name
    assert again.memory.held.logit == pytest.approx(cloud.memory.held.logit, abs=1e-9)
    told, told_again = cloud.likelihood + cloud.weights, again.likelihood + again.weights
    assert told_again == pytest.approx(told, abs=1e-8)
    assert told.std() > 0.5


def test_with_more_control_the_past_is_another_in_which_minds_wandered_as_they_did(filtered: Filtered) -> None:
    cloud = filtered.cloud
    scores = cloud.scores.copy()
    scores[:, CONTROL] += 0.5
    again = filtered.again(scores)
    assert np.array_equal(again.people["wandering"], cloud.people["wandering"])
    assert np.array_equal(again.people["wander_since"], cloud.people["wander_since"])
    assert (again.people["focus"] > cloud.people["focus"]).mean() > 0.9
    assert not np.allclose(again.likelihood + again.weights, cloud.likelihood + cloud.weights, atol=0.01)


def test_moving_gives_suppositions_traits_of_their_own_that_their_past_bears_out(filtered: Filtered) -> None:
    cloud = filtered.cloud
    cloud.resample(filtered.last, -1)
    before = len(np.unique(cloud.scores[:, CONTROL]))
    Reviser(filtered.filter.given).revise(filtered.last)
    assert len(np.unique(cloud.scores[:, CONTROL])) > before + 20
    again = filtered.again(cloud.scores)
    assert again.likelihood + again.weights == pytest.approx(cloud.likelihood + cloud.weights, abs=1e-8)
    assert np.array_equal(again.people["focus"], cloud.people["focus"])


def test_the_density_of_scores_is_that_of_newborns() -> None:
    # Metropolis steps under the prior alone must leave newborns what they are: margins, and what goes together.
    prior, generator = Prior(load("demo"), 3), np.random.default_rng(4)
    born = prior.scores(prior.newborns(7, 6000, 0), generator)
    moved = born.copy()
    for _ in range(25):
        tried = moved.copy()
        tried[:, MOVED] += 0.4 * generator.standard_normal((len(born), len(MOVED)))
        gain = prior.log_density(tried) - prior.log_density(moved)
        where = np.log(generator.random(len(born))) < gain
        moved[where] = tried[where]
    assert (moved[:, CONTROL] != born[:, CONTROL]).mean() > 0.95
    assert np.cov(moved[:, MOVED].T) == pytest.approx(np.cov(born[:, MOVED].T), abs=0.08)
    assert moved.mean(axis=0) == pytest.approx(born.mean(axis=0), abs=0.06)
