"""What happens to a tick of scores: one decision for everyone in session, and an order for each offer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from infra.bus.lanes import Output
from infra.bus.ticks import TickBatch
from infra.contracts.batches import by_partition, joined
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame
from infra.contracts.records import SCORE
from infra.contracts.topics import Topics
from infra.telemetry import names
from infra.telemetry.setup import Telemetry
from models.policies import catalog
from models.policies.engine import DecisionEngine
from models.policies.people_state import OBSERVED
from models.policies.points import policy_id
from services.interventions.store import DecisionStore

SOURCE = "interventions"


@dataclass
class Progress:
    """What was decided since the process started; `tick` is the last one, None before the first."""

    tick: int | None = None
    decisions: int = 0
    commands: int = 0


class DecideHandler:
    """A lane's handler: decides by the policy that the store's timeline names for the tick."""

    def __init__(self, engine: DecisionEngine, store: DecisionStore, topics: Topics, telemetry: Telemetry) -> None:
        self._engine, self._store, self._topics, self._telemetry = engine, store, topics, telemetry
        self.progress = Progress()

    def handle(self, batch: TickBatch) -> list[Output]:
        """Decide a tick; frames of decisions and of orders for each partition that has any."""
        started = time.perf_counter()
        events = joined(batch.of("events"), EVENT, OBSERVED)
        scored = batch.of("scores")
        scores = joined(scored, SCORE)
        self._take_policy(batch.tick)
        attributes: dict[str, str | int] = {
            names.CALM_TICK: batch.tick,
            names.CALM_ROWS: scores.num_rows,
            names.CALM_POLICY_ID: policy_id(self._engine.policy),
        }
        with self._telemetry.tracer.start_as_current_span(names.DECIDE, attributes=attributes):
            decisions, commands = self._engine.decide(batch.tick, scores, events, model_version=_model_version(scored))
        self._store.add(decisions)
        self._note(batch.tick, decisions, commands, time.perf_counter() - started)
        return [*self._outputs(batch, "decisions", decisions), *self._outputs(batch, "interventions", commands)]

    def snapshot(self) -> bytes:
        """The engine's state; what the API shows is on disk then, too."""
        self._store.flush()
        return self._engine.snapshot()

    def restore(self, state: bytes) -> None:
        """Become the state of `snapshot`."""
        self._engine.restore(state)

    def _take_policy(self, tick: int) -> None:
        change = self._store.begin(tick)
        self._engine.policy = catalog.create(change.name, change.parameters)

    def _note(self, tick: int, decisions: pa.RecordBatch, commands: pa.RecordBatch, seconds: float) -> None:
        self.progress.tick = tick
        self.progress.decisions += decisions.num_rows
        self.progress.commands += commands.num_rows
        self._telemetry.measures.set(names.METRIC_TICK, tick)
        self._telemetry.measures.observe(names.METRIC_TICK_SECONDS, seconds)

    def _outputs(self, batch: TickBatch, stream: str, rows: pa.RecordBatch) -> list[Output]:
        return [
            Output(
                self._topics.of(stream),
                partition,
                Frame(stream=stream, tick=batch.tick, source=SOURCE, batch=part, lineage=batch.lineage(partition)),
            )
            for partition, part in by_partition(rows).items()
        ]


def _model_version(scored: Sequence[Frame]) -> str:
    """The model behind a tick's scores; several, separated by '+', where it was exchanged among the partitions."""
    return "+".join(sorted({frame.attributes.get("model_version", "") for frame in scored}))
