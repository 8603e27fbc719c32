"""Suppositions about one person: weighted people who might be them, resampled when too few carry the weight."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import bits
from simulation.cognition.answering import TOPICS, liking
from simulation.core.rows import Rows
from simulation.core.witness import HIDDEN
from simulation.oracle.config import OracleConfig
from simulation.oracle.prior import TRAITS, Floats, Prior, interest_share

_SPACING = 8
"""Between the numbers of supposed people: all come up to date in the same minute (`life.REST`), whoever they stand for."""


class View(NamedTuple):
    """What compiled loops get of a cloud: people, what is hidden besides, interest in a topic, and log-weights."""

    people: Rows
    hidden: Rows
    liked: Floats
    weights: Floats


class Cloud:
    """P suppositions: `people` PERSON [P], `hidden` HIDDEN [P], `scores` float64 [P, traits and topics], log-`weights`."""

    def __init__(self, prior: Prior, config: OracleConfig, person: int, offset: int) -> None:
        self._prior, self._config = prior, config
        key = int(bits(config.seed, 1, person, 0, 0)[0] >> np.uint64(1))
        self.seed = key
        self._generator = np.random.Generator(np.random.Philox(key))
        self._take(prior.newborns(key, config.particles * config.first_guesses, offset))
        self.hidden = np.zeros(len(self.people), HIDDEN)
        self.hidden["delay"] = 1.0
        self.scores = prior.scores(self.people, self._generator)
        self.weights: Floats = np.zeros(len(self.people))
        self._nobody: Floats = np.zeros(len(self.people))

    def view(self, item: int = -1) -> View:
        """The cloud for a compiled loop, with its interest in the topic of an item where one is given."""
        liked = self._nobody
        if item >= 0:
            liked = liking(interest_share(self.scores, item % TOPICS))  # type: ignore[arg-type]  # a whole array at once
        return View(self.people, self.hidden, liked, self.weights)

    def shares(self) -> Floats:
        """float64 [P]: the weights, adding up to 1."""
        weights: Floats = np.exp(self.weights - self.weights.max())
        weights /= weights.sum()
        return weights

    def mean(self, values: Floats) -> float:
        """Weighted mean of a value, float64 [P], over the suppositions."""
        return float(self.shares() @ values)

    def effective(self) -> float:
        """Effective share of the suppositions, 0 to 1 (Kong, Liu & Wong 1994)."""
        shares = self.shares()
        return float(1.0 / (len(shares) * (shares @ shares)))

    def refresh(self) -> None:
        """Resample where too few suppositions carry the weight; the first time there are also fewer afterwards."""
        crowded = len(self.people) > self._config.particles
        if crowded or self.effective() < self._config.resample_below:
            self.resample()

    def resample(self) -> None:
        """Systematic resampling, after which traits move a little so that the same ones are not tried for ever.

        Liu & West (2001): scores shrink towards their weighted mean by `keep` and get normal noise of the covariance
        that this takes away, so that mean and covariance of the scores stay what they were.
        """
        shares, count, keep = self.shares(), self._config.particles, self._config.keep
        mean = shares @ self.scores
        centred = self.scores - mean
        covariance = (centred * shares[:, None]).T @ centred
        chosen = _systematic(shares, count, self._generator.random())
        self.hidden = self.hidden[chosen]
        root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(mean)))
        noise = self._generator.standard_normal((count, len(mean))) @ root.T
        self.scores = mean + keep * centred[chosen] + np.sqrt(1.0 - keep * keep) * noise
        self._take(self.people[chosen])
        self._prior.give(self.people, self.scores)
        self.weights, self._nobody = np.zeros(count), np.zeros(count)

    def _take(self, people: Rows) -> None:
        self.people = people
        self.people["number"] = _SPACING * np.arange(len(people))


def _systematic(shares: Floats, count: int, u: float) -> NDArray[np.int64]:
    """int64 [count]: indices drawn in proportion to shares, with one uniform draw (Kitagawa 1996)."""
    edges = np.cumsum(shares)
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(count) + u) / count, side="right")


COLUMNS = len(TRAITS) + TOPICS
"""How many scores there are."""
