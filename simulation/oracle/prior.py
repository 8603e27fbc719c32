"""Who a person may be before anything is seen of them: the population's own prior, and normal scores of its traits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from infra.contracts.draws import bits
from simulation.cognition.answering import TOPICS
from simulation.core.person import PERSON
from simulation.core.population import born
from simulation.core.rows import Rows
from simulation.scenarios.model import Scenario

Floats = NDArray[np.float64]
TRAITS: Final = (
    "control",
    "restless",
    "reactive",
    "cheer",
    "eager",
    "taste",
    "receptive",
    "gain",
    "chronotype",
    "gaze_bias",
    "tempo",
    "ability",
)
"""Traits that are scored. `bed` and `wake` move with `chronotype`."""
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

    def give(self, people: Rows, scores: Floats) -> None:
        """Give people the traits of their scores; nights shift with the chronotype."""
        before = people["chronotype"].copy()
        for column, name in enumerate(TRAITS):
            people[name] = np.interp(scores[:, column], _GRID, self._quantiles[name])
        shift = np.rint(_HOUR * (people["chronotype"] - before)).astype(np.int32)
        for name in ("bed", "wake"):
            people[name] = np.mod(people[name] + shift, _DAY)


def interest_share(scores: Floats, topic: int) -> Floats:
    """float64 [people]: the uniform draw that a score for a topic stands for, as `answering.liking` takes it."""
    share: Floats = ndtr(scores[:, len(TRAITS) + topic])
    return share


def score_of_share(share: Floats) -> Floats:
    """The inverse of `interest_share` for one topic."""
    score: Floats = ndtri(share)
    return score


STATES: Final = tuple(name for name in PERSON.names or () if name not in TRAITS)
"""Everything of a person that is not scored."""
