"""Potential outcomes: what would come of every action at sampled decision points, all else equal.

A decision point is a person in a session who could be offered something at the end of a tick. Their record is forked,
one copy an action; each copy gets its offer and lives the next hour with the same random numbers (they depend on seed,
person and tick only) and the circle as it was recorded. No further offers come in that hour, under any action, so that
rows compare single actions, not policies.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from infra.contracts.draws import uniform
from infra.contracts.records import POTENTIAL
from simulation.cognition.mind import lapse_probability
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import acceptance, practising
from simulation.core import purposes
from simulation.core.compiled import compiled
from simulation.core.life import live
from simulation.core.model import Metaverse
from simulation.core.moment import FIXED_POINT, Common, Moment
from simulation.core.person import PERSON, TALLIES
from simulation.core.rows import ROOM, ListSink, Rows, make_sink
from simulation.oracle.lake import Offers
from simulation.oracle.laws import LawBook
from simulation.oracle.recording import Progress, relive
from simulation.scenarios.model import Scenario

ACTIONS: Final = tuple(Practice)
HOUR: Final = 60
OFFERED_MINUTES: Final = 10
"""Length of the practice that is offered, minutes."""


@dataclass
class _Copies:
    """Copies of people, an action each: `tick`, `action` int64 [n] of the decision, PERSON [n] as they are now, and
    what is known of their hour so far."""

    tick: NDArray[np.int64]
    action: NDArray[np.int64]
    people: Rows
    accepted: NDArray[np.bool_]
    receptivity: NDArray[np.float64]
    lapses: NDArray[np.float64]

    def part(self, which: NDArray[np.bool_]) -> "_Copies":
        """Some of them."""
        return _Copies(*(getattr(self, field.name)[which] for field in fields(self)))

    def joined(self, others: "_Copies") -> "_Copies":
        """These and others."""
        pairs = ((getattr(self, field.name), getattr(others, field.name)) for field in fields(self))
        return _Copies(*(np.concatenate(pair) for pair in pairs))


def potential_outcomes(scenario: Scenario, offers: Offers, span: range, progress: Progress) -> pa.Table:
    """Rows of the POTENTIAL record for the decision points of the run, sampled at `scenario.potential_rate`.

    The population is lived again with the offers that were shown; points lie at least an hour before the span's end.
    """
    forks = Forks(scenario, range(max(span.start, scenario.run_first_tick), span.stop - HOUR))

    def before(model: Metaverse) -> None:
        forks.live(model)
        progress(1)

    model = relive(scenario, offers, span, before, forks.sample)
    return pa.Table.from_batches([forks.rows(model)], schema=POTENTIAL.arrow)


class Forks:
    """Copies of people at decision points, living beside the population they come from."""

    def __init__(self, scenario: Scenario, ticks: range) -> None:
        self._book = LawBook(scenario)
        self._rate, self._seed, self._ticks = scenario.potential_rate, scenario.seed, ticks
        nobody = _fork(0, np.zeros(0, PERSON), self._book.at(scenario.first_tick).cognition)
        self._running, self._done = nobody, nobody

    def sample(self, model: Metaverse) -> None:
        """After a step: fork the people who are at a sampled decision point."""
        tick, people = model.tick - 1, model.people
        if tick not in self._ticks:
            return
        places = np.flatnonzero((people["world"] > 0) & (people["practice"] == 0) & (people["offer"] == 0))
        draws = uniform(self._seed, purposes.POTENTIAL, people["number"][places].astype(np.int64), tick, 0)
        places = places[draws < self._rate]
        self._running = self._running.joined(_fork(tick, people[places], self._book.at(tick).cognition))

    def live(self, model: Metaverse) -> None:
        """Before a step: the coming minute of all copies, in the circles as they are now."""
        if len(self._running.tick):
            self._minute(self._running, model)
            over = self._running.tick + HOUR <= model.tick
            self._done = self._done.joined(self._running.part(over))
            self._running = self._running.part(~over)

    def rows(self, model: Metaverse) -> pa.RecordBatch:
        """POTENTIAL rows of all copies whose hour is over, by tick and person."""
        return _rows(self._done, model)

    def _minute(self, copies: _Copies, model: Metaverse) -> None:
        laws, people = self._book.at(model.tick), copies.people
        sink: Any = make_sink(ROOM * len(people))
        common = Common(laws.common.attraction, model.common.circles.copy(), model.common.circle_size)
        live_copies(people, _circles(people, model), laws.cognition, model.moment, common, sink)
        took = (people["practice"] > 0) | (people["practice_since"] == model.tick)
        copies.accepted |= took & (copies.action > 0) & (copies.tick == model.tick - 1)
        expect_lapses(people, laws.cognition, model.tick, copies.lapses)
        for world, (act_all, table) in laws.acts.items():
            here = np.flatnonzero(people["world"] == world).astype(np.int32)
            act_all(people, here, (laws.cognition, table), model.moment, common, sink)


def _fork(tick: int, people: Rows, cognition: Rows) -> _Copies:
    """The people, once for each action, which each copy has before it as an offer."""
    copies = np.repeat(people, len(ACTIONS))
    actions = np.tile(np.array(ACTIONS, np.int64), len(people))
    copies["offer"] = actions
    copies["offer_minutes"] = np.where(actions > 0, OFFERED_MINUTES, copies["offer_minutes"])
    for name in TALLIES:
        copies[name] = 0
    count = len(copies)
    receptivity = np.zeros(count)
    willing(copies, cognition, receptivity)
    return _Copies(np.full(count, tick), actions, copies, np.zeros(count, bool), receptivity, np.zeros(count))


def _circles(copies: Rows, model: Metaverse) -> NDArray[np.int64]:
    """int64 [n, 3]: for each copy the sums of its circle, of the others as they are, and of the copy as it is."""
    sums: NDArray[np.int64] = model.common.circles[copies["circle"]]
    for people, sign in ((model.people[copies["number"]], -1), (copies, 1)):
        there = (people["world"] > 0).astype(np.int64) * sign
        sums[:, 0] += there
        for column, name in ((1, "mood"), (2, "stress")):
            sums[:, column] += there * (people[name] * FIXED_POINT).astype(np.int64)
    return sums


@compiled
def live_copies(
    people: Rows, sums: NDArray[np.int64], table: Rows, now: Moment, common: Common, sink: ListSink
) -> None:
    """`life.live` for copies, each in a circle of its own sums, int64 [n, 3]; those of `common` are written over."""
    k = table[0]
    for place in range(people.shape[0]):
        p = people[place]
        for column in range(3):
            common.circles[p.circle, column] = sums[place, column]
        live(p, k, now, common, sink)


@compiled
def willing(people: Rows, table: Rows, found: NDArray[np.float64]) -> None:
    """Probability of taking up an offer as people are now."""
    for place in range(people.shape[0]):
        found[place] = acceptance(people[place], table[0])


@compiled
def expect_lapses(people: Rows, table: Rows, tick: int, found: NDArray[np.float64]) -> None:
    """Add a minute's expected number of failed attention checks; whoever left in this minute has none in it."""
    k: Parameters = table[0]
    for place in range(people.shape[0]):
        p = people[place]
        if p.world > 0 and p.session_since < tick and not practising(p, k):
            found[place] += k.attention_checks * lapse_probability(p, k, tick)


def _rows(copies: _Copies, model: Metaverse) -> pa.RecordBatch:
    people = copies.people
    minutes = people["minutes"].astype(np.float64)
    spent = np.where(minutes > 0, minutes, np.nan)
    columns: dict[str, NDArray[Any]] = {
        "person": model.pseudonyms.encode(people["number"].astype(np.uint64)),
        "tick": copies.tick,
        "action": copies.action.astype(np.uint8),
        "accepted": copies.accepted.astype(np.uint8),
        "receptivity": copies.receptivity,
        "session_minutes": minutes.astype(np.float32),
        "focus_minutes": people["focus_minutes"].astype(np.float32),
        "practice_minutes": people["practice_minutes"].astype(np.float32),
        "lapses": copies.lapses,
        "stress": people["stress_sum"] / spent,
        "mood": people["mood_sum"] / spent,
    }
    order = np.lexsort((columns["action"], people["number"], columns["tick"]))
    arrays = [pa.array(columns[name][order]) for name in POTENTIAL.arrow.names]
    return pa.RecordBatch.from_arrays(arrays, schema=POTENTIAL.arrow)
