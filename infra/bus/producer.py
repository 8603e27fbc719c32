"""Sending frames, with a bound on what is under way."""

import contextlib
from collections import deque
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from opentelemetry.trace import Tracer

from infra.bus import liveness, tracing
from infra.bus.clients import (
    DELIVERY_TIMEOUT_MS,
    MAX_RECORD_BYTES,
    REQUEST_TIMEOUT_MS,
    broker_errors,
    broker_failed,
    common_settings,
)
from infra.bus.kafka_library import KafkaError
from infra.bus.library_producer import LibraryProducer
from infra.bus.messages import Raw
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame, Lineage, TickEnd, encode, encode_tick_end
from infra.contracts.topics import stream_of
from infra.telemetry.propagation import KafkaHeaders, inject_headers

_CLOSE_S = 5.0
"""How long closing waits for what is queued."""
_GOODBYE_S = 1.0
"""How long closing waits for the sender's thread, once nothing is queued any more: it may be busy reconnecting."""

LINGER_MS = 1
"""Long enough for the frames of one tick to travel together: readers then see them with one fetch, not with two."""

BULK_LINGER_MS = 200
"""For a source that nobody waits for. A fetch from the embedded broker gets slower with every batch that a partition
holds (measured): few large batches keep later fetches fast."""

_TRANSACTION_POLL_MS = 5
"""The library waits for its whole retry pause (100 ms) behind every request of a transaction, answered or not: a tick
of three such requests took 350 ms on Apache Kafka, whose answers come within a few milliseconds."""

BATCH_BYTES = 900_000
"""Of one batch, at most; a frame is never larger."""


@dataclass(frozen=True)
class TickMark:
    """The tick that a source ends, and (for a derived stream) what it was made from."""

    tick: int
    source: str
    lineage: tuple[Lineage, ...] = ()


@dataclass
class _Count:
    """What one source has sent to one partition in its current tick."""

    tick: int
    sends: int = 0
    frames: int = 0
    rows: int = 0


