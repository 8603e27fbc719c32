"""What holds for everybody in a scenario at a tick, in the form that compiled loops take it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulation.cognition.parameters import Parameters
from simulation.core.moment import Common
from simulation.core.rows import Rows
from simulation.core.sources import source_field
from simulation.core.tables import record_of
from simulation.core.timetable import Key, Timetable
from simulation.scenarios.model import Scenario
from simulation.worlds import discover, watchers

Loop = Callable[..., Any]


@dataclass(frozen=True)
class Laws:
    """Parameters as values and as a table; by world, (`act_all`, its table) and `watch_all`; a circle of nobody."""

    parameters: Parameters
    cognition: Rows
    acts: Mapping[int, tuple[Loop, Rows]]
    watches: Mapping[int, Loop]
    common: Common


class LawBook:
    """The laws of a scenario by tick: phases and drift change them, and an observer knows when."""

    def __init__(self, scenario: Scenario) -> None:
        self._timetable = Timetable(scenario)
        self._known: dict[Key, Laws] = {}

    def at(self, tick: int) -> Laws:
        """The laws of a tick."""
        key = self._timetable.key(tick)
        if key not in self._known:
            self._known[key] = self._laws(key)
        return self._known[key]

    def _laws(self, key: Key) -> Laws:
        conditions = self._timetable.at(key)
        tables = {world: record_of(values, source_field()) for world, values in conditions.worlds.items()}
        return Laws(
            parameters=conditions.cognition,
            cognition=record_of(conditions.cognition, source_field()),
            acts={int(world): (agent.act_all, tables[world]) for world, agent in discover().items()},
            watches={int(world): watch for world, watch in watchers().items()},
            common=Common(conditions.attraction, np.zeros((1, 3), np.int64), 1),
        )
