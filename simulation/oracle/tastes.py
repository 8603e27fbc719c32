"""What a person answers, remembered by every supposition, so that its tastes can be tried anew against all of it.

Eagerness, taste and interests are many, never change, and show only in answers: resampling alone would soon leave a
handful of them, and predictions too sure of themselves. They act on nothing but the log-odds of answering, linearly.
So, given what else a supposition supposes, the likelihood of everything answered so far follows from a few numbers an
exposure, and a Metropolis step of each taste leaves their distribution what it is (resample-move: Gilks & Berzuini
2001, §3). An exposure is kept as (noticed, log-odds, and how much each taste moves those).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.cognition.answering import TOPICS, answered_within, liking
from simulation.cognition.rhythm import clamp, logistic
from simulation.core import purposes
from simulation.core.compiled import compiled, kernel
from simulation.core.draws import spread, uniform
from simulation.core.rows import Rows

Floats = NDArray[np.float64]
NOT, ANSWERED, OPEN = 0, 1, 2
"""What became of an exposure."""
EAGER, TASTE, LIKES = 0, 1, 2
"""Columns of the tastes' scores: eagerness, taste, and interest in each topic."""
_ROOT_2 = math.sqrt(2.0)
_ROOM = 32


class Exposures(NamedTuple):
    """Exposures so far: by exposure `topic` int64 [n], `outcome` int64 [n], `eager` and `like` float64 [n] (how much
    one of each adds to the log-odds); by supposition and exposure `noticed`, `logit`, `taste` float64 [P, n].
    """

    topic: NDArray[np.int64]
    outcome: NDArray[np.int64]
    eager: Floats
    like: Floats
    noticed: Floats
    logit: Floats
    taste: Floats


class Memory:
    """The exposures of one person, growing; the last one may be open."""

    def __init__(self, particles: int, arrays: Exposures | None = None) -> None:
        self.used = 0
        self._arrays = _room(particles, _ROOM) if arrays is None else arrays

    @property
    def held(self) -> Exposures:
        """What is kept, whole arrays cut to what is used."""
        held, used = self._arrays, self.used
        return Exposures(
            topic=held.topic[:used],
            outcome=held.outcome[:used],
            eager=held.eager[:used],
            like=held.like[:used],
            noticed=held.noticed[:, :used],
            logit=held.logit[:, :used],
            taste=held.taste[:, :used],
        )

    def add(self, topic: int, slopes: tuple[float, Floats, float], hidden: Rows) -> None:
        """An exposure that is open now: `slopes` of the log-odds in (eagerness, taste [P], interest)."""
        if self.used == len(self._arrays.topic):
            self._grow()
        at, held = self.used, self._arrays
        held.topic[at], held.outcome[at] = topic, OPEN
        held.eager[at], held.like[at] = slopes[0], slopes[2]
        held.noticed[:, at], held.logit[:, at], held.taste[:, at] = hidden["noticed"], hidden["logit"], slopes[1]
        self.used += 1

    def again(self) -> "Memory":
        """The same exposures, to be lived again in their order (`repeat`)."""
        held = self._arrays
        arrays = held._replace(noticed=held.noticed.copy(), logit=held.logit.copy(), outcome=held.outcome.copy())
        return Memory(len(held.logit), arrays)

    def repeat(self, hidden: Rows) -> None:
        """The next of them is open again."""
        at, held = self.used, self._arrays
        held.outcome[at] = OPEN
        held.noticed[:, at], held.logit[:, at] = hidden["noticed"], hidden["logit"]
        self.used += 1

    def settle(self, outcome: int) -> None:
        """The open exposure was answered, or will not be."""
        self._arrays.outcome[self.used - 1] = outcome

    def take(self, chosen: NDArray[np.int64]) -> None:
        """Keep these suppositions."""
        held = self._arrays
        self._arrays = held._replace(noticed=held.noticed[chosen], logit=held.logit[chosen], taste=held.taste[chosen])

    def adopt(self, other: "Memory", where: NDArray[np.bool_]) -> None:
        """Take over what other suppositions of the same exposures have, where bool [P] says so."""
        mine, yours = self.held, other.held
        mine.noticed[where] = yours.noticed[where]
        mine.logit[where] = yours.logit[where]

    def _grow(self) -> None:
        old = self._arrays
        new = _room(old.noticed.shape[0], 2 * len(old.topic))
        for before, after in zip(old, new, strict=True):
            after[..., : before.shape[-1]] = before
        self._arrays = new


def _room(particles: int, exposures: int) -> Exposures:
    size = (particles, exposures)
    return Exposures(
        topic=np.zeros(exposures, np.int64),
        outcome=np.zeros(exposures, np.int64),
        eager=np.zeros(exposures),
        like=np.zeros(exposures),
        noticed=np.zeros(size),
        logit=np.zeros(size),
        taste=np.zeros(size),
    )


