"""What holds at a moment: parameters of cognition and worlds, and how much each world draws people, by the scenario.

Conditions change at the edges of phases, and each hour where something drifts: in between nothing is computed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.contracts.worlds import World
from simulation.cognition.parameters import Parameters
from simulation.core.moment import WORLDS
from simulation.scenarios.changes import HOURS_A_DAY, Phase, Rates, hours_table
from simulation.scenarios.model import Scenario
from simulation.worlds import discover

_HOUR = 60
_DAY_HOURS = 24.0
MOST = 0.9
"""Most that may arrive a minute, however large the factors: a world has other things to do too."""

Key = tuple[int, int]


@dataclass(frozen=True)
class Conditions:
    """`attraction` is float64 [place, local hour], 24 hours of weekdays, then 24 of weekends; 0 where it is closed.

    `worlds` has the parameters of each.
    """

    cognition: Parameters
    worlds: dict[World, Any]
    attraction: NDArray[np.float64]


class Timetable:
    """Conditions of a scenario by tick."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._from = scenario.run_first_tick
        self._edges = [(round(p.from_hour * _HOUR), round(p.to_hour * _HOUR)) for p in scenario.phases]

    def key(self, tick: int) -> Key:
        """Equal for ticks with equal conditions: the phase (-1 for none), and hours of drift."""
        minute = tick - self._from
        phase = next((i for i, (first, end) in enumerate(self._edges) if first <= minute < end), -1)
        return phase, 0 if self._scenario.drift.still else max(0, minute // _HOUR)

    def at(self, key: Key) -> Conditions:
        """What holds at the ticks of a key."""
        phase = self._scenario.phases[key[0]] if key[0] >= 0 else None
        rates = [self._scenario.rates, self._drifted(key[1])] + ([phase.rates] if phase else [])
        return Conditions(
            _cognition(self._scenario.parameters(), rates),
            {world: _world(agent.spec, rates) for world, agent in discover().items()},
            self._attraction(phase),
        )

    def _drifted(self, hours: int) -> Rates:
        drift, days = self._scenario.drift, hours / _DAY_HOURS
        exposures = {world.label: drift.exposures**days for world in discover()}
        # Not validated: a long drift may pass the limits of what can be asked for.
        return Rates.model_construct(exposures=exposures, strain=drift.strain**days, wandering=drift.wandering**days)

    def _attraction(self, phase: Phase | None) -> NDArray[np.float64]:
        weights = self._scenario.worlds | (phase.worlds if phase else {})
        table = np.zeros((WORLDS, 2 * HOURS_A_DAY))
        for world, agent in discover().items():
            own = self._scenario.hours.get(world.label)
            hours = agent.spec.hours if own is None else hours_table(own)
            weekday = np.asarray(hours) * weights.get(world.label, 0.0)
            table[world] = np.concatenate([weekday, agent.spec.weekend * weekday])
        return table


def _cognition(base: Parameters, rates: list[Rates]) -> Parameters:
    strain, wandering, contagion, visits = (
        _product(getattr(each, name) for each in rates) for name in ("strain", "wandering", "contagion", "visits")
    )
    return replace(
        base,
        strain_onset=base.strain_onset * strain,
        wander_onset=base.wander_onset * wandering,
        contagion=base.contagion * contagion,
        gap_scale=base.gap_scale / visits,
    )


def _world(spec: Any, rates: list[Rates]) -> Any:  # noqa: ANN401  each world has parameters of its own type
    factor = _product(each.exposures.get(spec.world.label, 1.0) for each in rates)
    rate = getattr(spec.parameters, spec.exposures)
    return replace(spec.parameters, **{spec.exposures: min(rate * factor, max(rate, MOST))})


def _product(factors: Iterable[float]) -> float:
    product = 1.0
    for factor in factors:
        product *= factor
    return product
