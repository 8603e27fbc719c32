"""The loop without Kafka: population, scorer and decision engine in one process, one tick after another.

The same code decides and scores as in the services, on the same batches; only the wire is missing. So a lockstep run
over Kafka and this loop end in the same digest, which a test holds. It runs the no-intervention twin, and every arm of
a comparison.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.digest import Digest
from infra.contracts.ports import EventScorer
from infra.contracts.records import SCORE
from models.policies.engine import DecisionEngine
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput

OnTick = Callable[[TickOutput], None]


@dataclass(frozen=True, kw_only=True)
class Mind:
    """What decides in an arm: a scorer where the policy looks at scores, an engine, and the model's version."""

    engine: DecisionEngine
    scorer: EventScorer | None = None
    model_version: str = ""


def run_ticks(population: Metaverse, ticks: int, on_tick: OnTick | None = None) -> None:
    """Run ticks without any decision (a warm-up, or the twin); without `on_tick` nobody looks at what was written."""
    for _ in range(ticks):
        population.step()
        if on_tick is not None:
            on_tick(population.drain())


def run_closed(population: Metaverse, mind: Mind, ticks: int, digest: Digest | None = None) -> int:
    """Run ticks with each tick's orders applied before the next; returns how many took effect."""
    applied = 0
    for _ in range(ticks):
        population.step()
        output = population.drain()
        scores = _scores(mind.scorer, output.events)
        decided = mind.engine.decide(output.tick, scores, output.events, model_version=mind.model_version)
        applied += len(population.apply(decided.commands))
        if digest is not None:
            digest.add_events(output.events)
            digest.add_decisions(decided.decisions)
    return applied


def _scores(scorer: EventScorer | None, events: pa.RecordBatch) -> pa.RecordBatch:
    if scorer is not None:
        return scorer.step(events)
    nothing: Mapping[str, NDArray[Any]] = {
        name: np.full(events.num_rows, np.nan, dtype=np.float32) for name in ("interaction", "lapse")
    }
    columns = [
        pa.array(nothing[field.name]) if field.name in nothing else events.column(field.name) for field in SCORE.arrow
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCORE.arrow)
