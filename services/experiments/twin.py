"""The no-intervention twin: the same people with the same random numbers, never offered anything."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.experiments.inprocess import run_ticks
from services.experiments.series import Series
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios.model import Scenario

ARM = "twin"


def run_twin(
    scenario: Scenario, seed: int, ticks: int, series: Series, progress: Callable[[int], None]
) -> dict[str, NDArray[np.float64]]:
    """Measures per person, shape (people,), over `ticks` ticks after the scenario's warm-up, in process."""
    population = Metaverse(scenario, seed)

    def noted(output: TickOutput) -> None:
        series.add(ARM, population, output)
        progress(1)

    run_ticks(population, scenario.warmup_ticks)
    progress(scenario.warmup_ticks)
    population.start_measuring()
    run_ticks(population, ticks, noted)
    return population.measure()
