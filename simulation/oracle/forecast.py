"""The next ten minutes of every supposition, lived with the simulator's own kernels: will a check fail in them?"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import bits
from infra.contracts.worlds import World
from simulation.cognition.answering import answered_within
from simulation.cognition.mind import lapse_probability
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import practising
from simulation.core import purposes
from simulation.core.compiled import compiled, kernel
from simulation.core.draws import uniform
from simulation.core.life import change
from simulation.core.loops import group_by_world
from simulation.core.moment import WORLDS, Common, Moment
from simulation.core.offers import practise
from simulation.core.person import Person
from simulation.core.rows import ROOM, ListSink, Rows, make_sink
from simulation.core.sessions import LEAST_GAP, move_on, settle_in
from simulation.core.witness import Hidden
from simulation.oracle.cloud import Cloud
from simulation.oracle.comings import plans_to_go, stays_on
from simulation.oracle.config import HORIZON_TICKS, HORIZON_US
from simulation.oracle.laws import LawBook, Laws

Floats = NDArray[np.float64]
_TICK_US = HORIZON_US // HORIZON_TICKS
_START_US = 12_000_000.0
_GAP_US = 3_000_000.0
_GAMING = int(World.GAMING)


class Outlook(NamedTuple):
    """What the next ten minutes bring to some suppositions of a cloud, one value each [Q].

    `checked`, `failed` float64: the probability of a check, and of a failed one. `chosen` int64: whose they are;
    `weights` float64: the log-weights that those had when they were chosen, in proportion to them.
    """

    checked: Floats
    failed: Floats
    chosen: NDArray[np.int64]
    weights: Floats

    def probability(self, weights: Floats) -> float:
        """P(a check fails | there is one) under the cloud's log-weights now, float64 [P]."""
        since = weights[self.chosen] - self.weights
        shares = np.exp(since - since.max())
        return float(shares @ self.failed) / max(float(shares @ self.checked), 1e-12)


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
def look_ahead(future: Rows, hidden: Rows, table: Rows, now: Moment, known: tuple[int, int, Common]) -> None:
    """Draw for each copy what an observer cannot know of its plans; `known`: (minutes since the open exposure, tick at
    which the person could last have gone or moved and did not, what is common to all)."""
    k = table[0]
    waited, last, common = known
    for place in range(future.shape[0]):
        p = future[place]
        _wait(p, hidden[place], now, waited)
        u = uniform(now.seed, purposes.SESSION, p.number, now.tick, 2)
        p.session_until = plans_to_go(p, k, last - p.session_since, u)
        p.stay_until = stays_on(p, k, now, common, last)
        if p.world == _GAMING:
            p.session_until = max(p.session_until, p.stay_until)
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
    where: NDArray[np.int8],
    told: tuple[Rows, Moment, tuple[float, float], float],
    common: Common,
    sink: ListSink,
) -> int:
    """`life.live` for the copies that are in a session, but for what is only observed; returns how many lived.

    `where` gets the world of each afterwards, 0 outside. `told` is (parameters, the moment, mood and stress of the
    circle, share of the minute's checks that count).
    """
    table, now, around, share = told
    k = table[0]
    lived = 0
    for place in range(future.shape[0]):
        p = future[place]
        if p.world > 0:
            lived += 1
            change(p, k, now, around)
            practise(p, k, now, sink)
            if not practising(p, k):
                _note(p, k, now, tally, place, share)
            move_on(p, k, now, common, sink)
        where[place] = p.world
    return lived


class Forecaster:
    """Looks ahead from a cloud, with at most `ahead` of its suppositions. Owns the buffers: one forecaster a thread."""

    def __init__(self, book: LawBook, ahead: int) -> None:
        self._book, self._ahead = book, ahead
        self._sink: Any = make_sink(ROOM * ahead)
        self._where, self._order = np.zeros(ahead, np.int8), np.zeros(ahead, np.int32)
        self._starts = np.zeros(WORLDS + 1, np.int64)
        self.steps = 0

    def outlook(
        self, cloud: Cloud, now: Moment, clock_us: int, around: tuple[float, float], known: tuple[int, int]
    ) -> Outlook:
        """Chances of a check, and of a failed one, in the ten minutes after `clock_us` into the tick `now`.

        `known`: minutes since the open exposure, and the tick at which the person could last have gone. The circle's
        mood stays as it is, and no offer is expected.
        """
        laws, chosen = self._book.at(now.tick), cloud.thinned(self._ahead)
        people = cloud.people.take(chosen)
        # Of the groups an observer knows nothing: each copy is in one of its own (`core.groups`).
        people["circle"] = np.arange(len(people))
        seed = int(bits(cloud.seed, 2, now.tick, clock_us, 0)[0] >> np.uint64(1))
        tally = np.zeros((len(people), 2))
        tally[:, 0] = 1.0
        first = 1
        if people["world"][0] == 0:
            first = 2 + LEAST_GAP
            come_back(people, laws.cognition, _after(now, seed, first - 1), min(laws.acts))
        plans = (*known, laws.common)
        look_ahead(people, cloud.hidden[chosen], laws.cognition, now._replace(seed=seed), plans)
        for ahead in range(first, HORIZON_TICKS + 1):
            share = 1.0 if ahead < HORIZON_TICKS else _last_share(laws.parameters, clock_us)
            self._minute(people, tally, laws, (_after(now, seed, ahead), around, share))
        weights = cloud.weights[chosen] if len(chosen) < len(cloud.people) else np.zeros(len(chosen))
        return Outlook(1.0 - tally[:, 0], 1.0 - tally[:, 0] - tally[:, 1], chosen, weights)

    def _minute(self, people: Rows, tally: Floats, laws: Laws, told: tuple[Moment, tuple[float, float], float]) -> None:
        """One minute of every copy, each in its own world; `told`: (the moment, the circle, share of checks)."""
        now, count = told[0], len(people)
        where, order, starts = self._where[:count], self._order, self._starts
        self._sink.used[:] = 0
        self.steps += minute_ahead(people, tally, where, (laws.cognition, *told), laws.common, self._sink)
        group_by_world(where, (0, count), order, starts)
        for world, (act_all, table) in laws.acts.items():
            here = order[starts[world] : starts[world + 1]]
            if len(here):
                act_all(people, here, (laws.cognition, table), now, laws.common, self._sink)


def _after(now: Moment, seed: int, minutes: int) -> Moment:
    tick = now.tick + minutes
    return Moment(seed, tick, tick % 1440, now.truth_every)


def _last_share(k: Parameters, clock_us: int) -> float:
    """Share of the tenth minute's checks that fall into the window: they come early in a minute (`life.live`)."""
    later = _GAP_US * (k.gaze_rate + k.emotion_rate)
    return min(max((clock_us - later) / _START_US, 0.0), 1.0)
