"""The day of a person: asleep or awake, and the circadian part of alertness and mood."""

import math

import numpy as np

from simulation.cognition.parameters import Parameters
from simulation.core.compiled import kernel
from simulation.core.person import Person

DAY = 1440
COSINE = np.array([math.cos(2.0 * math.pi * minute / DAY) for minute in range(DAY)])
"""Cosine over the minutes of a day: looked up, because everybody needs it every minute."""


@kernel
def local_minute(p: Person, minute: int) -> int:
    """Local minute of the day, 0 to 1439, from the UTC minute of the day."""
    return (minute + p.offset) % DAY


@kernel
def asleep(p: Person, local: int) -> bool:
    """Whether the person sleeps at this local minute; the night may or may not span midnight."""
    if p.bed > p.wake:
        return local >= p.bed or local < p.wake
    return p.bed <= local < p.wake


@kernel
def alertness(p: Person, k: Parameters, local: int) -> float:
    """Circadian part of alertness, -1 to 1: a cosine that peaks at `circadian_peak` hours, later for late types."""
    return float(COSINE[(local - int(60.0 * (k.circadian_peak + p.chronotype))) % DAY])


@kernel
def mood_of_day(p: Person, local: int) -> float:
    """Two peaks a day, early morning and late night (Golder & Macy 2011): a cosine of half a day, -1 to 1."""
    return float(COSINE[2 * (local - int(60.0 * (8.0 + 0.5 * p.chronotype))) % DAY])


@kernel
def logistic(value: float) -> float:
    """1 / (1 + e^-x)."""
    return 1.0 / (1.0 + math.exp(-value))


@kernel
def clamp(value: float, low: float, high: float) -> float:
    """The value, or the nearer end of the interval."""
    return max(low, min(high, value))


@kernel
def weibull(u: float, scale: float, shape: float) -> float:
    """Quantile of the Weibull distribution: scale · (-ln(1-u))^(1/shape); u in [0, 1). Zero stays zero."""
    hazard = -math.log(1.0 - u)
    if hazard <= 0.0:
        return 0.0
    return scale * math.exp(math.log(hazard) / shape)
