"""When sessions begin and end, weighed: they tell when a person sleeps, and with it how late their day runs."""

import math

from infra.contracts.worlds import World
from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import DAY, asleep, body_minute, weibull
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Common, Moment
from simulation.core.person import Person
from simulation.core.sessions import LEAST_GAP, LEAST_SESSION, LONGEST_GAP, choose_world
from simulation.core.witness import log_of

_GAMING = int(World.GAMING)
SLACK = 10
"""Minutes by which waking and going to bed may differ from what is seen: exactly met they would be by almost nobody."""
OVERSTAYED = -0.3
"""Log-weight of a minute in a session that a supposed person would have slept through."""
FIRST_HOURS = 180
"""Minutes within which everybody plans their first session of all (`core.population`)."""
_TRIES = 30


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
def sees_coming(p: Person, k: Parameters, body: int, minutes: int, first: bool) -> float:
    """Log-likelihood that a session begins so many minutes after the last one, at this minute of the body's day.

    A person comes at the planned time, or on waking where that was before. Whoever is supposed to wake within the
    slack of now is taken to have just woken.
    """
    ahead = (p.wake - body) % DAY
    since = (body - p.wake) % DAY
    if min(ahead, since) <= SLACK:
        p.wake = body
        night = (p.wake - p.bed) % DAY
        slept_through = planned_by(k, minutes, first) - planned_by(k, minutes - night - 1, first)
        return log_of(slept_through / (2.0 * SLACK + 1.0))
    if asleep(p, k, body):
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
def sees_going(p: Person, k: Parameters, body: int, minutes: int) -> float:
    """Log-likelihood that a session of so many minutes ends now: it was long enough, or it is bedtime.

    A game may end a session earlier or later; when it does says nothing of the player, and is not told apart.
    """
    to_bed = min((p.bed - body) % DAY, (body - p.bed) % DAY)
    bedtime = 1.0 / (2.0 * SLACK + 1.0) if to_bed <= SLACK else 0.0
    if asleep(p, k, body):
        return log_of(max(bedtime, session_hazard(k, minutes)))
    return log_of(bedtime + session_hazard(k, minutes))


@kernel
def length_beyond(scale: float, shape: float, minutes: float, u: float) -> int:
    """Weibull length in whole minutes of what lasts at least `minutes`; `u` uniform."""
    hazard = (max(minutes, 0.0) / scale) ** shape - math.log(1.0 - u)
    return int(scale * hazard ** (1.0 / shape))


@kernel
def plans_to_go(p: Person, k: Parameters, stayed: int, u: float) -> int:
    """Tick at which the session was planned to end, of one that could have ended when it was `stayed` minutes old.

    In a game that was not possible: the plan is only known to have gone beyond the beginning of the game.
    """
    if p.world == _GAMING:
        stayed = p.stay_since - p.session_since
    length = length_beyond(k.session_scale, k.session_shape, stayed - LEAST_SESSION + 1.0, u)
    return p.session_since + LEAST_SESSION + length


@kernel
def stays_on(p: Person, k: Parameters, now: Moment, common: Common, last: int) -> int:
    """Tick at which a stay is over, of one that was not left up to the tick `last`; `sessions.enter` and `move_on`.

    Whoever does not move at the end of a stay begins another of a set length, so stays are drawn until one lasts.
    """
    u = uniform(now.seed, purposes.PLACE, p.number, now.tick, 20)
    if p.world == _GAMING:
        return p.stay_since + 1 + length_beyond(k.game_scale, k.game_shape, float(last - p.stay_since), u)
    for again in range(_TRIES):
        u = uniform(now.seed, purposes.PLACE, p.number, now.tick, 21 + 3 * again)
        until = p.stay_since + LEAST_SESSION + int(weibull(u, k.stay_scale, k.stay_shape))
        moved = False
        while until <= last and not moved:
            u = uniform(now.seed, purposes.PLACE, p.number, until, 22 + 3 * again)
            moved = u < k.stay_moves and choose_world(p, now, common, 23 + 3 * again) != p.world
            until += LEAST_SESSION + int(k.stay_scale)
        if not moved:
            return until
    return last + 1


@kernel
def stays_up(p: Person, k: Parameters, now: Moment) -> float:
    """Log-weight of a minute in which a person who could go has not gone."""
    return OVERSTAYED if asleep(p, k, body_minute(p, k, now)) else 0.0
