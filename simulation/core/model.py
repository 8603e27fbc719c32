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
from simulation.core.loops import group_by_world, sum_circles
from simulation.core.measures import measures
from simulation.core.moment import WORLDS, Common, Moment
from simulation.core.output import TickOutput, Writer
from simulation.core.person import TALLIES
from simulation.core.population import born, circle_count
from simulation.core.rows import ROOM, Rows, Sink, make_sink
from simulation.core.sources import source_field
from simulation.core.tables import record_of
from simulation.core.world_agent import Outside, Place
from simulation.scenarios.model import TICKS_A_DAY, Scenario
from simulation.worlds import discover


def pseudonym_key(seed: int) -> bytes:
    """Key of a simulation's pseudonyms. Simulated people need no secrecy: the key follows from the seed."""
    return blake2b(b"calmverse simulation", key=seed.to_bytes(8, "little"), digest_size=32).digest()


def attraction_table(scenario: Scenario) -> NDArray[np.float64]:
    """float64 [place, local hour]: how much each world draws people, weekdays, then weekends; 0 where it is closed."""
    table = np.zeros((WORLDS, 48))
    for world, agent in discover().items():
        hours = np.asarray(agent.spec.hours) * scenario.worlds.get(world.label, 0.0)
        table[world] = np.concatenate([hours, agent.spec.weekend * hours])
    return table


class Metaverse(mesa.Model):  # type: ignore[misc]  # mesa publishes no types
    """A population in five worlds. Same scenario, seed and commands: same output, bit for bit.

    `tick` is the minute since the epoch that the next `step()` simulates. Warm-up and run are one continuous model;
    the first tick is `scenario.first_tick`. With `shard=(index, count)` the model holds every count-th person from
    index on, and `exchange` must be given the circle sums of all shards after each step.
    """

    def __init__(self, scenario: Scenario, seed: int | None = None, shard: tuple[int, int] | None = None) -> None:
        self.scenario = scenario
        self.seed_value = scenario.seed if seed is None else seed
        super().__init__(seed=self.seed_value)
        self.shard = shard or (0, 1)
        self.tick = scenario.first_tick
        self.cognition = self.parameter_table(scenario.parameters())
        self.pseudonyms = Pseudonyms(pseudonym_key(self.seed_value))
        numbers = np.arange(self.shard[0], scenario.people, self.shard[1], dtype=np.int64)
        self.people: Rows = born(scenario, self.seed_value, numbers)
        self.common = Common(
            attraction_table(scenario),
            np.zeros((circle_count(scenario), 3), np.int64),
            min(scenario.circle_size, scenario.people),
        )
        self.refused: Counter[str] = Counter()
        self._writer = Writer(self.seed_value, self.pseudonyms, scenario.people)
        self._sink = make_sink(ROOM * 64)
        self._measured_from = self.tick
        self._intended_at = 0
        self._order = np.zeros(len(numbers), np.int64)
        self.places: list[Place] = [Outside(self), *(agent(self) for agent in discover().values())]

    @property
    def moment(self) -> Moment:
        """The tick that is being, or will be, simulated."""
        return Moment(self.seed_value, self.tick, self.tick % TICKS_A_DAY, self.scenario.truth_every_minutes)

    @property
    def persons(self) -> NDArray[np.uint64]:
        """Pseudonyms of the people, uint64 [people], in the order of `measure()`."""
        return self.pseudonyms.encode(self.people["number"].astype(np.uint64))

    def step(self, intended_at: int = 0) -> None:
        """Simulate one minute. `intended_at` (µs, wall) is stamped on what it emits; 0 where the run is not paced."""
        self._intended_at = intended_at
        self._sink.used[:] = 0
        self._group()
        self.agents.do("step")
        self._group()
        self.agents.do("advance")
        self.tick += 1
        if self.shard[1] == 1:
            sum_circles(self.people, self.common.circles)

    def circle_sums(self) -> NDArray[np.int64]:
        """This shard's part of the circle sums after a step: int64 [circle, 3]; parts of shards add up exactly."""
        sums: NDArray[np.int64] = np.zeros_like(self.common.circles)
        sum_circles(self.people, sums)
        return sums

    def exchange(self, totals: NDArray[np.int64]) -> None:
        """Take over the circle sums of all shards, int64 [circle, 3]."""
        self.common.circles[:] = totals

    def drain(self) -> TickOutput:
        """What the last step wrote, sorted by (person, seq)."""
        events, checks, truth = (table[:used] for table, used in zip(self._sink[:3], self._sink.used, strict=True))
        return self._writer.tick(self.tick - 1, (events, checks, truth), self._intended_at)

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
        needed = int(self._sink.used.max()) + ROOM * people
        if needed > len(self._sink.events):
            larger = make_sink(max(needed, 2 * len(self._sink.events)))
            for old, new in zip(self._sink[:3], larger[:3], strict=True):
                new[: len(old)] = old
            larger.used[:] = self._sink.used
            self._sink = larger
        return self._sink

    def settings(self) -> dict[str, Any]:
        """Parameters of cognition and worlds, by name, for a run's record."""
        worlds = {world.label: asdict(agent.spec.parameters) for world, agent in discover().items()}
        return {"cognition": asdict(self.scenario.parameters()), "worlds": worlds}

    def residents(self, world: World) -> NDArray[np.int64]:
        """Indices of the people in a world at the last step."""
        return next(place.residents for place in self.places if place.code == world)

    def _group(self) -> None:
        starts = np.zeros(WORLDS + 1, np.int64)
        group_by_world(self.people, self._order, starts)
        for place in self.places:
            place.residents = self._order[starts[place.code] : starts[place.code + 1]].copy()

    def _find(self, number: int) -> "PersonView | None":
        index, count = self.shard
        if number >= self.scenario.people or number % count != index:
            return None
        return PersonView(self.people, (number - index) // count)


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
