"""Reading frames from partitions assigned by hand."""

import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from infra.bus import liveness
from infra.bus.clients import REQUEST_TIMEOUT_MS, broker_errors, broker_failed, common_settings
from infra.bus.kafka_library import ConsumerRecord, KafkaConsumer, OffsetOutOfRangeError
from infra.bus.kafka_library import TopicPartition as KafkaPartition
from infra.bus.messages import Raw, Received, TopicPartition, Undecodable
from infra.contracts.errors import CalmverseError, EnvironmentFailed
from infra.contracts.frames import Frame, TickEnd, decode
from infra.telemetry.propagation import extract_headers

_PARTITION_BYTES = 16 * 1024 * 1024
_POLL_RECORDS = 2_000

_RESTS = ((0.5, 0.0), (5.0, 0.010), (float("inf"), 0.040))
"""Rest between two fetches, in s, while nothing has come for up to so many seconds.

A fetch that waits 5 ms costs 1 to 2 ms of processor time: an idle reader would take a fifth of a core.
"""
_FETCH_S = 0.1
"""Longest wait inside the library: between waits we look whether the broker is still there."""
_SHORT_FETCH_MS = 50
"""Only fetches that wait less than this are worth spacing out."""


class FrameConsumer:
    """Reads frames and tick-ends; one thread only, not across `fork`, no consumer group unless `group_id` is given.

    `fetch_max_wait_ms` is the broker's `Capabilities.fetch_wait_ms`. With `group_id` offsets can be committed in a
    transaction, and only committed records are read; without one `committed_only` says so, where the broker does
    transactions right.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        fetch_max_wait_ms: int = 5,
        group_id: str | None = None,
        committed_only: bool = False,
        outage_s: float = 0.0,
    ) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._watch = liveness.Watch(bootstrap, patience_s=liveness.PATIENCE_S + outage_s)
        self._spaced = fetch_max_wait_ms < _SHORT_FETCH_MS
        self._pause = threading.Event()  # never set: a wait that a signal can interrupt
        self._unverified: dict[KafkaPartition, int] = {}
        self._kafka = _connect(
            bootstrap,
            client_id,
            fetch_max_wait_ms=fetch_max_wait_ms,
            group_id=group_id,
            isolation_level="read_committed" if group_id or committed_only else "read_uncommitted",
            max_partition_fetch_bytes=_PARTITION_BYTES,
        )

    @property
    def kafka(self) -> KafkaConsumer:
        """The library's consumer, for transactions."""
        return self._kafka

    def assign(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets on; raises EnvironmentFailed when a topic does not exist."""
        with broker_errors(self._bootstrap, "assigning partitions"):
            _require_topics(self._kafka, self._bootstrap, offsets)
            partitions = {KafkaPartition(*where): offset for where, offset in offsets.items()}
            self._kafka.assign(list(partitions))
            for partition, offset in partitions.items():
                self._kafka.seek(partition, offset)
            self._unverified = {partition: offset for partition, offset in partitions.items() if offset > 0}

    def poll(self, timeout_s: float) -> list[Received]:
        """What has arrived, waiting up to `timeout_s` for the first; in offset order within a partition.

        Raises EnvironmentFailed when the broker has not answered for about ten seconds and `outage_s`, or when an
        offset is not there any more.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            rest = self._rest()
            batches = self._fetch(min(remaining, 2 * rest or _FETCH_S))
            if batches:
                self._watch.heard()
                return [_understand(record) for records in batches.values() for record in records]
            if self._watch.silent():
                raise broker_failed(self._bootstrap, "sending frames to a reader", "it does not answer")
            if time.monotonic() >= deadline:
                return []
            self._pause.wait(min(rest, remaining))

    def _rest(self) -> float:
        if not self._spaced:
            return 0.0
        quiet = self._watch.quiet_s
        return next(rest for limit, rest in _RESTS if quiet < limit)

    def _fetch(self, timeout_s: float) -> dict[KafkaPartition, list[ConsumerRecord]]:
        with broker_errors(self._bootstrap, "sending frames to a reader"):
            try:
                batches: dict[KafkaPartition, list[ConsumerRecord]] = self._kafka.poll(
                    timeout_ms=int(timeout_s * 1000), max_records=_POLL_RECORDS
                )
            except OffsetOutOfRangeError as problem:
                raise self._lost(str(problem)) from problem
        if self._unverified:
            self._verify()
        return batches

    def _verify(self) -> None:
        """The embedded broker does not mind an offset past the end: a restarted one would just stay silent."""
        for partition, offset in list(self._unverified.items()):
            end = self._kafka.highwater(partition)
            if end is not None:
                del self._unverified[partition]
                if end < offset:
                    where = f"{partition.topic}[{partition.partition}]"
                    raise self._lost(f"offset {offset} of {where} is past its end, {end}")

    def _lost(self, detail: str) -> EnvironmentFailed:
        return broker_failed(self._bootstrap, "reading on where a reader stood: it has lost data", detail)

    def positions(self) -> dict[TopicPartition, int]:
        """Where each assigned partition is read on, past records that are not handed out (ends of transactions)."""
        with broker_errors(self._bootstrap, "telling where a reader stands"):
            return {(each.topic, each.partition): self._kafka.position(each) for each in self._kafka.assignment()}

    def read_to(self, ends: Mapping[TopicPartition, int]) -> Iterator[Received]:
        """Everything from the assigned offsets up to `ends` (by partition, as `end_offsets` gives them)."""
        while any(self.positions()[where] < end for where, end in ends.items()):
            yield from (received for received in self.poll(0.5) if received.offset < ends[received.where])

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Offset after the last record of each partition of the topic; raises EnvironmentFailed."""
        return end_offsets(self._bootstrap, topic, client_id=f"{self._client_id}-ends")

    def close(self) -> None:
        """Close at once; nothing is committed."""
        self._kafka.close(autocommit=False, timeout_ms=1_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def end_offsets(bootstrap: str, topic: str, *, client_id: str = "calmverse-ends") -> dict[int, int]:
    """Offset after the last record of each partition of the topic; raises EnvironmentFailed.

    Taken from the high-water mark that comes with a fetch: the embedded broker's answer to "list offsets" is wrong
    after batches of several records.
    """
    watch = liveness.Watch(bootstrap)
    kafka = _connect(bootstrap, client_id, fetch_max_wait_ms=5, max_partition_fetch_bytes=1)
    try:
        with broker_errors(bootstrap, f"telling where {topic} ends"):
            _require_topics(kafka, bootstrap, {(topic, 0): 0})
            partitions = [KafkaPartition(topic, number) for number in sorted(kafka.partitions_for_topic(topic))]
            kafka.assign(partitions)
            kafka.seek_to_beginning(*partitions)
            while any(kafka.highwater(partition) is None for partition in partitions):
                if not kafka.poll(timeout_ms=20, max_records=1) and watch.silent():
                    raise broker_failed(bootstrap, f"telling where {topic} ends", "it does not answer")
            return {partition.partition: kafka.highwater(partition) for partition in partitions}
    finally:
        kafka.close(autocommit=False, timeout_ms=1_000)


def _connect(bootstrap: str, client_id: str, **more: object) -> KafkaConsumer:
    settings = common_settings(bootstrap, client_id)
    if not liveness.answers(bootstrap):
        raise broker_failed(bootstrap, "connecting a reader", "it does not answer")
    with broker_errors(bootstrap, "connecting a reader"):
        return KafkaConsumer(
            **settings,
            **more,
            metrics_enabled=False,
            enable_auto_commit=False,
            auto_offset_reset="none",
            bootstrap_timeout_ms=REQUEST_TIMEOUT_MS,
            allow_auto_create_topics=False,
        )


def _require_topics(kafka: KafkaConsumer, bootstrap: str, wanted: Mapping[TopicPartition, int]) -> None:
    known = kafka.topics()
    missing = sorted({topic for topic, _ in wanted} - set(known))
    if missing:
        raise EnvironmentFailed(
            f"the Kafka broker at {bootstrap} has no topic {', '.join(missing)}: "
            "was it restarted (the embedded one keeps nothing), or is the namespace another?"
        )


def _understand(record: ConsumerRecord) -> Received:
    headers = list(record.headers)
    value = record.value if record.value is not None else b""
    return Received(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        item=_decode(headers, value),
        traceparent=extract_headers(headers),
        raw=Raw(record.key, value, headers),
    )


def _decode(headers: list[tuple[str, bytes]], value: bytes) -> Frame | TickEnd | Undecodable:
    try:
        return decode(headers, value)
    except CalmverseError as problem:
        return Undecodable.from_headers(str(problem), headers)
