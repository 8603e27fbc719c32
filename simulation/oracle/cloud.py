"""Suppositions about one person: weighted people who might be them, resampled when too few carry the weight."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import bits
from simulation.cognition.answering import TOPICS, liking
from simulation.core.rows import Rows
from simulation.core.witness import HIDDEN
from simulation.oracle.config import OracleConfig
from simulation.oracle.past import Past
from simulation.oracle.prior import TASTES, Prior, interest_share
from simulation.oracle.tastes import Memory, move_tastes

Floats = NDArray[np.float64]
SPACING = 8
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
    """P suppositions: `people` PERSON [P], `hidden` HIDDEN [P], `scores` float64 [P, COLUMNS], log-`weights` since they
    were last resampled, `likelihood` float64 [P]: log of all that was seen before, and of minds wandering as they did.

    At most `ahead` of them look ahead; the past is lived again at most `lives` times. In `memory` is what the person
    was exposed to, as each supposition has it; `past` is what lies behind it.
    """

    people: Rows
    hidden: Rows
    scores: Floats
    weights: Floats
    likelihood: Floats
    memory: Memory
    _alike: NDArray[np.int64]

    def __init__(self, prior: Prior, config: OracleConfig, person: int, offset: int) -> None:
        self._prior, self._config = prior, config
        self.ahead, self.lives = config.ahead, config.lives
        self.seed = int(bits(config.seed, 1, person, 0, 0)[0] >> np.uint64(1))
        self._generator = np.random.Generator(np.random.Philox(self.seed))
        births = prior.newborns(self.seed, config.particles * config.first_guesses, offset)
        self._whose, self.past = np.arange(len(births)), Past(births)
        scores, people = prior.scores(births, self._generator), births.copy()
        prior.give(people, scores)
        self.begin(people, scores, Memory(len(births)))

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

    def refresh(self, tick: int, waited: int) -> bool:
        """Resample where too few suppositions carry the weight; the first time there are also fewer afterwards.

        `waited`: minutes since the open exposure, -1 where none is open. Returns whether that was done.
        """
        crowded = len(self.people) > self._config.particles
        due = crowded or self.effective() < self._config.resample_below
        if due:
            self.resample(tick, waited)
        return due

    def resample(self, tick: int, waited: int) -> None:
        """Systematic resampling, after which tastes move, so that the same few are not tried for ever."""
        shares = self.shares()
        spreads = np.sqrt(np.maximum(shares @ self.scores**2 - (shares @ self.scores) ** 2, 0.0))
        chosen = _systematic(shares, self._config.particles, self._generator.random())
        self.past.branch(tick, chosen)
        self.scores, self.hidden, self._whose = self.scores[chosen], self.hidden[chosen], self._whose[chosen]
        self.likelihood, self._alike = (self.likelihood + self.weights)[chosen], self._alike[chosen]
        self.memory.take(chosen)
        self._take(self.people.take(chosen))
        self.weights = np.zeros(len(chosen))
        self._move_tastes(tick, waited, np.maximum(spreads, _LEAST_STEP))
        self._prior.give_tastes(self.people, self.scores)

    def reborn(self, scores: Floats) -> "Cloud":
        """The same suppositions as newborns again, with these scores."""
        again = copy.copy(self)
        people = self.past.births.take(self._whose)
        self._prior.give(people, scores)
        again.begin(people, scores, self.memory.again())
        return again

    def adopt(self, other: "Cloud", where: NDArray[np.bool_]) -> None:
        """Take over the suppositions of another cloud that has lived the same, where bool [P] says so."""
        self.scores[where], self.hidden[where] = other.scores[where], other.hidden[where]
        self.people[where] = other.people[where]
        self._take(self.people)
        self.likelihood[where] = other.likelihood[where]
        self.memory.adopt(other.memory, where)

    def log_prior(self) -> Floats:
        """float64 [P]: log-density of the scores before anything was seen, but for tastes and a constant."""
        return self._prior.log_density(self.scores)

    def begin(self, people: Rows, scores: Floats, memory: Memory) -> None:
        """All are newborns, of whom nothing has been seen."""
        self.scores, self.memory = scores, memory
        self._take(people)
        self.hidden = np.zeros(len(people), HIDDEN)
        self.hidden["delay"] = 1.0
        self.weights = np.zeros(len(people))
        self.likelihood = np.zeros(len(people))
        self.moved_apart()

    def distinct(self) -> float:
        """Share of the suppositions that have traits of their own since `moved_apart`."""
        return len(np.unique(self._alike)) / len(self._alike)

    def moved_apart(self) -> None:
        """All have traits of their own."""
        self._alike = np.arange(len(self.weights))

    def _move_tastes(self, tick: int, waited: int, spreads: Floats) -> None:
        tastes = np.ascontiguousarray(self.scores[:, TASTES])
        prior = (self._prior.tables, self._prior.eager_mean(self.scores), self._prior.eager_variance)
        draw = (self.seed, tick, waited, np.ascontiguousarray(1.2 * spreads[TASTES]))
        room = (np.empty(self.memory.used), np.empty(self.memory.used), self.likelihood)
        move_tastes(tastes, self.memory.held, self.hidden, prior, draw, room)
        self.scores[:, TASTES] = tastes

    def _take(self, people: Rows) -> None:
        self.people = people
        self.people["number"] = SPACING * np.arange(len(people))


def _systematic(shares: Floats, count: int, u: float) -> NDArray[np.int64]:
    """int64 [count]: indices drawn in proportion to shares, with one uniform draw (Kitagawa 1996)."""
    edges = np.cumsum(shares)
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(count) + u) / count, side="right")
