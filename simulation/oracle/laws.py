"""What holds for everybody in a scenario, in the form that compiled loops take it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulation.cognition.parameters import Parameters
from simulation.core.model import attraction_table
from simulation.core.moment import Common
from simulation.core.rows import Rows
from simulation.core.sources import source_field
from simulation.core.tables import record_of
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


def laws_of(scenario: Scenario) -> Laws:
    """The laws of a scenario."""
    parameters = scenario.parameters()
    acts = {
        int(world): (agent.act_all, record_of(agent.spec.parameters, source_field()))
        for world, agent in discover().items()
    }
    return Laws(
        parameters=parameters,
        cognition=record_of(parameters, source_field()),
        acts=acts,
        watches={int(world): watch for world, watch in watchers().items()},
        common=Common(attraction_table(scenario), np.zeros((1, 3), np.int64), 1),
    )
