"""One recorded population for the tests that only read it."""

from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pytest

from simulation.core.model import Metaverse
from simulation.scenarios import load


@dataclass(frozen=True)
class Recording:
    """A model after its run, and everything it wrote."""

    model: Metaverse
    events: pl.DataFrame
    outcomes: pl.DataFrame
    truth: pl.DataFrame


@pytest.fixture(scope="session")
def day() -> Recording:
    """800 people of the demo for one simulated day, without offers."""
    scenario = load("demo", {"people": "800", "warmup_days": "0"})
    model = Metaverse(scenario)
    outputs = []
    for _ in range(scenario.ticks):
        model.step(intended_at=5)
        outputs.append(model.drain())
    tables = [
        pl.DataFrame(pl.from_arrow(pa.Table.from_batches([getattr(output, name) for output in outputs])))
        for name in ("events", "outcomes", "truth")
    ]
    return Recording(model, *tables)
