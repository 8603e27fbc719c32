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
from simulation.oracle.prior import OTHERS, STATES, TASTES, Prior, interest_share
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


class Tries(NamedTuple):
    """Log-odds of answering an exposure with one more of a taste: of the first supposition, `taste` of all, float64."""

    eager: Floats
    taste: Floats
    liked: Floats


class Cloud:
    """P suppositions: `people` PERSON [P], `hidden` HIDDEN [P], `scores` float64 [P, traits and topics], log-`weights`.

    At most `ahead` of them look ahead. In `memory` is what the person was exposed to, as each supposition has it.
    """

    def __init__(self, prior: Prior, config: OracleConfig, person: int, offset: int) -> None:
        self._prior, self._config = prior, config
        self.ahead = config.ahead
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

    def copy(self, item: int, name: str, count: int) -> View:
        """A copy of the first `count`, to try one more of a trait on, or of `liked`, the interest in the item."""
        own = self.view(item, 1.0 if name == "liked" else 0.0)
        people = own.people[:count].copy()
        if name != "liked":
            people[name] += 1.0
        return View(people, own.hidden[:count].copy(), own.liked[:count], own.weights[:count].copy())

    def remember(self, topic: int, tries: Tries) -> None:
        """Keep an exposure to a topic that has just opened, and by how much each taste moves its log-odds."""
        logit = self.hidden["logit"]
        slopes = (float(tries.eager[0] - logit[0]), tries.taste - logit, float(tries.liked[0] - logit[0]))
        self.memory.add(topic, slopes, self.hidden)

    def shares(self) -> Floats:
        """float64 [P]: the weights, adding up to 1."""
        weights: Floats = np.exp(self.weights - self.weights.max())
        weights /= weights.sum()
        return weights

    def mean(self, values: Floats) -> float:
        """Weighted mean of a value, float64 [P], over the suppositions."""
        return float(self.shares() @ values)

    def thinned(self, count: int) -> NDArray[np.int64]:
        """int64 [at most count]: suppositions chosen in proportion to their weights, all where there are no more."""
        if len(self.people) <= count:
            return np.arange(len(self.people))
        return _systematic(self.shares(), count, 0.5)

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

        Tastes by Metropolis steps (`tastes`); the others, and the hidden states that nothing stirs, by `_shaken`.
        """
        shares = self.shares()
        spreads = np.sqrt(shares @ self.scores**2 - (shares @ self.scores) ** 2)
        chosen = _systematic(shares, self._config.particles, self._generator.random())
        moved = self._shaken(shares, chosen)
        self.scores = self.scores[chosen]
        self.scores[:, OTHERS] = moved[:, : len(OTHERS)]
        self.hidden = self.hidden[chosen]
        self.memory.take(chosen)
        self._take(self.people.take(chosen))
        self.weights = np.zeros(len(chosen))
        self._move_tastes(tick, waited, np.maximum(spreads, _LEAST_STEP))
        self._prior.give(self.people, self.scores)
        for column, name in enumerate(STATES, len(OTHERS)):
            self.people[name] = np.clip(moved[:, column], 0.0, 1.0)

    def _shaken(self, shares: Floats, chosen: NDArray[np.int64]) -> Floats:
        """Scores of the traits and slow states of the chosen, float64 [chosen, traits and states], moved together.

        Liu & West (2001): values shrink towards the weighted mean by `keep` and get normal noise of the covariance that
        this takes away, and of what the weighted covariance of few suppositions lacks. So mean and covariance stay, but
        for a little more spread: the mean of few is itself off by as much, and who does not allow for that is too sure
        (in ensembles: inflation, Anderson & Anderson 1999).
        """
        keep, lack = self._config.keep, float(shares @ shares)
        values = np.column_stack([self.scores[:, OTHERS], *(self.people[name] for name in STATES)])
        mean = shares @ values
        centred = values - mean
        covariance = (centred * shares[:, None]).T @ centred + 1e-9 * np.eye(len(mean))
        noise = self._generator.standard_normal((len(chosen), len(mean))) @ np.linalg.cholesky(covariance).T
        moved: Floats = mean + keep * centred[chosen]
        moved += np.sqrt((1.0 + lack) / (1.0 - lack) - keep * keep) * noise
        return moved

    def _move_tastes(self, tick: int, waited: int, spreads: Floats) -> None:
        tastes = np.ascontiguousarray(self.scores[:, TASTES])
        prior = (self._prior.tables, self._prior.eager_mean(self.scores), self._prior.eager_variance)
        draw = (self.seed, tick, waited, np.ascontiguousarray(1.2 * spreads[TASTES]))
        room = (np.empty(self.memory.used), np.empty(self.memory.used))
        move_tastes(tastes, self.memory.held, self.hidden, prior, draw, room)
        self.scores[:, TASTES] = tastes

    def _take(self, people: Rows) -> None:
        self.people = people
        self.people["number"] = _SPACING * np.arange(len(people))


def _systematic(shares: Floats, count: int, u: float) -> NDArray[np.int64]:
    """int64 [count]: indices drawn in proportion to shares, with one uniform draw (Kitagawa 1996)."""
    edges = np.cumsum(shares)
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(count) + u) / count, side="right")
