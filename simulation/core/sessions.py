"""Sessions: when people come, how long they stay in a world, where they move, when they go."""

import math

from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from simulation.cognition.mind import arrive
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import MINUTES_A_DAY, leave_rate, practising
from simulation.cognition.rhythm import asleep, body_minute, place_hour, weibull
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Common, Moment
from simulation.core.offers import end_practice
from simulation.core.person import Person
from simulation.core.rows import ListSink, new_event

_SESSION_STARTED = int(EventKind.SESSION_STARTED)
_SESSION_ENDED = int(EventKind.SESSION_ENDED)
_WORLD_ENTERED = int(EventKind.WORLD_ENTERED)
LEAST_SESSION, LONGEST_SESSION = 3, 300
LEAST_GAP, LONGEST_GAP = 2, 600
_LONGEST_GAME = 600
_GAMING = int(World.GAMING)


@kernel
def choose_world(p: Person, now: Moment, common: Common, index: int) -> int:
    """World to go to, 1 to 5: drawn by how much each attracts at this hour, and the person's own leanings."""
    hour = place_hour(p, now)
    total = 0.0
    for world in range(1, 6):
        total += common.attraction[world, hour] * leaning(p, now, world)
    left = total * uniform(now.seed, purposes.PLACE, p.number, now.tick, index)
    for world in range(1, 5):
        left -= common.attraction[world, hour] * leaning(p, now, world)
        if left < 0.0:
            return world
    return 5


@kernel
def leaning(p: Person, now: Moment, world: int) -> float:
    """How much this person likes a world, 0.3 to 1.7, for life."""
    return 0.3 + 1.4 * uniform(now.seed, purposes.PLACE, p.number, 0, world)


@kernel
def enter(p: Person, k: Parameters, now: Moment, world: int, sink: ListSink) -> None:
    """Go into a world for a stay."""
    u = uniform(now.seed, purposes.PLACE, p.number, now.tick, 9)
    p.world = world
    p.stay_since = now.tick
    if world == _GAMING:
        # A game lasts as long as it lasts, and keeps the session open.
        p.stay_until = now.tick + 1 + min(int(weibull(u, k.game_scale, k.game_shape)), _LONGEST_GAME)
        p.session_until = max(p.session_until, p.stay_until)
    else:
        p.stay_until = now.tick + LEAST_SESSION + int(weibull(u, k.stay_scale, k.stay_shape))
    p.doing = 0
    new_event(sink, p, _WORLD_ENTERED)


@kernel
def open_session(p: Person, k: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """Start a session in a world of the person's choice."""
    settle_in(p, k, now)
    world = choose_world(p, now, common, 8)
    length = int(weibull(uniform(now.seed, purposes.SESSION, p.number, now.tick, 0), k.session_scale, k.session_shape))
    p.session_since = now.tick
    p.session_until = now.tick + min(LEAST_SESSION + length, LONGEST_SESSION)
    p.world = world
    p.sessions += 1
    new_event(sink, p, _SESSION_STARTED)
    enter(p, k, now, world, sink)


@kernel
def settle_in(p: Person, k: Parameters, now: Moment) -> None:
    """State of mind at the start of a session."""
    give_up(p, k, now)
    arrive(p, k, now)
    p.focus = 0.5 * (p.focus + p.control)


@kernel
def leave(p: Person) -> None:
    """What a person leaves behind with a session."""
    p.world = 0
    p.wandering = 0
    p.doing = 0
    p.load = 0.0
    p.momentum = 0.0


@kernel
def give_up(p: Person, k: Parameters, now: Moment) -> None:
    """Perhaps give up practising, for good, since the last session: looked at when a session begins."""
    days = (now.tick - max(p.session_since, p.joined)) / MINUTES_A_DAY
    gone = 1.0 - math.exp(-leave_rate(p, k, now.tick) * days)
    if p.left == 0 and uniform(now.seed, purposes.LEAVE, p.number, now.tick, 0) < gone:
        p.left = 1


@kernel
def close_session(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """End the session, and plan the next one; a practice that runs beside it is broken off."""
    if p.practice > 0:
        end_practice(p, k, now, sink)
    row = new_event(sink, p, _SESSION_ENDED)
    row.duration = 60.0 * (now.tick - p.session_since)
    gap = weibull(uniform(now.seed, purposes.SESSION, p.number, now.tick, 1), k.gap_scale, k.gap_shape)
    p.next_session = now.tick + LEAST_GAP + min(int(gap), LONGEST_GAP)
    leave(p)


@kernel
def move_on(p: Person, k: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """At the end of a stay: leave, or move to another world; nobody leaves in the middle of an answer or practice.

    A quest is left where it is: games end when they end.
    """
    if p.due_at >= 0 or (p.doing > 0 and p.world != _GAMING) or practising(p, k):
        return
    if now.tick >= p.session_until or asleep(p, k, body_minute(p, k, now)):
        close_session(p, k, now, sink)
    elif now.tick >= p.stay_until:
        world = choose_world(p, now, common, 10)
        if uniform(now.seed, purposes.PLACE, p.number, now.tick, 11) < k.stay_moves and world != p.world:
            enter(p, k, now, world, sink)
        elif p.world == _GAMING:
            # A game that is over is over: its length is not stretched.
            close_session(p, k, now, sink)
        else:
            p.stay_until = now.tick + LEAST_SESSION + int(k.stay_scale)
