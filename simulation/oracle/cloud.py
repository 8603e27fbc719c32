"""Suppositions about one person: weighted people who might be them, resampled when too few carry the weight."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import bits
from simulation.cognition.answering import TOPICS, liking
from simulation.core.rows import Rows
from simulation.core.witness import HIDDEN
from simulation.oracle.config import OracleConfig
from simulation.oracle.prior import OTHERS, TASTES, Prior, interest_share
from simulation.oracle.tastes import Memory, move_tastes

Floats = NDArray[np.float64]
_SPACING = 8
"""Between the numbers of supposed people: all rest in the same minutes (`life.REST`), whoever they stand for."""
_LEAST_STEP = 0.2


class View(NamedTuple):
    """What compiled loops get of a cloud: people, what is hidden besides, interest in a topic, and log-weights."""

    people: Rows
    hidden: Rows
    liked: Floats
    weights: Floats


class Cloud:
    """P suppositions: `people` PERSON [P], `hidden` HIDDEN [P], `scores` float64 [P, traits and topics], log-`weights`.

    In `memory` is what the person was exposed to, as each supposition has it.
    """

    def __init__(self, prior: Prior, config: OracleConfig, person: int, offset: int) -> None:
        self._prior, self._config = prior, config
        self.seed = int(bits(config.seed, 1, person, 0, 0)[0] >> np.uint64(1))
        self._generator = np.random.Generator(np.random.Philox(self.seed))
        count = config.particles * config.first_guesses
        self._take(prior.newborns(self.seed, count, offset))
        self.hidden = np.zeros(count, HIDDEN)
        self.hidden["delay"] = 1.0
        self.scores = prior.scores(self.people, self._generator)
        self.weights: Floats = np.zeros(count)
        self.memory = Memory(count)

    def view(self, item: int = -1, more: float = 0.0) -> View:
        """The cloud for a compiled loop, with its interest (and so much `more`) in the topic of an item, if any."""
        liked: Floats = np.zeros(len(self.people))
        if item >= 0:
            whole_array: Callable[[Floats], Floats] = cast(Any, liking)
            liked = whole_array(interest_share(self.scores, item % TOPICS)) + more
        return View(self.people, self.hidden, liked, self.weights)

    def copy(self, item: int, changes: tuple[str, float]) -> View:
        """A copy to try something on: a trait of everybody (or `liked`, the interest in the item) so much larger."""
        name, more = changes
        own = self.view(item, more if name == "liked" else 0.0)
        people = own.people.copy()
        if name != "liked":
            people[name] += more
        return View(people, own.hidden.copy(), own.liked, own.weights.copy())

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

    def refresh(self, tick: int, waited: int) -> None:
        """Resample where too few suppositions carry the weight; the first time there are also fewer afterwards.

        `waited`: minutes since the open exposure, -1 where none is open.
        """
        crowded = len(self.people) > self._config.particles
        if crowded or self.effective() < self._config.resample_below:
            self.resample(tick, waited)

    def resample(self, tick: int, waited: int) -> None:
        """Systematic resampling, after which traits move, so that the same few are not tried for ever.

        Tastes by Metropolis steps (`tastes`). The others, on which hidden states depend, by Liu & West (2001): their
        scores shrink towards the weighted mean by `keep` and get normal noise of the covariance that this takes away,
        and of what the weighted covariance of few suppositions lacks, so that mean and covariance stay what they were.
        """
        shares, keep = self.shares(), self._config.keep
        others = self.scores[:, OTHERS]
        mean = shares @ others
        centred = others - mean
        lack = float(shares @ shares)
        covariance = (centred * shares[:, None]).T @ centred + 1e-9 * np.eye(len(mean))
        spreads = np.sqrt(shares @ self.scores**2 - (shares @ self.scores) ** 2)
        chosen = _systematic(shares, self._config.particles, self._generator.random())
        noise = self._generator.standard_normal((len(chosen), len(mean))) @ np.linalg.cholesky(covariance).T
        self.scores = self.scores[chosen]
        self.scores[:, OTHERS] = mean + keep * centred[chosen] + np.sqrt(1.0 / (1.0 - lack) - keep * keep) * noise
        self.hidden = self.hidden[chosen]
        self.memory.take(chosen)
        self._take(self.people[chosen])
        self.weights = np.zeros(len(chosen))
        self._move_tastes(tick, waited, np.maximum(spreads, _LEAST_STEP))
        self._prior.give(self.people, self.scores)

    def _move_tastes(self, tick: int, waited: int, spreads: Floats) -> None:
        tastes = np.ascontiguousarray(self.scores[:, TASTES])
        prior = (self._prior.tables, self._prior.eager_mean(self.scores), self._prior.eager_variance)
        draw = (self.seed, tick, waited, np.ascontiguousarray(1.2 * spreads[TASTES]))
        move_tastes(tastes, self.memory.held, self.hidden, prior, draw)
        self.scores[:, TASTES] = tastes

    def _take(self, people: Rows) -> None:
        self.people = people
        self.people["number"] = _SPACING * np.arange(len(people))


def _systematic(shares: Floats, count: int, u: float) -> NDArray[np.int64]:
    """int64 [count]: indices drawn in proportion to shares, with one uniform draw (Kitagawa 1996)."""
    edges = np.cumsum(shares)
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(count) + u) / count, side="right")
