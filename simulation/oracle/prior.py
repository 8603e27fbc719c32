"""Who a person may be before anything is seen of them: the population's own prior, and normal scores of its traits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from infra.contracts.draws import bits
from simulation.cognition.answering import TOPICS
from simulation.core.population import born
from simulation.core.rows import Rows
from simulation.core.traits import TRAITS as TOGETHER
from simulation.oracle.standing import standing_density
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
FIRSTS: Final = ("pressure", "trust", "memory", "studied_at", "night")
"""What a newborn begins with that lasts, scored as traits are; `night` is the length of it, minutes."""
COLUMNS: Final = len(TRAITS) + TOPICS + len(FIRSTS)
"""Scores of a supposition: of traits, of interest in each topic, and of what it began with."""
MOVED: Final = np.r_[2 : len(TRAITS), COLUMNS - len(FIRSTS) : COLUMNS]
"""Columns of what acts on hidden states: it is moved by living the past again (`reliving`)."""
_NAMED: Final = (*enumerate(TRAITS), *enumerate(FIRSTS, COLUMNS - len(FIRSTS)))
_COLUMN: Final = {name: column for column, name in _NAMED}
_TOGETHER: Final = np.array([_COLUMN[name] for name in TOGETHER])
_TOGETHER_MOVED: Final = np.flatnonzero(np.isin(MOVED, _TOGETHER))
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
        self._quantiles = {name: np.quantile(_values(people, name), shares) for name in (*TRAITS, *FIRSTS)}
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
        """float64 [newborns, COLUMNS]: normal scores of their traits, interest in each topic, and beginnings."""
        scores = generator.standard_normal((len(people), COLUMNS))
        for column, name in _NAMED:
            scores[:, column] = np.interp(_values(people, name), self._quantiles[name], _GRID)
        return scores

    def eager_mean(self, scores: Floats) -> Floats:
        """float64 [people]: the mean of the score of eagerness, given the other traits."""
        mean: Floats = scores[:, 2 : len(TRAITS)] @ self._eager_slopes
        return mean

    def give_tastes(self, people: Rows, scores: Floats) -> None:
        """Give people the eagerness and taste of their scores."""
        for column, name in enumerate(TRAITS[:2]):
            people[name] = np.interp(scores[:, column], _GRID, self._quantiles[name])

    def give(self, newborns: Rows, scores: Floats) -> None:
        """Give newborns what their scores say; nights shift with the chronotype, mood begins where it returns to."""
        chronotype, night = newborns["chronotype"].copy(), _values(newborns, "night")
        for column, name in _NAMED:
            value = np.interp(scores[:, column], _GRID, self._quantiles[name])
            if name == "night":
                half = np.rint(0.5 * (value - night)).astype(np.int64)
            else:
                newborns[name] = np.rint(value) if name == "studied_at" else value
        shift = np.rint(_HOUR * (newborns["chronotype"] - chronotype)).astype(np.int64)
        newborns["bed"] = np.mod(newborns["bed"] + shift - half, _DAY)
        newborns["wake"] = np.mod(newborns["wake"] + shift + half, _DAY)
        newborns["mood"], newborns["gloom"] = newborns["cheer"], -newborns["cheer"]

    def log_density(self, scores: Floats) -> Floats:
        """float64 [people]: log of the prior density of scores (of tastes: of eagerness only), but for a constant.

        A mixture over archetypes of Gaussian copulas (`core.traits`), and what is independent of them.
        """
        alone = np.delete(scores[:, MOVED], _TOGETHER_MOVED, axis=1)
        density: Floats = standing_density(scores[:, _TOGETHER]) - 0.5 * (alone**2).sum(axis=1)
        return density


def _values(people: Rows, name: str) -> Floats:
    """float64 [people]: what a score stands for."""
    if name != "night":
        values: Floats = people[name].astype(np.float64)
    else:
        values = np.mod(people["wake"].astype(np.float64) - people["bed"], _DAY)
    return values


def interest_share(scores: Floats, topic: int) -> Floats:
    """float64 [people]: the uniform draw that a score for a topic stands for, as `answering.liking` takes it."""
    share: Floats = ndtr(scores[:, len(TRAITS) + topic])
    return share
