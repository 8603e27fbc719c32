"""The day and the week of a person: asleep or awake, and the circadian part of alertness and mood."""

import math

import numpy as np

from simulation.cognition.parameters import Parameters
from simulation.core.compiled import kernel
from simulation.core.moment import Moment
from simulation.core.person import Person

DAY = 1440
FIRST_WEEKDAY = 3
"""Day 0 of the epoch was a Thursday; Monday is 0."""
SATURDAY = 5
WEEKEND_HOURS = 24
"""Where the hours of Saturday and Sunday begin in tables of 48 hours."""
COSINE = np.array([math.cos(2.0 * math.pi * minute / DAY) for minute in range(DAY)])
"""Cosine over the minutes of a day: looked up, because everybody needs it every minute."""
# A half-day wave with its tops at 7:45 and 19:45, and a whole-day wave with its top at 2:15 that moves them towards the
# night. Mood follows hours later: tops early in the morning and late in the evening, the lowest point in the afternoon
# (Golder & Macy 2011).
MOOD_OF_DAY = np.array(
    [
        0.65 * math.cos(4.0 * math.pi * (minute - 465) / DAY) + 0.55 * math.cos(2.0 * math.pi * (minute - 135) / DAY)
        for minute in range(DAY)
    ]
)
"""Mood over the minutes of the body's day, about -1 to 1."""


@kernel
def local_minute(p: Person, minute: int) -> int:
    """Local minute of the day, 0 to 1439, from the UTC minute of the day."""
    return (minute + p.offset) % DAY


@kernel
def is_weekend(p: Person, now: Moment) -> bool:
    """Whether it is Saturday or Sunday where the person lives."""
    return bool(((now.tick + p.offset) // DAY + FIRST_WEEKDAY) % 7 >= SATURDAY)


@kernel
def body_minute(p: Person, k: Parameters, now: Moment) -> int:
    """Minute of the body's day: the local one, later at weekends, when people sleep in (Golder & Macy 2011: 2 h)."""
    minute = local_minute(p, now.minute)
    if is_weekend(p, now):
        return (minute - int(k.weekend_delay)) % DAY
    return minute


@kernel
def place_hour(p: Person, now: Moment) -> int:
    """Local hour of the week's two kinds of days: 0 to 23, and 24 to 47 at weekends."""
    hour = local_minute(p, now.minute) // 60
    return hour + WEEKEND_HOURS if is_weekend(p, now) else hour


@kernel
def asleep(p: Person, k: Parameters, body: int) -> bool:
    """Whether the person sleeps at this minute of the body's day; `bed_limit` cuts the night short."""
    in_bed = (body - p.bed) % DAY
    return bool(in_bed < (p.wake - p.bed) % DAY and in_bed < k.bed_limit)


@kernel
def alertness(p: Person, k: Parameters, body: int) -> float:
    """Circadian part of alertness, -1 to 1: a cosine that peaks at `circadian_peak` hours, later for late types."""
    return float(COSINE[(body - int(60.0 * (k.circadian_peak + p.chronotype))) % DAY])


@kernel
def mood_of_day(p: Person, body: int) -> float:
    """Two peaks a day, early in the morning and late in the evening, later for late types; about -1 to 1."""
    return float(MOOD_OF_DAY[(body - int(30.0 * p.chronotype)) % DAY])


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
