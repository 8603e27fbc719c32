"""Traits that shape hidden states, tried anew: a supposition lives its whole past again with other traits.

Resampling copies traits and never makes new ones. Here they move by Metropolis steps that leave their distribution,
given all that has been seen, what it is (resample-move: Gilks & Berzuini 2001). A supposition is taken for (scores,
when the mind wandered, all other draws); the past is lived again with other scores and the same rest, and what was
seen, and that the mind wandered as it did, are weighed anew. Draws are counter-based: the same numbers have the same.
"""

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulation.core.moment import Moment
from simulation.core.rows import Rows
from simulation.oracle.cloud import SPACING, Cloud
from simulation.oracle.following import Following, Given
from simulation.oracle.prior import MOVED
from simulation.oracle.steps import Minds

Floats = NDArray[np.float64]
_TRIES: Final = 3
"""Metropolis steps at a time."""
_DISTINCT: Final = 0.5
"""Share of suppositions with traits of their own below which it is time for them."""
_FIRST_MINUTES: Final = 10
"""Minutes of sessions that are lived again more often than later ones: there is little of them, and much to learn."""
_WIDER: Final = 1.2
"""Variance of proposals against that of the suppositions: a little more, because theirs is known from few."""
_NARROWEST: Final = 1e-4
_LEAST: Final = 0.4
"""Sizes of steps, in standard deviations, are from here to 1: a step of 1 forgets where it began."""
_SHARES: Final = (0.07, 0.15, 0.3)
"""Of scores that move where few do."""


class Reliving(Following):
    """Lives the past of a cloud again, from birth to the end of the tick `until`, with scores float64 [P, COLUMNS].

    `cloud` is what the suppositions have become then, and its `weights` the log-likelihood of all that was seen.
    """

    def __init__(self, given: Given, until: int, scores: Floats) -> None:
        book, cloud, line, span, around = given
        line = replace(line, rows=line.rows[: np.searchsorted(line.rows["tick"], until, side="right")])
        super().__init__(book, cloud.reborn(scores), line, range(span.start, until + 1), around)
        self._past, self._places, self._epoch = cloud.past, cloud.past.places(), -1

    @property
    def cloud(self) -> Cloud:
        """What the suppositions have become."""
        return self._cloud

    def _begins(self, tick: int) -> None:
        epochs = self._past.epochs
        before = self._epoch
        while self._epoch + 1 < len(epochs) and epochs[self._epoch + 1].since <= tick:
            self._epoch += 1
        if self._epoch != before:
            self._cloud.people["number"] = SPACING * self._places[self._epoch]

    def _expose(self, item: int, seen: Rows, now: Moment) -> None:
        # By how much tastes move the log-odds is as it was: that depends on tones, which are drawn.
        self._watch(self._cloud.view(item), seen, now)
        self._cloud.memory.repeat(self._cloud.hidden)

    def _minds(self, now: Moment) -> Minds:
        wandered = self._past.epochs[self._epoch].wandered[now.tick][self._places[self._epoch]]
        return Minds(wandered, self._cloud.likelihood, again=True)


class Reviser:
    """Moves the traits of a cloud now and then; `given` is what whoever follows the person is given.

    `revised`: how often; `steps`: minutes that suppositions have lived again.
    """

    def __init__(self, given: Given) -> None:
        self._given, self._cloud, self._lives = given, given.cloud, given.cloud.lives
        self._generator = np.random.Generator(np.random.Philox(self._cloud.seed + 1))
        self._covariance: Floats = np.eye(len(MOVED))
        self._minutes = 0
        self.revised = self.steps = 0

    def due(self) -> bool:
        """Whether so many suppositions share their traits that it is worth it, and `lives` still allows for it."""
        minutes = self._cloud.past.minutes()
        affordable = self._minutes + _TRIES * minutes <= self._lives * (minutes + _FIRST_MINUTES)
        return bool(affordable and self._cloud.distinct() < _DISTINCT)

    def revise(self, tick: int) -> None:
        """Just after resampling at the end of a tick, when all weigh the same: try other scores, some times."""
        self._covariance = 0.5 * (self._covariance + np.cov(self._cloud.scores[:, MOVED].T))
        for _ in range(_TRIES):
            self._try(tick)
        self._cloud.moved_apart()
        self.revised += 1

    def _try(self, tick: int) -> None:
        """A Metropolis step of every supposition."""
        cloud = self._cloud
        scores, gain = propose(cloud.scores, self._covariance, self._generator)
        reliving = Reliving(self._given, tick, scores)
        reliving.follow()
        self._minutes += cloud.past.minutes()
        self.steps += reliving.steps
        other = reliving.cloud
        other.likelihood += other.weights
        gain += other.log_prior() - cloud.log_prior() + other.likelihood - cloud.likelihood
        cloud.adopt(other, np.log(1.0 - self._generator.random(len(gain))) < gain)


def propose(scores: Floats, covariance: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Other scores float64 [P, COLUMNS], and the log of how much more probable the way back is, float64 [P].

    Half of the suppositions, at random, move as a whole by the `covariance` of `MOVED`, the others in a few scores by
    that of the prior, which finds the way back to it where little is known and the cloud has become too narrow.
    """
    old = scores[:, MOVED]
    whole, gain = _around(old, covariance, generator)
    single, gain_single = _alone(old, generator)
    which = generator.random(len(old)) < 0.5
    moved = scores.copy()
    moved[:, MOVED] = np.where(which[:, None], whole, single)
    return moved, np.where(which, gain, gain_single)


def _autoregression(old: Floats, size: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """A step that leaves standard normal values what they are: what the true law is against that is left to weigh."""
    new = np.sqrt(1.0 - size**2) * old + size * generator.standard_normal(old.shape)
    return new, 0.5 * ((new**2).sum(axis=1) - (old**2).sum(axis=1))


def _sizes(count: int, generator: np.random.Generator) -> Floats:
    return np.exp(generator.uniform(math.log(_LEAST), 0.0, (count, 1)))


def _around(old: Floats, covariance: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """All scores move around the mean of the cloud."""
    mean = old.mean(axis=0)
    root = np.linalg.cholesky(_WIDER * covariance + _NARROWEST * np.eye(len(mean)))
    standard = np.linalg.solve(root, (old - mean).T).T
    moved, gain = _autoregression(standard, _sizes(len(old), generator), generator)
    return mean + moved @ root.T, gain


def _alone(old: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """A few scores move, at random, the others stay."""
    share = generator.choice(_SHARES, (len(old), 1))
    size = np.where(generator.random(old.shape) < share, _sizes(len(old), generator), 0.0)
    return _autoregression(old, size, generator)
