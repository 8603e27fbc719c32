"""Compiled loops over the suppositions about one person: what a minute brings, and what an observation weighs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.mind import begin_episode, end_rate, onset_rate
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import acceptance, interrupt
from simulation.cognition.rhythm import body_minute
from simulation.core import purposes
from simulation.core.compiled import compiled, kernel
from simulation.core.draws import uniform
from simulation.core.life import REST, change, rest
from simulation.core.moment import Moment
from simulation.core.offers import conclude, own_minutes
from simulation.core.person import Person
from simulation.core.rows import Rows
from simulation.core.sessions import leave, settle_in
from simulation.core.witness import (
    Hidden,
    Seen,
    answer_after,
    log_of,
    never_answered,
    see_attention,
    see_emotion,
    see_gaze,
    see_memory,
    see_reaction,
    silent_for,
)
from simulation.oracle.cloud import View
from simulation.oracle.comings import sees_coming, sees_going, stays_up

_EMOTION = int(EventKind.EMOTION_READ)
_GAZE = int(EventKind.GAZE_SAMPLED)
_SHOWN = int(EventKind.OFFER_SHOWN)
_ACCEPTED = int(EventKind.OFFER_ACCEPTED)
_DISMISSED = int(EventKind.OFFER_DISMISSED)
_COMPLETED = int(EventKind.PRACTICE_COMPLETED)
_ABANDONED = int(EventKind.PRACTICE_ABANDONED)
_ATTENTION = int(EventKind.ATTENTION_CHECKED)
_MEMORY = int(EventKind.MEMORY_CHECKED)
_REACTION = int(EventKind.REACTION_TIMED)
CAME, SILENT, NEVER = 0, 1, 2
"""What becomes of the open exposure: its answer comes, does not come this minute, or will not come any more."""


class Minds(NamedTuple):
    """Whether each mind wanders after a minute, `wandered` bool [P], and `likelihood` float64 [P], log of how probable
    that was, which is added to. Where `again`, minds wander as is given; else they wander freely, and it is noted."""

    wandered: NDArray[np.bool_]
    likelihood: NDArray[np.float64]
    again: bool


@compiled
def rest_all(people: Rows, table: Rows, now: Moment, ticks: int) -> None:
    """So many minutes outside every world from `now` on."""
    k = table[0]
    for place in range(people.shape[0]):
        p = people[place]
        tick = now.tick + (-(now.tick + p.number)) % REST
        while tick < now.tick + ticks:
            rest(p, k, Moment(now.seed, tick, tick % 1440, now.truth_every))
            tick += REST


@kernel
def note_episode(p: Person, h: Hidden, k: Parameters, now: Moment) -> None:
    """How the gaze goes in an episode of wandering that has just begun."""
    if p.wandering == 1 and p.wander_since == now.tick:
        h.stuck = 1 if uniform(now.seed, purposes.GAZE, p.number, now.tick, 4) < k.gaze_stare else 0


@kernel
def mind_of(p: Person, h: Hidden) -> tuple[float, int, int, int, int]:
    """What the moves of a mind depend on, and what they change: (focus, wandering, topic, since, stuck)."""
    return p.focus, p.wandering, p.topic, p.wander_since, h.stuck


@kernel
def weigh_mind(p: Person, k: Parameters, before: tuple[float, int, int, int, int], away: bool, arrived: bool) -> float:
    """Log of how probable it was that the mind would wander after this minute, or (`away` false) not."""
    focus = p.focus
    p.focus = before[0]
    onset, end = onset_rate(p, k), end_rate(p, k)
    p.focus = focus
    chance = 1.0 - end if before[1] == 1 else onset
    if arrived:
        chance = onset / (onset + end)
    return log_of(chance if away else 1.0 - chance)


@kernel
def put_mind(p: Person, k: Parameters, now: Moment, before: tuple[float, int, int, int, int], away: bool) -> None:
    """A mind that was at `before` wanders after this minute, or not, whatever it has just done."""
    if away and before[1] == 0:
        begin_episode(p, k, now)
    else:
        p.topic = before[2]
        p.wander_since = before[3]
    p.wandering = 1 if away else 0


@kernel
def settle_mind(
    p: Person,
    h: Hidden,
    k: Parameters,
    now: Moment,
    before: tuple[float, int, int, int, int],
    told: tuple[bool, bool, bool],
) -> tuple[bool, float]:
    """Whether the mind wanders now, and the log of how probable that was; `told`: (again, wandered then, arrived).

    Nothing else that a minute changes depends on whether the mind wanders after it: so it can be put right at its end.
    """
    again, away, arrived = told
    if again:
        put_mind(p, k, now, before, away)
        h.stuck = before[4]
    else:
        away = p.wandering == 1
    note_episode(p, h, k, now)
    return away, weigh_mind(p, k, before, away, arrived)


@compiled
def live_minute(view: View, table: Rows, now: Moment, told: tuple[tuple[float, float], bool], minds: Minds) -> None:
    """One minute of a session, up to what is observed of it; `told`: (mood and stress of the circle, whether nothing
    observed keeps the person there)."""
    people, hidden, _, weights = view
    around, free = told
    k = table[0]
    for place in range(people.shape[0]):
        p, h = people[place], hidden[place]
        before = mind_of(p, h)
        change(p, k, now, around)
        away, chance = settle_mind(p, h, k, now, before, (minds.again, minds.wandered[place], False))
        minds.wandered[place] = away
        minds.likelihood[place] += chance
        if free:
            weights[place] += stays_up(p, k, now)


@compiled
def come_all(view: View, table: Rows, now: Moment, world: int, since: tuple[int, bool], minds: Minds) -> None:
    """A session begins in a world; `since`: minutes since the last one ended, or since the start, of the first one."""
    people, hidden, _, weights = view
    minutes, first = since
    k = table[0]
    for place in range(people.shape[0]):
        p, h = people[place], hidden[place]
        weights[place] += sees_coming(p, k, body_minute(p, k, now), minutes, first)
        before = mind_of(p, h)
        settle_in(p, k, now)
        away, chance = settle_mind(p, h, k, now, before, (minds.again, minds.wandered[place], True))
        minds.wandered[place] = away
        minds.likelihood[place] += chance
        p.session_since = now.tick
        p.stay_since = now.tick
        p.world = world


@compiled
def enter_all(people: Rows, now: Moment, world: int) -> None:
    """The person enters a world."""
    for place in range(people.shape[0]):
        p = people[place]
        p.world = world
        p.stay_since = now.tick
        p.doing = 0


@compiled
def go_all(view: View, table: Rows, now: Moment) -> None:
    """The session ends."""
    people, _, _, weights = view
    k = table[0]
    for place in range(people.shape[0]):
        p = people[place]
        weights[place] += sees_going(p, k, body_minute(p, k, now), now.tick - p.session_since)
        leave(p)


@kernel
def own_draw(p: Person, now: Moment) -> float:
    """A supposition's draw for the length of a practice that nobody offered."""
    return uniform(now.seed, purposes.OWN, p.number, now.tick, 3)


