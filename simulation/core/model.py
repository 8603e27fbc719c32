"""The metaverse as a Mesa model: worlds are its agents, the population is an array that they step."""

from collections import Counter
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

import mesa
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.identity import Pseudonyms
from infra.contracts.time import TICK_US
from infra.contracts.worlds import World
from simulation.core.commands import carry_out, orders
from simulation.core.group_agent import Groups
from simulation.core.loops import add_circles
from simulation.core.measures import measures
from simulation.core.moment import WORLDS, Common, Moment
from simulation.core.output import TickOutput, Writer
from simulation.core.person import TALLIES
from simulation.core.population import born, circle_count
from simulation.core.rows import Rows, Sink, make_sink, with_room
from simulation.core.shards import Shard, numbers_of, partitions_of, place_of
from simulation.core.sources import source_field
from simulation.core.tables import record_of
from simulation.core.timetable import Key, Timetable
from simulation.core.whereabouts import Whereabouts
from simulation.core.world_agent import Outside, Place, WorldAgent
from simulation.scenarios.changes import HOURS_A_DAY
from simulation.scenarios.model import TICKS_A_DAY, Scenario
from simulation.worlds import discover


def pseudonym_key(seed: int) -> bytes:
    """Key of a simulation's pseudonyms. Simulated people need no secrecy: the key follows from the seed."""
    return blake2b(b"calmverse simulation", key=seed.to_bytes(8, "little"), digest_size=32).digest()


