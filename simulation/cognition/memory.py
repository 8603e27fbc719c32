"""What lessons leave behind: it is forgotten as a power of the time since, and lasts the longer the more was spaced.

The memory model is version 4 of FSRS (the free spaced repetition scheduler; after Wozniak's two components of memory
and Ye, Su & Cao 2022), with the weights that it publishes as its defaults, fitted to reviews of flash cards. Where it
takes the grade that a learner gives, there is the attention that was paid.
"""

import math

from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import MINUTES_A_DAY
from simulation.cognition.rhythm import clamp
from simulation.core.compiled import kernel
from simulation.core.person import Person

MOST_ATTENDED = 100
"""Attended minutes that are counted of a lesson at most; lessons are far shorter."""


@kernel
def retention(p: Person, tick: int) -> float:
    """Share of what earlier lessons taught that is still there: .9 after `memory` days, half after nine times as many.

    0 for whoever had no lesson yet.
    """
    if p.memory <= 0.0:
        return 0.0
    return 1.0 / (1.0 + (tick - p.studied_at) / (9.0 * MINUTES_A_DAY * p.memory))


@kernel
def hardness(p: Person, level: float) -> float:
    """How hard something of this difficulty is for this person, 0 to 1; 0.5 where it matches their ability."""
    return clamp(0.5 + level - p.ability, 0.0, 1.0)


@kernel
def attend(p: Person, minutes: int) -> None:
    """So many minutes of a lesson with the mind on it."""
    p.attended = min(p.attended + minutes, MOST_ATTENDED)


@kernel
def attention_paid(p: Person, tick: int) -> float:
    """Share of the lesson since `doing_since` in which the mind was on it, 0 to 1; one half at its beginning."""
    return clamp((p.attended + 1.0) / (tick - p.doing_since + 2.0), 0.0, 1.0)


@kernel
def learn(p: Person, k: Parameters, tick: int, attention: float, hard: float) -> None:
    """A lesson is over: what was there lasts longer, most where it was nearly forgotten, and is fresh again.

    `attention` is the share of the lesson that was attended to, `hard` its `hardness`, both in [0, 1].
    """
    if p.memory <= 0.0:
        p.memory = k.memory_least + (k.memory_first - k.memory_least) * attention
        p.studied_at = tick
        return
    lost = 1.0 - retention(p, tick)
    spacing = math.exp(k.memory_spacing * lost) - 1.0
    saturation = math.exp(-k.memory_saturation * math.log(p.memory))
    growth = math.exp(k.memory_growth) * (10.0 - 9.0 * hard) * saturation * spacing
    p.memory *= 1.0 + attention * growth
    p.studied_at = tick - int((1.0 - attention) * (tick - p.studied_at))