@kernel
def planned_for(minutes: int, abandoned: bool, u: float) -> int:
    """Length that a practice of so many minutes was planned for: itself, or a longer one of those people choose."""
    shorter = minutes // 5 / 4.0
    if not abandoned or shorter >= 1.0:
        return max(minutes, 1)
    return own_minutes(shorter + (1.0 - shorter) * u)


@kernel
def see_offer(p: Person, h: Hidden, k: Parameters, now: Moment, e: Seen) -> float:
    """An offer is shown, taken up or dismissed, or a practice ends."""
    if e.kind == _SHOWN:
        h.willing = acceptance(p, k)
        interrupt(p, k)
    elif e.kind == _DISMISSED:
        return log_of(1.0 - h.willing)
    elif e.kind == _ACCEPTED:
        p.practice = e.amount
        p.practice_since = now.tick
        p.offer_minutes = int(e.duration + 0.5)
        p.practice_length = p.offer_minutes
        return log_of(h.willing)
    else:
        if p.practice == 0:
            # Nobody offered it: that it was done shows at its end only, and how long it should have been not at all.
            p.practice = e.amount
            p.offer_minutes = planned_for(int(e.duration + 0.5), e.kind == _ABANDONED, own_draw(p, now))
        conclude(p, k, now, e.duration)
    return 0.0


@kernel
def see_signal(p: Person, h: Hidden, k: Parameters, now: Moment, e: Seen) -> float:
    """A reading of a sensor, or a check."""
    if e.kind == _GAZE:
        return see_gaze(p, h, k, e)
    if e.kind == _EMOTION:
        return see_emotion(p, k, e)
    if e.kind == _ATTENTION:
        return see_attention(p, k, e, now.tick)
    if e.kind == _REACTION:
        return see_reaction(p, k, e)
    return see_memory(p, k, e) if e.kind == _MEMORY else 0.0


@compiled
def sense_all(view: View, table: Rows, now: Moment, seen: Rows) -> None:
    """Weigh a sensor's reading, a check, or a step of an offer or practice; `seen` has one row."""
    people, hidden, _, weights = view
    k, e = table[0], seen[0]
    for place in range(people.shape[0]):
        p, h = people[place], hidden[place]
        if _SHOWN <= e.kind <= _ABANDONED:
            weights[place] += see_offer(p, h, k, now, e)
        else:
            weights[place] += see_signal(p, h, k, now, e)


@compiled
def wait_all(view: View, minutes: int, what: int) -> None:
    """Weigh what becomes of the open exposure, so many minutes after it."""
    _, hidden, _, weights = view
    for place in range(hidden.shape[0]):
        h = hidden[place]
        if what == CAME:
            weights[place] += answer_after(h, minutes)
        elif what == SILENT:
            weights[place] += silent_for(h, minutes)
        else:
            weights[place] += never_answered(h, minutes)
            h.chance = 0.0
