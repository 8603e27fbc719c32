"""The source's side of Kafka: what a population (or a replayed log) sends each tick, and the orders that come back."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from opentelemetry.trace import Tracer

from infra.bus.broker import Capabilities
from infra.bus.consumer import FrameConsumer
from infra.bus.deadletters import DeadLetter, DeadLetters, read_letters
from infra.bus.messages import Raw
from infra.bus.producer import BULK_LINGER_MS, LINGER_MS, FrameProducer, TickMark
from infra.bus.ticks import TickBatch, TickGate
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame
from infra.contracts.identity import partition_of
from infra.contracts.topics import PARTITIONS, STREAMS, Topics

TICK_SECONDS = 120.0
"""How long a lockstep tick may take before the run gives up: a restarted service catches up well within it."""

_POLL_SECONDS = 0.25
_IN_FLIGHT = 4_096


class SourceWire:
    """Sends a tick's rows by partition with tick-ends, and waits for the tick's orders.

    One writer of the source's partitions; for one thread. It begins in bulk, for ticks that nobody waits for; after
    `go_live` each tick is sent at once.
    """

    def __init__(self, bootstrap: str, namespace: str, source: str, tracer: Tracer, capabilities: Capabilities) -> None:
        self.topics = Topics(namespace)
        self.source = source
        self._bootstrap = bootstrap
        self._committed_only = capabilities.transactions
        self._outage_s = capabilities.outage_s
        self._tracer = tracer
        self._producer = self._connected(BULK_LINGER_MS)
        self._consumer = FrameConsumer(
            bootstrap,
            client_id=f"{source}-orders",
            fetch_max_wait_ms=capabilities.fetch_wait_ms,
            committed_only=self._committed_only,
            outage_s=self._outage_s,
        )
        inputs = [(self.topics.interventions, partition) for partition in range(PARTITIONS)]
        self._consumer.assign(dict.fromkeys(inputs, 0))
        self._gate = TickGate(inputs)
        self._released: list[TickBatch] = []

    def go_live(self) -> None:
        """From here on somebody waits for each tick."""
        self._producer.flush()
        self._producer.close()
        self._producer = self._connected(LINGER_MS)

    def publish(self, tick: int, batches: Mapping[str, pa.RecordBatch]) -> int:
        """Send rows by stream (each with a `person` column) and close the tick in every partition; rows sent."""
        for stream, batch in batches.items():
            parts = np.asarray(partition_of(_persons(batch))) if batch.num_rows else np.zeros(0, dtype=np.int32)
            for partition in range(PARTITIONS):
                self._send(stream, tick, partition, batch.take(pa.array(np.flatnonzero(parts == partition))))
        return sum(batch.num_rows for batch in batches.values())

    def await_orders(self, tick: int, watch: Callable[[], None]) -> TickBatch:
        """The orders of a tick, waiting up to TICK_SECONDS; earlier ticks are passed over.

        `watch` is called while waiting, about four times a second: it restarts what has died, or raises.
        """
        deadline = time.monotonic() + TICK_SECONDS
        while time.monotonic() < deadline:
            while self._released:
                batch = self._released.pop(0)
                if batch.tick == tick:
                    return batch
            received = self._consumer.poll(_POLL_SECONDS)
            if not received:
                self._producer.check()
                watch()
            for item in received:
                self._gate.offer(item)
            self._released.extend(self._gate.release())
        raise EnvironmentFailed(
            f"no orders for tick {tick} after {TICK_SECONDS:.0f} s: the loop stands still; see logs/ in the run folder"
        )

    def flush(self) -> None:
        """Wait until the broker has everything that was sent."""
        self._producer.flush()

    def end_offsets(self, streams: tuple[str, ...]) -> dict[str, int]:
        """Next offset of each partition of the streams' topics, keyed `topic/partition`."""
        topics = [self.topics.of(stream) for stream in streams]
        return {
            f"{topic}/{partition}": offset
            for topic in topics
            for partition, offset in self._consumer.end_offsets(topic).items()
        }

    def bury(self, raw: bytes, error: str) -> None:
        """Put something aside that could not become an event."""
        letter = DeadLetter(topic=self.topics.events, partition=0, offset=-1, error=error, raw=Raw(None, raw))
        DeadLetters(self._producer).write(letter)

    def count_dead_letters(self) -> int:
        """Letters in the dead letter topics of the namespace, each thing once however many readers put it aside."""
        topics = (self.topics.deadletter(self.topics.of(stream)) for stream in STREAMS)
        return sum(len(read_letters(self._bootstrap, each, committed_only=self._committed_only)) for each in topics)

    def close(self) -> None:
        """Close both clients."""
        self._producer.close()
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connected(self, linger_ms: int) -> FrameProducer:
        return FrameProducer(
            self._bootstrap,
            namespace=self.topics.namespace,
            client_id=self.source,
            max_in_flight=_IN_FLIGHT,
            tracer=self._tracer,
            linger_ms=linger_ms,
            outage_s=self._outage_s,
        )

    def _send(self, stream: str, tick: int, partition: int, batch: pa.RecordBatch) -> None:
        topic = self.topics.of(stream)
        if batch.num_rows:
            frame = Frame(stream=stream, tick=tick, source=self.source, batch=batch)
            self._producer.send(topic, partition, frame)
        self._producer.end_tick(topic, partition, TickMark(tick=tick, source=self.source))


def _persons(batch: pa.RecordBatch) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    persons: np.ndarray[tuple[int], np.dtype[np.uint64]] = batch.column("person").to_numpy(zero_copy_only=False)
    return persons
