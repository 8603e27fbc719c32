"""What happens to a tick of events: state advances, and a score for each event goes out."""

import time
from collections.abc import Sequence

from opentelemetry.trace import SpanKind

from infra.bus.lanes import Output
from infra.bus.ticks import TickBatch
from infra.contracts.batches import by_partition, joined
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame
from infra.contracts.topics import Topics
from infra.telemetry import names
from infra.telemetry.propagation import current_traceparent
from infra.telemetry.setup import Telemetry
from models.serving.scorer import Scorer
from models.serving.shapes import Forward, ModelCard, PaddedBatch, Scores
from services.monitor.domain import Phase, Status

SOURCE = "monitor"


class TracedForward:
    """`models.serving.shapes.Forward` with a span around each call, whose context goes with it."""

    def __init__(self, forward: Forward, telemetry: Telemetry) -> None:
        self._forward, self._telemetry = forward, telemetry

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._forward.card

    def __call__(self, batches: Sequence[PaddedBatch], traceparent: str | None = None) -> list[Scores]:
        """See `Forward`; a context given by the caller goes before that of the span."""
        attributes = {names.CALM_BATCH_SIZE: sum(len(batch.kind) for batch in batches)}
        with self._telemetry.tracer.start_as_current_span(
            names.FORWARD_CALL, kind=SpanKind.CLIENT, attributes=attributes
        ):
            return self._forward(batches, traceparent or current_traceparent())


class ScoreHandler:
    """A lane's handler: scores every event from `phase` on."""

    def __init__(self, scorer: Scorer, topics: Topics, phase: Phase, telemetry: Telemetry) -> None:
        self._scorer, self._topic, self._phase, self._telemetry = scorer, topics.scores, phase, telemetry
        self._tick: int | None = None

    def handle(self, batch: TickBatch) -> list[Output]:
        """Score a tick; one frame for each partition that has events, none before the first tick to be scored."""
        started = time.perf_counter()
        frames = self._score(batch)
        self._tick = batch.tick
        self._telemetry.measures.set(names.METRIC_TICK, batch.tick)
        self._telemetry.measures.observe(names.METRIC_TICK_SECONDS, time.perf_counter() - started)
        return frames

    def status(self, dropped: dict[str, int] | None = None) -> Status:
        """How it is doing; may be called from any thread."""
        counters = self._scorer.counters
        return Status(
            tick=self._tick,
            people=self._scorer.people,
            model_version=self._scorer.model_version,
            events_scored=counters.scored,
            events_ingested=counters.ingested,
            events_refused=counters.refused,
            events_missing=counters.missing,
            dropped=dropped or {},
        )

    def snapshot(self) -> bytes:
        """The scorer's state."""
        return self._scorer.snapshot()

    def restore(self, state: bytes) -> None:
        """Become the state of `snapshot`."""
        self._scorer.restore(state)

    def _score(self, batch: TickBatch) -> list[Output]:
        events = joined(batch.of("events"), EVENT)
        if not self._phase.scores(batch.tick):
            self._scorer.ingest(events)
            return []
        attributes = {names.CALM_TICK: batch.tick, names.CALM_ROWS: events.num_rows}
        with self._telemetry.tracer.start_as_current_span(names.SCORE_TICK, attributes=attributes):
            scores = self._scorer.step(events)
        model = {"model_version": self._scorer.model_version}
        return [
            Output(
                self._topic,
                partition,
                Frame(
                    stream="scores",
                    tick=batch.tick,
                    source=SOURCE,
                    batch=rows,
                    lineage=batch.lineage(partition),
                    attributes=model,
                ),
            )
            for partition, rows in by_partition(scores).items()
        ]
