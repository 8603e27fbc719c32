"""When sessions begin and end, weighed: they tell when a person sleeps, and with it how late their day runs."""

import math

from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import DAY, asleep
from simulation.core.compiled import kernel
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.sessions import LEAST_GAP, LEAST_SESSION, LONGEST_GAP
from simulation.core.witness import log_of

SLACK = 10
"""Minutes by which waking and going to bed may differ from what is seen: exactly met they would be by almost nobody."""
OVERSTAYED = -0.3
"""Log-weight of a minute in a session that a supposed person would have slept through."""
FIRST_HOURS = 180
"""Minutes within which everybody plans their first session of all (`core.population`)."""


@kernel
def planned_by(k: Parameters, minutes: int, first: bool) -> float:
    """Probability that the next session is planned for no later than so many minutes after the last one ended.

    Of the first session of all, `first`: after the simulation began.
    """
    if first:
        return min(max((minutes + 1.0) / FIRST_HOURS, 0.0), 1.0)
    left = minutes - LEAST_GAP
    if left < 0:
        return 0.0
    return 1.0 if left >= LONGEST_GAP else 1.0 - math.exp(-(((left + 1.0) / k.gap_scale) ** k.gap_shape))


@kernel
def sees_coming(p: Person, k: Parameters, local: int, minutes: int, first: bool) -> float:
    """Log-likelihood that a session begins so many minutes after the last one, awake since `wake`, at `local`.

    A person comes at the planned time, or on waking where that was before. Whoever is supposed to wake within the
    slack of now is taken to have just woken.
    """
    ahead = (p.wake - local) % DAY
    since = (local - p.wake) % DAY
    if min(ahead, since) <= SLACK:
        p.wake = local
        night = (p.wake - p.bed) % DAY
        slept_through = planned_by(k, minutes, first) - planned_by(k, minutes - night - 1, first)
        return log_of(slept_through / (2.0 * SLACK + 1.0))
    if asleep(p, local):
        return log_of(0.0)
    return log_of(planned_by(k, minutes, first) - planned_by(k, minutes - 1, first))


@kernel
def session_hazard(k: Parameters, minutes: int) -> float:
    """Probability that a session ends in this minute, of those that have lasted so long."""
    left = float(minutes - LEAST_SESSION)
    if left < 0.0:
        return 0.0
    before = (left / k.session_scale) ** k.session_shape
    after = ((left + 1.0) / k.session_scale) ** k.session_shape
    return 1.0 - math.exp(before - after)


@kernel
def sees_going(p: Person, k: Parameters, local: int, minutes: int) -> float:
    """Log-likelihood that a session of so many minutes ends now: it was long enough, or it is bedtime."""
    to_bed = min((p.bed - local) % DAY, (local - p.bed) % DAY)
    bedtime = 1.0 / (2.0 * SLACK + 1.0) if to_bed <= SLACK else 0.0
    if asleep(p, local):
        return log_of(max(bedtime, session_hazard(k, minutes)))
    return log_of(bedtime + session_hazard(k, minutes))


@kernel
def session_left(k: Parameters, minutes: int, u: float) -> int:
    """Whole length of a session, minutes, of one that lasts longer than so many; `u` uniform."""
    gone = max(minutes - LEAST_SESSION + 1.0, 0.0)
    hazard = (gone / k.session_scale) ** k.session_shape - math.log(1.0 - u)
    return LEAST_SESSION + int(k.session_scale * hazard ** (1.0 / k.session_shape))


@kernel
def stays_up(p: Person, now: Moment) -> float:
    """Log-weight of a minute in which a person who could go has not gone."""
    return OVERSTAYED if asleep(p, (now.minute + p.offset) % DAY) else 0.0
