"""How a population fared in the course of a run: events by world and minute, states by world, practices by kind.

Counted where the people are, in each shard, as integers: shards add up to the same whatever their number.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from simulation.core.model import Metaverse
from simulation.core.moment import FIXED_POINT
from simulation.core.output import TickOutput

Counts = NDArray[np.int64]
STATES = ("focus", "stress", "mood")
LOOK_EVERY = 15
"""Minutes between two looks at how people are: looking every minute would cost a large population seconds."""
STEPS = {
    int(EventKind.OFFER_SHOWN): "offered",
    int(EventKind.OFFER_ACCEPTED): "taken_up",
    int(EventKind.PRACTICE_COMPLETED): "completed",
    int(EventKind.PRACTICE_ABANDONED): "broken_off",
}
"""What is counted of practices, by kind of event."""
_KINDS = tuple(STEPS)


def _no_practices() -> Counts:
    return np.zeros((len(Practice), len(STEPS)), np.int64)


@dataclass
class Course:
    """By tick: `events`, int64 [world]; `states`, int64 [world, people and STATES in fixed point], of ticks that were
    looked at. `practices` of the whole run: int64 [Practice, STEPS]."""

    events: dict[int, Counts] = field(default_factory=dict)
    states: dict[int, Counts] = field(default_factory=dict)
    practices: Counts = field(default_factory=_no_practices)

    def add(self, tick: int, outputs: list[TickOutput], population: Metaverse) -> None:
        """Note the tick that the population has just done."""
        counted = np.zeros(max(World) + 1, np.int64)
        for output in outputs:
            counted += np.bincount(output.events.column("world").to_numpy(), minlength=len(counted))
            self._count_practices(output.events)
        self.events[tick] = counted
        if tick % LOOK_EVERY == 0:
            self.states[tick] = _states_of(population)

    def merge(self, other: "Course") -> None:
        """Add what another shard has noted of the same ticks."""
        for mine, theirs in ((self.events, other.events), (self.states, other.states)):
            for tick, counts in theirs.items():
                mine[tick] = mine[tick] + counts if tick in mine else counts
        self.practices = self.practices + other.practices

    def table(self) -> pl.DataFrame:
        """A row a tick and world, as `series.parquet` has them; people and states are null in ticks not looked at."""
        rows = [
            ("run", tick, world.label, *self._means(tick, world), int(counts[world]))
            for tick, counts in sorted(self.events.items())
            for world in World
            if world is not World.NONE
        ]
        means = {f"{state}_mean": pl.Float64 for state in STATES}
        schema = {"arm": pl.String, "tick": pl.Int64, "world": pl.String, "people": pl.Int64, **means}
        return pl.DataFrame(rows, schema={**schema, "events": pl.Int64}, orient="row")

    def practices_by_kind(self) -> dict[str, dict[str, int]]:
        """Counts of each step by kind of practice, for JSON; kinds that nobody practised are left out."""
        return {
            practice.label: dict(zip(STEPS.values(), self.practices[practice].tolist(), strict=True))
            for practice in Practice
            if self.practices[practice].any()
        }

    def _means(self, tick: int, world: World) -> tuple[float | None, ...]:
        if tick not in self.states:
            return (None,) * (1 + len(STATES))
        people, *sums = self.states[tick][world].tolist()
        return (people, *(total / FIXED_POINT / people if people else None for total in sums))

    def _count_practices(self, events: pa.RecordBatch) -> None:
        kinds = events.column("kind").to_numpy()
        rows = np.flatnonzero(np.isin(kinds, _KINDS))
        if not len(rows):
            return
        practice = events.column("practice").field("practice").take(pa.array(rows)).to_numpy(zero_copy_only=False)
        steps = np.searchsorted(_KINDS, kinds[rows])
        np.add.at(self.practices, (practice.astype(np.int64), steps), 1)


def _states_of(population: Metaverse) -> Counts:
    found = np.zeros((max(World) + 1, 1 + len(STATES)), np.int64)
    for world in World:
        if world is World.NONE:
            continue
        here = population.residents(world)
        found[world, 0] = len(here)
        for place, state in enumerate(STATES, start=1):
            found[world, place] = (population.people[state][here] * FIXED_POINT).astype(np.int64).sum()
    return found