class FrameProducer:
    """Sends frames and tick-ends; idempotent, acknowledged by all replicas. Not for use across `fork`.

    At most `max_in_flight` records wait for their acknowledgement: `send` then waits for the oldest, because the
    library's own queue has no bound. An error surfaces as EnvironmentFailed on the next call after it is known, at the
    latest about ten seconds and `outage_s` after the broker went; the producer is of no use from then on.

    A frame without a `frame_id` gets `<stream>/<partition>/<tick>/<ordinal>`: the same again when a source repeats a
    tick after a restart, which is how readers recognise it. That holds for sources that go through the ticks in order;
    any other source gives ids of its own that are unique for ever.
    """

    def __init__(  # noqa: PLR0913 - keyword-only settings of one client
        self,
        bootstrap: str,
        *,
        namespace: str,
        client_id: str,
        max_in_flight: int = 64,
        tracer: Tracer | None = None,
        transactional_id: str | None = None,
        linger_ms: int = LINGER_MS,
        outage_s: float = 0.0,
    ) -> None:
        self.namespace = namespace
        self.client_id = client_id
        self._bootstrap = bootstrap
        self._limit = max_in_flight
        self._tracer = tracer
        self._futures: deque[Any] = deque()
        self._counts: dict[tuple[str, int, str], _Count] = {}
        self._failure: EnvironmentFailed | None = None
        self._closed = False
        delivery_ms = DELIVERY_TIMEOUT_MS + round(outage_s * 1000)
        self._wait_s = (delivery_ms + REQUEST_TIMEOUT_MS) / 1000
        self._kafka = _connect(bootstrap, client_id, transactional_id, (linger_ms, delivery_ms))

    @property
    def kafka(self) -> LibraryProducer:
        """The library's producer, for transactions."""
        return self._kafka

    def send(self, topic: str, partition: int, frame: Frame, traceparent: str | None = None) -> None:
        """Queue a frame (split into records where it is large) and count it for `end_tick`.

        The trace context in the headers is, in this order: that of a "send" span made here where the producer has a
        tracer, `traceparent`, the current span's. Raises EnvironmentFailed.
        """
        count = self._count(topic, partition, frame.source, frame.tick)
        if not frame.frame_id:
            frame = replace(frame, frame_id=f"{frame.stream}/{partition}/{frame.tick}/{count.sends}")
        records = encode(frame)
        with tracing.send_span(self._tracer, (topic, partition), frame, self.client_id, traceparent) as carried:
            for headers, value in records:
                self._put(topic, partition, Raw(None, value, headers), carried)
        count.sends += 1
        count.frames += len(records)
        count.rows += frame.batch.num_rows

    def end_tick(self, topic: str, partition: int, mark: TickMark, traceparent: str | None = None) -> None:
        """Queue the tick-end of a source in a partition, with the counts of what this producer sent there."""
        count = self._counts.pop((topic, partition, mark.source), None)
        if count is None or count.tick != mark.tick:
            count = _Count(mark.tick)
        end = TickEnd(
            stream=stream_of(topic),
            tick=mark.tick,
            source=mark.source,
            frames=count.frames,
            rows=count.rows,
            lineage=mark.lineage,
        )
        self.tick_end(topic, partition, end, traceparent)

    def tick_end(self, topic: str, partition: int, end: TickEnd, traceparent: str | None = None) -> None:
        """Queue a tick-end with counts of the caller's own."""
        headers, value = encode_tick_end(end)
        self._put(topic, partition, Raw(None, value, headers), traceparent)

    def send_raw(self, topic: str, partition: int, raw: Raw) -> None:
        """Queue a record as it is (a dead letter)."""
        self._put(topic, partition, raw, None, inject=False)

    def check(self) -> None:
        """Raise EnvironmentFailed if something sent before has failed; never waits."""
        self._reap(0)

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until everything sent is acknowledged; raises EnvironmentFailed, also when that takes longer."""
        self._raise_failure()
        try:
            with broker_errors(self._bootstrap, "acknowledging frames"):
                self._kafka.flush(self._wait_s if timeout_s is None else timeout_s)
        except EnvironmentFailed as problem:
            raise self._fail(problem) from problem.__cause__
        self._reap(len(self._futures))

    def close(self) -> None:
        """Send what is queued and close, within a few seconds; an error is not raised here but by `flush`."""
        if self._closed:
            return
        self._closed = True
        if self._failure is None:
            with contextlib.suppress(KafkaError):  # `flush` is where that is an error
                self._kafka.flush(_CLOSE_S)
        self._kafka.abandoned = True
        self._kafka.close(timeout=_GOODBYE_S if self._failure is None else 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _count(self, topic: str, partition: int, source: str, tick: int) -> _Count:
        key = (topic, partition, source)
        count = self._counts.get(key)
        if count is None or count.tick != tick:
            count = self._counts[key] = _Count(tick)
        return count

    def _put(self, topic: str, partition: int, raw: Raw, traceparent: str | None, *, inject: bool = True) -> None:
        self._reap(max(0, len(self._futures) - self._limit + 1))
        headers: KafkaHeaders = list(raw.headers)
        if inject:
            inject_headers(headers, traceparent)
        try:
            with broker_errors(self._bootstrap, f"taking a frame for {topic}"):
                self._futures.append(
                    self._kafka.send(topic, value=raw.value, key=raw.key, headers=headers, partition=partition)
                )
        except EnvironmentFailed as problem:
            raise self._fail(problem) from problem.__cause__

    def _reap(self, wait_for: int) -> None:
        """Forget the acknowledged ones at the front, waiting for the first `wait_for`."""
        self._raise_failure()
        while self._futures and (wait_for > 0 or self._futures[0].is_done):
            future = self._futures.popleft()
            wait_for -= 1
            try:
                future.get(timeout=self._wait_s)
            except KafkaError as problem:
                raise self._fail(broker_failed(self._bootstrap, "acknowledging a frame", problem)) from problem

    def _fail(self, problem: EnvironmentFailed) -> EnvironmentFailed:
        self._failure = problem
        self._futures.clear()
        return problem

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise EnvironmentFailed(str(self._failure))


def _connect(
    bootstrap: str, client_id: str, transactional_id: str | None, times_ms: tuple[int, int]
) -> LibraryProducer:
    linger_ms, delivery_ms = times_ms
    settings = common_settings(bootstrap, client_id)
    if not liveness.answers(bootstrap):
        raise broker_failed(bootstrap, "connecting a producer", "it does not answer")
    with broker_errors(bootstrap, "connecting a producer"):
        return LibraryProducer(
            **settings,
            metrics_enabled=False,
            acks="all",
            delivery_timeout_ms=delivery_ms,
            max_block_ms=delivery_ms,
            bootstrap_timeout_ms=REQUEST_TIMEOUT_MS,
            max_request_size=MAX_RECORD_BYTES,
            linger_ms=linger_ms,
            batch_size=BATCH_BYTES,
            allow_auto_create_topics=False,
            transactional_id=transactional_id,
            **({"retry_backoff_ms": _TRANSACTION_POLL_MS} if transactional_id else {}),
        )
