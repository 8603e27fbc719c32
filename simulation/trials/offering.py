"""Who is treated, and a run in which the treated are offered a practice every so often."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.commands import COMMAND, Practice
from infra.contracts.draws import bits, uniform
from infra.contracts.time import TICK_US
from simulation.core import purposes
from simulation.core.model import Metaverse
from simulation.scenarios.model import Scenario

Mask = NDArray[np.bool_]
_GOOD_FOR = 1
"""Ticks an offer stays good: it reaches the person in the next one."""


@dataclass(frozen=True, kw_only=True)
class Offers:
    """What the treated are offered: `practice` of so many minutes, `every` so many minutes of the run."""

    practice: Practice = Practice.MINDFULNESS_OF_BREATH
    minutes: float = 10.0
    every: int = 60


def half_of_each(groups: NDArray[np.integer], seed: int) -> Mask:
    """A random half of each group (of an odd one, the smaller half): bool, shape as given; a function of the seed."""
    people = np.arange(len(groups))
    order = np.lexsort((uniform(seed, purposes.TRIAL_ARM, people, 0, 0), groups))
    _, first, size = np.unique(groups[order], return_index=True, return_counts=True)
    rank = np.arange(len(groups)) - np.repeat(first, size)
    treated = np.zeros(len(groups), np.bool_)
    treated[order] = rank < np.repeat(size // 2, size)
    return treated


def live_through(scenario: Scenario, seed: int, treated: Mask, offers: Offers) -> Metaverse:
    """The population after warm-up and run, the treated offered what they can be offered; measures are of the run."""
    model = Metaverse(scenario, seed)
    for _ in range(scenario.warmup_ticks):
        model.step()
    model.start_measuring()
    for tick in range(scenario.ticks):
        if treated.any() and tick % offers.every == 0:
            offer_to(model, treated, offers)
        model.step()
    return model


def offer_to(model: Metaverse, treated: Mask, offers: Offers) -> int:
    """Offer the practice to those of the treated who can be offered one now; to how many."""
    return len(model.apply(_orders(model, treated, offers)))


def _orders(model: Metaverse, treated: Mask, offers: Offers) -> pa.RecordBatch:
    people = model.people
    open_to = treated & (people["world"] > 0) & (people["practice"] == 0) & (people["offer"] == 0)
    places = np.flatnonzero(open_to)
    count = len(places)
    ids = bits(model.seed_value, purposes.TRIAL_ORDER, people["number"][places], model.tick, 0)
    columns = [
        ids,
        ids,
        model.persons_at(places),
        np.full(count, offers.practice, np.uint8),
        np.full(count, offers.minutes, np.float32),
        np.full(count, model.tick * TICK_US, np.int64),
        np.full(count, (model.tick + _GOOD_FOR) * TICK_US, np.int64),
        np.zeros(count, np.int64),
    ]
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=COMMAND.arrow)
