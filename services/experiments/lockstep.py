"""Lockstep: a tick's decisions are applied before the next tick starts."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
from opentelemetry.context import Context
from opentelemetry.trace import Tracer

from infra.bus.ticks import TickBatch
from infra.bus.tracing import process_span
from infra.contracts.commands import COMMAND
from infra.contracts.frames import Frame
from infra.contracts.time import wall_us
from infra.telemetry import names
from infra.telemetry.propagation import links_of
from services.experiments.series import Series
from services.experiments.wire import SourceWire
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput

ARM = "run"
Progress = Callable[[int], None]


@dataclass
class LoopCounts:
    """What the source knows of a stretch of ticks."""

    ticks: int = 0
    events: int = 0
    applied: int = 0
    round_trip_ms: list[float] = field(default_factory=list)
    interrupted: bool = False


def emit(population: Metaverse, wire: SourceWire) -> TickOutput:
    """One tick of the population, sent."""
    population.step(intended_at=wall_us())
    output = population.drain()
    wire.publish(output.tick, {"events": output.events, "outcomes": output.outcomes, "truth": output.truth})
    return output


def run_open(
    population: Metaverse, wire: SourceWire, ticks: int, stop: threading.Event, progress: Progress
) -> LoopCounts:
    """Run ticks without waiting for decisions (the warm-up)."""
    counts = LoopCounts()
    for _ in range(ticks):
        if stop.is_set():
            counts.interrupted = True
            break
        output = emit(population, wire)
        counts.ticks += 1
        counts.events += output.events.num_rows
        progress(1)
    wire.flush()
    return counts


@dataclass(frozen=True)
class Record:
    """Where a loop notes what it did."""

    counts: LoopCounts
    series: Series


class LockstepLoop:
    """Runs ticks with each tick's orders applied before the next, each hop traced."""

    def __init__(
        self,
        population: Metaverse,
        wire: SourceWire,
        tracer: Tracer,
        record: Record,
        watch: Callable[[], None],
    ) -> None:
        self._population = population
        self._wire = wire
        self._tracer = tracer
        self._record = record
        self._watch = watch

    def run(self, ticks: int, stop: threading.Event, progress: Progress) -> None:
        """Run `ticks` ticks, or until `stop` is set, which ends the loop between two ticks."""
        for _ in range(ticks):
            if stop.is_set():
                self._record.counts.interrupted = True
                break
            self._tick()
            progress(1)

    def _tick(self) -> None:
        counts = self._record.counts
        self._watch()
        started = wall_us()
        with self._tracer.start_as_current_span(names.STEP_TICK, context=Context()) as span:
            output = emit(self._population, self._wire)
            span.set_attributes({names.CALM_TICK: output.tick, names.CALM_ROWS: output.events.num_rows})
        # Counted as soon as it is out: a run that breaks off here has emitted it.
        counts.ticks += 1
        counts.events += output.events.num_rows
        self._record.series.add(ARM, self._population, output)
        orders = self._wire.await_orders(output.tick, self._watch)
        topic = self._wire.topics.interventions
        with process_span(self._tracer, topic, orders.tick, orders.frames, self._wire.source):
            counts.applied += self._apply(orders)
        counts.round_trip_ms.append((wall_us() - started) / 1000)

    def _apply(self, orders: TickBatch) -> int:
        """Apply a tick's orders in one canonical order, and write a span for each that took effect."""
        frames = [(received, received.item) for received in orders.frames if isinstance(received.item, Frame)]
        if not frames:
            return 0
        started = wall_us()
        table = pa.Table.from_batches([frame.batch for _, frame in frames], schema=COMMAND.arrow)
        batch = table.sort_by([("person", "ascending")]).combine_chunks().to_batches()[0]
        applied = set(self._population.apply(batch).tolist())
        for received, frame in frames:
            for row in frame.batch.select(["command_id", "person", "practice"]).to_pylist():
                if row["command_id"] in applied:
                    self._apply_span(row, received.traceparent, started)
        return len(applied)

    def _apply_span(self, row: dict[str, int], traceparent: str | None, started_us: int) -> None:
        span = self._tracer.start_span(
            names.APPLY_COMMAND,
            links=links_of([traceparent]),
            start_time=started_us * 1000,
            attributes={
                names.CALM_TICK: self._population.tick,
                names.CALM_COMMAND_ID: str(row["command_id"]),
                names.CALM_PERSON: str(row["person"]),
                names.CALM_PRACTICE: str(row["practice"]),
            },
        )
        span.end()
