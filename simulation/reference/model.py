"""One object a person: the model as a Mesa user would write it, kept as the measure of the fast one.

It calls the same scalar kernels, which are plain Python here, with the same counter-based draws, so it must give the
same events bit for bit; only where rows become Arrow batches do the two share code.
"""

from collections import Counter
from typing import Any

import mesa
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.identity import Pseudonyms
from infra.contracts.time import TICK_US
from infra.contracts.worlds import World
from simulation.core.commands import carry_out, orders
from simulation.core.life import live
from simulation.core.model import pseudonym_key
from simulation.core.moment import FIXED_POINT, Common, Moment
from simulation.core.output import TickOutput, Writer
from simulation.core.person import PERSON
from simulation.core.population import born, circle_count
from simulation.core.rows import CHECK_ROW, EVENT_ROW, TRUTH_ROW, ListSink, Rows
from simulation.core.timetable import Key, Timetable
from simulation.scenarios.model import TICKS_A_DAY, Scenario
from simulation.worlds import discover


def plain_common(scenario: Scenario) -> Common:
    """What people have in common, in dictionaries: `attraction[place, hour]` and `circles[circle, which]`."""
    circles = {(circle, which): 0 for circle in range(circle_count(scenario)) for which in range(3)}
    return Common({}, circles, min(scenario.circle_size, scenario.people))


class PersonAgent(mesa.Agent):  # type: ignore[misc]  # mesa publishes no types
    """One person; attributes as in `core.person.Person`."""

    model: "PlainMetaverse"

    def __init__(self, model: "PlainMetaverse", birth: np.void) -> None:
        super().__init__(model)
        for name in PERSON.names or ():
            setattr(self, name, birth[name].item())

    def step(self) -> None:
        """One minute: live, then do what the world one is in has people do."""
        model = self.model
        live(self, model.cognition, model.moment, model.common, model.sink)
        if self.world > 0:
            act, parameters = model.acts[self.world]
            act(self, model.cognition, parameters, model.moment, model.common, model.sink)

    def join_circle(self) -> None:
        """Add one's mood and stress to the circle's sums, in fixed point."""
        if self.world > 0:
            circles = self.model.common.circles
            circles[self.circle, 0] += 1
            circles[self.circle, 1] += int(self.mood * FIXED_POINT)
            circles[self.circle, 2] += int(self.stress * FIXED_POINT)


class PlainMetaverse(mesa.Model):  # type: ignore[misc]  # mesa publishes no types
    """`core.model.Metaverse` with one agent a person: the same step, apply and drain, the same output."""

    def __init__(self, scenario: Scenario, seed: int | None = None) -> None:
        seed = scenario.seed if seed is None else seed
        super().__init__(seed=seed)
        self.scenario, self.seed_value, self.tick = scenario, seed, scenario.first_tick
        self.timetable = Timetable(scenario)
        self._conditions_of: Key | None = None
        self.common = plain_common(scenario)
        self.sink = ListSink()
        self.pseudonyms = Pseudonyms(pseudonym_key(seed))
        self.refused: Counter[str] = Counter()
        self._writer = Writer(seed, self.pseudonyms)
        self._intended_at = 0
        numbers = np.arange(scenario.people, dtype=np.int64)
        self.people = [PersonAgent(self, birth) for birth in born(scenario, seed, numbers)]
        self.moment = self._now()
        self._set_conditions()

    def step(self, intended_at: int = 0) -> None:
        """Simulate one minute, person after person."""
        self._intended_at = intended_at
        self.sink = ListSink()
        self.moment = self._now()
        self._set_conditions()
        self.agents.do("step")
        self.tick += 1
        for key in self.common.circles:
            self.common.circles[key] = 0
        self.agents.do("join_circle")

    def drain(self) -> TickOutput:
        """What the last step wrote, sorted by (person, seq)."""
        tables = (
            _table(self.sink.events, EVENT_ROW),
            _table(self.sink.checks, CHECK_ROW),
            _table(self.sink.truth, TRUTH_ROW),
        )
        return self._writer.tick(self.tick - 1, tables, self._intended_at)

    def apply(self, commands: pa.RecordBatch) -> NDArray[np.uint64]:
        """Apply COMMAND rows before the next step; the ids of those that took effect, the rest counted in `refused`."""
        applied, refused = carry_out(orders(commands, self.pseudonyms), self.tick * TICK_US, self._find)
        self.refused.update(refused)
        return applied

    def residents(self, world: World) -> list[PersonAgent]:
        """The people in a world now."""
        return [person for person in self.people if person.world == world]

    def _set_conditions(self) -> None:
        key = self.timetable.key(self.tick)
        if key == self._conditions_of:
            return
        self._conditions_of = key
        conditions = self.timetable.at(key)
        self.cognition = conditions.cognition
        self.acts = {int(world): (agent.act, conditions.worlds[world]) for world, agent in discover().items()}
        for (place, hour), draw in np.ndenumerate(conditions.attraction):
            self.common.attraction[place, hour] = float(draw)

    def _now(self) -> Moment:
        return Moment(self.seed_value, self.tick, self.tick % TICKS_A_DAY, self.scenario.truth_every_minutes)

    def _find(self, number: int) -> PersonAgent | None:
        return self.people[number] if number < len(self.people) else None


def _table(objects: list[Any], dtype: np.dtype[np.void]) -> Rows:
    table = np.zeros(len(objects), dtype)
    for name in dtype.names or ():
        table[name] = [getattr(one, name) for one in objects]
    return table