@kernel
def value_of(column: int, score: float, tables: Floats) -> float:
    """Eagerness, taste or interest of a normal score; `tables` float64 [2, points], quantiles on a grid from -3.9."""
    if column >= LIKES:
        return liking(0.5 * math.erfc(-score / _ROOT_2))
    last = tables.shape[1] - 1
    at = min(max((score + 3.9) / 7.8 * last, 0.0), last - 1e-9)
    low = int(at)
    return float(tables[column, low] + (at - low) * (tables[column, low + 1] - tables[column, low]))


@kernel
def _fit(outcome: int, noticed: float, logit: float, come: float) -> float:
    """Likelihood of what became of an exposure, .005 to .995; `come`: share of the answers that have come by now."""
    chance = clamp(noticed * logistic(logit), 0.005, 0.99)
    if outcome == ANSWERED:
        return chance
    return 1.0 - chance * (come if outcome == OPEN else 1.0)


@kernel
def _slope(kept: Exposures, place: int, at: int, column: int) -> float:
    """How much one more of the column's value adds to the log-odds of an exposure."""
    if column == EAGER:
        return float(kept.eager[at])
    if column == TASTE:
        return float(kept.taste[place, at])
    return float(kept.like[at]) if kept.topic[at] == column - LIKES else 0.0


@kernel
def _gain(kept: Exposures, place: int, step: tuple[int, float, float], fits: Floats, tried: Floats) -> float:
    """Log-likelihood ratio of everything answered, with a taste moved; `step` is (its column, by how much, share come).

    `fits` float64 [n] are the likelihoods now, `tried` gets those after the step. Ratios are multiplied, not their
    logarithms added, as far as a float goes: that is most of the time here.
    """
    column, more, come = step
    gain, ratio = 0.0, 1.0
    for at in range(kept.topic.shape[0]):
        by = more * _slope(kept, place, at, column)
        tried[at] = fits[at]
        if by != 0.0:
            tried[at] = _fit(kept.outcome[at], kept.noticed[place, at], kept.logit[place, at] + by, come)
            ratio *= tried[at] / fits[at]
            if ratio < 1e-100 or ratio > 1e100:
                gain += math.log(ratio)
                ratio = 1.0
    return gain + math.log(ratio)


@kernel
def _accept(kept: Exposures, place: int, column: int, more: float) -> None:
    """A taste has moved: so do the log-odds."""
    for at in range(kept.topic.shape[0]):
        kept.logit[place, at] += more * _slope(kept, place, at, column)


@compiled
def move_tastes(
    scores: Floats,
    kept: Exposures,
    hidden: Rows,
    prior: tuple[Floats, Floats, float],
    draw: tuple[int, int, int, Floats],
    room: tuple[Floats, Floats, Floats],
) -> int:
    """One Metropolis step of each taste of each supposition; returns how many were taken.

    `scores` float64 [P, 2 + topics] is moved in place, and with it the log-odds of `kept` and of the open exposure in
    `hidden`. `prior`: (quantile tables, prior mean of the score of eagerness [P], its variance); all other scores are
    standard normal. `draw`: (seed, tick, minutes since the open exposure, size of the steps [2 + topics]).
    `room`: two buffers float64 [n] for the likelihoods of the exposures, now and with a step, and the log-likelihood of
    everything seen float64 [P], to which is added what steps have gained.
    """
    tables, centre, variance = prior
    seed, tick, waited, sizes = draw
    taken, count = 0, kept.topic.shape[0]
    fits, tried, likelihood = room
    for place in range(scores.shape[0]):
        come = answered_within(hidden[place].delay, waited)
        for at in range(count):
            fits[at] = _fit(kept.outcome[at], kept.noticed[place, at], kept.logit[place, at], come)
        for column in range(LIKES + TOPICS):
            old = scores[place, column]
            new = old + sizes[column] * spread(uniform(seed, purposes.ORACLE, place, tick, 2 * column))
            more = value_of(column, new, tables) - value_of(column, old, tables)
            if column == EAGER:
                gain = ((old - centre[place]) ** 2 - (new - centre[place]) ** 2) / (2.0 * variance)
            else:
                gain = 0.5 * (old * old - new * new)
            fit = _gain(kept, place, (column, more, come), fits, tried)
            if math.log(1.0 - uniform(seed, purposes.ORACLE, place, tick, 2 * column + 1)) < gain + fit:
                taken += 1
                likelihood[place] += fit
                scores[place, column] = new
                _accept(kept, place, column, more)
                for at in range(count):
                    fits[at] = tried[at]
        if count and kept.outcome[count - 1] == OPEN:
            h = hidden[place]
            h.logit = kept.logit[place, count - 1]
            h.chance = clamp(h.noticed * logistic(h.logit), 0.005, 0.99)
    return taken
