"""Who a person may be before anything is seen of them: the population's own prior, and normal scores of its traits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from infra.contracts.draws import bits
from simulation.cognition.answering import TOPICS
from simulation.core.population import born
from simulation.core.rows import Rows
from simulation.scenarios.model import Scenario

Floats = NDArray[np.float64]
TRAITS: Final = (
    "eager",
    "taste",
    "control",
    "restless",
    "reactive",
    "cheer",
    "receptive",
    "gain",
    "chronotype",
    "gaze_bias",
    "tempo",
    "ability",
)
"""Traits that are scored, those that only answers show first. `bed` and `wake` move with `chronotype`; `trust` and the
first states of a newborn are lived on from, not moved."""
TASTES: Final = np.r_[0:2, len(TRAITS) : len(TRAITS) + TOPICS]
"""Columns of scores that `tastes` moves: eagerness, taste, and interest in each topic."""
OTHERS: Final = np.arange(2, len(TRAITS))
"""Columns of the traits that act on hidden states."""
STATES: Final = ("pressure", "effort")
"""Hidden states that nothing stirs: what a supposition begins with lasts for hours, so they run out as traits do."""
_SAMPLE = 20_000
_GRID = np.linspace(-3.9, 3.9, 313)
_HOUR = 60.0
_DAY = 1440


class Prior:
    """Draws newborns, and goes between traits and their normal scores: z = Φ⁻¹(F(trait)), F the prior's own margin.

    In scores every trait is standard normal before anything is seen, whatever its law in the population (cut, skewed,
    a mixture): moving scores never leaves the range of a trait. The margins come from a sample of the newborns.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        people = born(scenario, int(bits(seed, 0, 0, 0, 0)[0] >> np.uint64(1)), np.arange(_SAMPLE, dtype=np.int64))
        shares = ndtr(_GRID)
        self._quantiles = {name: np.quantile(people[name], shares) for name in TRAITS}
        self.tables: Floats = np.stack([self._quantiles["eager"], self._quantiles["taste"]])
        """float64 [2, points]: eagerness and taste by score, as `tastes.value_of` takes them."""
        traits = np.stack([np.interp(people[name], self._quantiles[name], _GRID) for name in TRAITS])
        covariance = np.cov(traits)
        self._eager_slopes = np.linalg.solve(covariance[2:, 2:], covariance[2:, 0])
        self.eager_variance = float(covariance[0, 0] - covariance[0, 2:] @ self._eager_slopes)
        """Variance of the score of eagerness once the other traits are known."""

    def newborns(self, seed: int, count: int, offset: int) -> Rows:
        """`count` people of the population, PERSON records, in a time zone; draws of their own, no circle."""
        people = born(self._scenario, seed, np.arange(count, dtype=np.int64))
        people["offset"] = offset
        people["circle"] = 0
        return people

    def scores(self, people: Rows, generator: np.random.Generator) -> Floats:
        """float64 [people, traits and topics]: normal scores of their traits, and of their interest in each topic."""
        scores = np.empty((len(people), len(TRAITS) + TOPICS))
        for column, name in enumerate(TRAITS):
            scores[:, column] = np.interp(people[name], self._quantiles[name], _GRID)
        scores[:, len(TRAITS) :] = generator.standard_normal((len(people), TOPICS))
        return scores

    def eager_mean(self, scores: Floats) -> Floats:
        """float64 [people]: the mean of the score of eagerness, given the other traits."""
        mean: Floats = scores[:, 2 : len(TRAITS)] @ self._eager_slopes
        return mean

    def give(self, people: Rows, scores: Floats) -> None:
        """Give people the traits of their scores; nights shift with the chronotype."""
        before = people["chronotype"].copy()
        for column, name in enumerate(TRAITS):
            people[name] = np.interp(scores[:, column], _GRID, self._quantiles[name])
        shift = np.rint(_HOUR * (people["chronotype"] - before)).astype(np.int64)
        for name in ("bed", "wake"):
            people[name] = np.mod(people[name].astype(np.int64) + shift, _DAY)


def interest_share(scores: Floats, topic: int) -> Floats:
    """float64 [people]: the uniform draw that a score for a topic stands for, as `answering.liking` takes it."""
    share: Floats = ndtr(scores[:, len(TRAITS) + topic])
    return share
