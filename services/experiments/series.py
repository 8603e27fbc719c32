"""How each world fared, minute by minute: what the report's small multiples show."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from infra.contracts.worlds import World
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput

_STATES = ("focus", "stress", "mood")


class Series:
    """Collects one row a tick and world: people there, their mean states, and their events."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []

    def add(self, arm: str, population: Metaverse, output: TickOutput) -> None:
        """Note the tick that the population has just done."""
        events = np.bincount(output.events.column("world").to_numpy(), minlength=max(World) + 1)
        for world in World:
            if world is World.NONE:
                continue
            here = population.residents(world)
            means = [float(population.people[state][here].mean()) if len(here) else None for state in _STATES]
            self._rows.append((arm, output.tick, world.label, len(here), *means, int(events[world])))

    def write(self, path: Path) -> None:
        """Write series.parquet."""
        schema = {
            "arm": pl.String,
            "tick": pl.Int64,
            "world": pl.String,
            "people": pl.Int64,
            **{f"{state}_mean": pl.Float64 for state in _STATES},
            "events": pl.Int64,
        }
        pl.DataFrame(self._rows, schema=schema, orient="row").write_parquet(path)