class Metaverse(mesa.Model):  # type: ignore[misc]  # mesa publishes no types
    """A population in five worlds. Same scenario, seed and commands: same output, bit for bit.

    `tick` is the minute since the epoch that the next `step()` simulates. Warm-up and run are one continuous model;
    the first tick is `scenario.first_tick`. With `shard=(index, count)` the model holds the people of every count-th
    partition from index on, and `exchange` must be given the circle sums of all shards after each step.

    The places are stepped once for each block of people; agents that somebody adds are stepped once a tick, afterwards.
    """

    def __init__(self, scenario: Scenario, seed: int | None = None, shard: Shard = (0, 1)) -> None:
        self.scenario = scenario
        self.seed_value = scenario.seed if seed is None else seed
        super().__init__(seed=self.seed_value)
        self.shard = shard
        self.tick = scenario.first_tick
        self.timetable = Timetable(scenario)
        self._conditions_of: Key | None = None
        self.pseudonyms = Pseudonyms(pseudonym_key(self.seed_value))
        numbers = numbers_of(shard, scenario.people, self.pseudonyms)
        self.people: Rows = born(scenario, self.seed_value, numbers)
        self.common = Common(
            np.zeros((WORLDS, 2 * HOURS_A_DAY)),
            np.zeros((circle_count(scenario), 3), np.int32),
            min(scenario.circle_size, scenario.people),
        )
        self.refused: Counter[str] = Counter()
        self.whereabouts = Whereabouts(self.people, self.tick)
        self._sums = np.zeros_like(self.common.circles)
        self._writer = Writer(self.seed_value, self.pseudonyms)
        self._sink = make_sink(64)
        self._measured_from = self.tick
        self._intended_at = 0
        self._block = (0, 0)
        worlds = [agent(self) for agent in discover().values()]
        self.places: list[Place] = [Outside(self), *worlds]
        self.groups = [Groups(self, world) for world in worlds]
        self._set_conditions()

    @property
    def moment(self) -> Moment:
        """The tick that is being, or will be, simulated."""
        return Moment(self.seed_value, self.tick, self.tick % TICKS_A_DAY, self.scenario.truth_every_minutes)

    @property
    def persons(self) -> NDArray[np.uint64]:
        """Pseudonyms of the people, uint64 [people], in the order of `measure()`."""
        return self.pseudonyms.encode(self.people["number"].astype(np.uint64))

    def persons_at(self, places: NDArray[np.integer]) -> NDArray[np.uint64]:
        """Pseudonyms of the people at these indices, uint64, shape as given."""
        return self.pseudonyms.encode(self.people["number"][places].astype(np.uint64))

    def step(self, intended_at: int = 0) -> None:
        """Simulate one minute. `intended_at` (µs, wall) is stamped on what it emits; 0 where the run is not paced."""
        self._intended_at = intended_at
        self._sink.used[:] = 0
        self._sums[:] = 0
        self._set_conditions()
        for block in self.whereabouts.blocks():
            self._block = block
            self._step_block()
        for agent in self.agents:
            if not isinstance(agent, Place):
                agent.step()
        self.tick += 1
        if self.shard[1] == 1:
            self.common.circles[:] = self._sums

    def circle_sums(self) -> NDArray[np.int32]:
        """This shard's part of the circle sums after a step: int32 [circle, 3]; parts of shards add up exactly."""
        sums: NDArray[np.int32] = self._sums.copy()
        return sums

    def exchange(self, totals: NDArray[np.integer]) -> None:
        """Take over the circle sums of all shards, whole numbers [circle, 3]."""
        self.common.circles[:] = totals

    def drain(self) -> TickOutput:
        """What the last step wrote, sorted by (person, seq)."""
        return self._writer.tick(self.tick - 1, self._written(), self._intended_at)

    def drain_parts(self) -> dict[int, TickOutput]:
        """What the last step wrote, by partition (each of this shard's), sorted by (person, seq) within."""
        return self._writer.parts(self.tick - 1, self._written(), self._intended_at, partitions_of(self.shard))

    def apply(self, commands: pa.RecordBatch) -> NDArray[np.uint64]:
        """Apply COMMAND rows before the next step; the ids of those that took effect, the rest counted in `refused`."""
        applied, refused = carry_out(orders(commands, self.pseudonyms), self.tick * TICK_US, self._find)
        self.refused.update(refused)
        return applied

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Measures per person, float64 [people], since `start_measuring` (or the first tick): see `measures`."""
        return measures(self.people, self.tick - self._measured_from)

    def start_measuring(self) -> None:
        """Forget what was counted so far: measures begin at the next tick."""
        for name in TALLIES:
            self.people[name] = 0
        self._measured_from = self.tick

    def parameter_table(self, parameters: object) -> Rows:
        """A frozen parameter dataclass as a one-row table for compiled loops; its type names the kernel sources."""
        return record_of(parameters, source_field())

    def rows_for(self, people: int) -> Sink:
        """The row buffers, with room for a minute of `people` more people."""
        self._sink = with_room(self._sink, people)
        return self._sink

    def present(self, place: World) -> NDArray[np.int32]:
        """Indices of those of the current block whom a place steps; outside, only of those who must be visited."""
        if place is World.NONE:
            return self.whereabouts.await_visit(self._block, self.tick)
        return self.whereabouts.here(place)

    def settings(self) -> dict[str, Any]:
        """Parameters of cognition and worlds, by name, for a run's record."""
        worlds = {world.label: asdict(agent.spec.parameters) for world, agent in discover().items()}
        return {"cognition": asdict(self.scenario.parameters()), "worlds": worlds}

    def residents(self, world: World) -> NDArray[np.int64]:
        """Indices of the people in a place after the last step, sorted."""
        return self.whereabouts.all_in(world)

    @property
    def nbytes(self) -> int:
        """Bytes of everything here that grows with the people, row buffers included."""
        tables = (self.people, self.common.circles, self._sums, *self._sink[:3])
        return self.whereabouts.nbytes + sum(table.nbytes for table in tables)

    def _written(self) -> tuple[Rows, Rows, Rows]:
        used = self._sink.used
        return self._sink.events[: used[0]], self._sink.checks[: used[1]], self._sink.truth[: used[2]]

    def _set_conditions(self) -> None:
        key = self.timetable.key(self.tick)
        if key == self._conditions_of:
            return
        self._conditions_of = key
        conditions = self.timetable.at(key)
        self.cognition = self.parameter_table(conditions.cognition)
        self.common.attraction[:] = conditions.attraction
        for place in self.places:
            if isinstance(place, WorldAgent):
                place.table = self.parameter_table(conditions.worlds[place.code])

    def _step_block(self) -> None:
        """One minute of a block: everybody lives, then those in a world act; then their circles are summed."""
        self.whereabouts.group(self._block)
        for place in self.places:
            place.step()
        self.whereabouts.group(self._block)
        for place in self.places:
            place.advance()
        add_circles(self.people, self.whereabouts.in_session(), self._sums)

    def _find(self, number: int) -> "PersonView | None":
        if number >= self.scenario.people:
            return None
        place = number if self.shard[1] == 1 else place_of(number, self.people["number"])
        return None if place is None else PersonView(self.people, place)


class PersonView:
    """One person of the array, with attributes: reading and writing go through to the array."""

    __slots__ = ("_people", "_place")
    _people: Rows
    _place: int

    def __init__(self, people: Rows, place: int) -> None:
        object.__setattr__(self, "_people", people)
        object.__setattr__(self, "_place", place)

    def __getattr__(self, name: str) -> int | float:
        value: int | float = self._people[name][self._place].item()
        return value

    def __setattr__(self, name: str, value: float) -> None:
        self._people[name][self._place] = value
