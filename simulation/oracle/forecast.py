"""The next ten minutes of every supposition, lived with the simulator's own kernels: will a check fail in them?"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import bits
from simulation.cognition.answering import answered_within
from simulation.cognition.mind import lapse_probability
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import practising
from simulation.core import purposes
from simulation.core.compiled import compiled, kernel
from simulation.core.draws import uniform
from simulation.core.life import change
from simulation.core.moment import Common, Moment
from simulation.core.offers import practise
from simulation.core.person import Person
from simulation.core.rows import ROOM, ListSink, Rows, make_sink
from simulation.core.sessions import LEAST_GAP, move_on, settle_in
from simulation.core.witness import Hidden
from simulation.oracle.cloud import Cloud
from simulation.oracle.comings import plans_to_go
from simulation.oracle.config import HORIZON_TICKS, HORIZON_US
from simulation.oracle.laws import LawBook

Floats = NDArray[np.float64]
_TICK_US = HORIZON_US // HORIZON_TICKS
_START_US = 12_000_000.0
_GAP_US = 3_000_000.0
_FAR = 2**30


class Outlook(NamedTuple):
    """Per supposition, float64 [P]: the probability of a check in the window, and of a failed one."""

    checked: Floats
    failed: Floats


@kernel
def _wait(p: Person, h: Hidden, now: Moment, waited: int) -> None:
    """Draw whether an answer to the open exposure is under way, `waited` minutes after it, and when it comes."""
    p.due_at = -1
    left = 1.0 - h.chance * answered_within(h.delay, waited)
    coming = h.chance * (1.0 - answered_within(h.delay, waited))
    if h.chance > 0.0 and uniform(now.seed, purposes.ANSWER, p.number, now.tick, 5) * left < coming:
        u = uniform(now.seed, purposes.ANSWER, p.number, now.tick, 6)
        minutes = waited + 1
        while minutes < HORIZON_TICKS - 1 and answered_within(h.delay, minutes) < 1.0 - (1.0 - u) * (
            1.0 - answered_within(h.delay, waited)
        ):
            minutes += 1
        p.due_at = now.tick + minutes - waited


@compiled
def look_ahead(future: Rows, hidden: Rows, table: Rows, now: Moment, stay: tuple[int, int]) -> None:
    """Draw for each copy what an observer cannot know of its plans; `stay`: (minutes since the open exposure, minutes
    of the session after which the person could last have gone and did not)."""
    k = table[0]
    waited, stayed = stay
    for place in range(future.shape[0]):
        p = future[place]
        _wait(p, hidden[place], now, waited)
        u = uniform(now.seed, purposes.SESSION, p.number, now.tick, 2)
        p.session_until = plans_to_go(p, k, stayed, u)
        p.stay_until = _FAR
        p.doing_until = max(p.doing_until, now.tick + 1)


@compiled
def come_back(future: Rows, table: Rows, now: Moment, world: int) -> None:
    """Copies that are outside begin a session at `now`: whoever is checked soon after a session has begun another."""
    k = table[0]
    for place in range(future.shape[0]):
        p = future[place]
        p.world = world
        p.session_since = now.tick
        p.stay_since = now.tick
        settle_in(p, k, now)


@kernel
def _note(p: Person, k: Parameters, now: Moment, tally: Floats, place: int, share: float) -> None:
    """Bring the chances of (no check yet, checks and all passed) one minute further."""
    rate = k.attention_checks * share
    passes = 1.0 - lapse_probability(p, k, now.tick)
    none, passed = tally[place, 0], tally[place, 1]
    tally[place, 1] = passed * (1.0 - rate) + (passed + none) * rate * passes
    tally[place, 0] = none * (1.0 - rate)


@compiled
def minute_ahead(
    future: Rows,
    tally: Floats,
    residents: NDArray[np.int32],
    told: tuple[Rows, Moment, tuple[float, float], float],
    common: Common,
    sink: ListSink,
) -> int:
    """`life.live` for the copies that are in a session, but for what is only observed; returns how many stay.

    `told` is (parameters, the moment, mood and stress of the circle, share of the minute's checks that count).
    """
    table, now, around, share = told
    k = table[0]
    staying = 0
    for place in range(future.shape[0]):
        p = future[place]
        if p.world == 0:
            continue
        change(p, k, now, around)
        practise(p, k, now, sink)
        if not practising(p, k):
            _note(p, k, now, tally, place, share)
        move_on(p, k, now, common, sink)
        if p.world > 0:
            residents[staying] = place
            staying += 1
    return staying


class Forecaster:
    """Looks ahead from a cloud. Owns the buffers: one forecaster a thread."""

    def __init__(self, book: LawBook, particles: int) -> None:
        self._book = book
        self._sink: Any = make_sink(ROOM * particles)
        self._residents = np.zeros(particles, np.int32)
        self.steps = 0

    def outlook(
        self, cloud: Cloud, now: Moment, clock_us: int, around: tuple[float, float], stay: tuple[int, int]
    ) -> Outlook:
        """Chances of a check, and of a failed one, in the ten minutes after `clock_us` into the tick `now`.

        The circle's mood stays as it is, no offer is expected, and nobody moves to another world.
        """
        laws, people = self._book.at(now.tick), cloud.people.copy()
        # Of the groups an observer knows nothing: each copy is in one of its own (`core.groups`).
        people["circle"] = np.arange(len(people))
        seed = int(bits(cloud.seed, 2, now.tick, clock_us, 0)[0] >> np.uint64(1))
        tally = np.zeros((len(people), 2))
        tally[:, 0] = 1.0
        first, world = 1, int(people["world"][0])
        if world == 0:
            first, world = 2 + LEAST_GAP, min(laws.acts)
            come_back(people, laws.cognition, _after(now, seed, first - 1), world)
        act_all, table = laws.acts[world]
        look_ahead(people, cloud.hidden, laws.cognition, now._replace(seed=seed), stay)
        for ahead in range(first, HORIZON_TICKS + 1):
            moment = _after(now, seed, ahead)
            share = 1.0 if ahead < HORIZON_TICKS else _last_share(laws.parameters, clock_us)
            self._sink.used[:] = 0
            told = (laws.cognition, moment, around, share)
            staying = minute_ahead(people, tally, self._residents, told, laws.common, self._sink)
            act_all(people, self._residents[:staying], (laws.cognition, table), moment, laws.common, self._sink)
            self.steps += staying
        return Outlook(1.0 - tally[:, 0], 1.0 - tally[:, 0] - tally[:, 1])


def _after(now: Moment, seed: int, minutes: int) -> Moment:
    tick = now.tick + minutes
    return Moment(seed, tick, tick % 1440, now.truth_every)


def _last_share(k: Parameters, clock_us: int) -> float:
    """Share of the tenth minute's checks that fall into the window: they come early in a minute (`life.live`)."""
    later = _GAP_US * (k.gaze_rate + k.emotion_rate)
    return min(max((clock_us - later) / _START_US, 0.0), 1.0)
