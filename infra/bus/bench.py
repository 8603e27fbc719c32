"""How fast frames are, against what one would write first: one JSON message an event, with the same client."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from infra.bus.admin import create_topics, delete_topics
from infra.bus.bench_events import make_events
from infra.bus.clients import common_settings
from infra.bus.consumer import FrameConsumer
from infra.bus.embedded import EmbeddedBroker
from infra.bus.kafka_library import KafkaConsumer, KafkaProducer, TopicPartition
from infra.bus.producer import FrameProducer
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame

_NAMESPACE = "bench"
_FRAME_TOPIC, _JSON_TOPIC = f"calm.{_NAMESPACE}.events", f"calm.{_NAMESPACE}.json"
_SILENCE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class BusBench:
    """What is measured: `frames` frames of `rows` events, `rounds` times; the baseline takes `json_events` of them."""

    rows: int = 8_000
    frames: int = 25
    rounds: int = 8
    json_events: int = 100_000


@dataclass(frozen=True, kw_only=True)
class BusRates:
    """Events/s through produce and consume, one after the other, and each of them alone."""

    events_per_s: float
    produce_per_s: float
    consume_per_s: float
    bytes_per_event: float


def run_bench(plan: BusBench, progress: Callable[[str], None] = lambda _text: None) -> dict[str, float]:
    """Both ways on one embedded broker, with the same events; raises EnvironmentFailed.

    Timed from rows in memory to rows in memory: encode, send, acknowledge, fetch, decode. Producing and consuming are
    timed one after the other and added. What is decoded is compared with what was sent, outside the timed part.
    """
    progress(f"making {plan.rows * plan.frames:,} events")
    batches = [make_events(plan.rows, seed) for seed in range(plan.frames)]
    with EmbeddedBroker() as broker:
        measure_frames(broker.bootstrap, batches[:2])  # warm: imports, codecs, connections
        measure_json(broker.bootstrap, _dicts(batches, 1_000))
        progress(f"one JSON message an event: {plan.json_events:,} events")
        baseline = measure_json(broker.bootstrap, _dicts(batches, plan.json_events))
        rounds = []
        for number in range(plan.rounds):
            progress(f"frames of {plan.rows:,} events: round {number + 1} of {plan.rounds}")
            rounds.append(measure_frames(broker.bootstrap, batches))
    return _summary(rounds, baseline)


def measure_frames(bootstrap: str, batches: list[pa.RecordBatch]) -> BusRates:
    """The batches as frames through one partition."""
    create_topics(bootstrap, [_FRAME_TOPIC], partitions=1)
    with FrameProducer(bootstrap, namespace=_NAMESPACE, client_id="bench-frames") as producer:
        started = time.perf_counter()
        for tick, batch in enumerate(batches):
            producer.send(_FRAME_TOPIC, 0, Frame(stream="events", tick=tick, source="bench", batch=batch))
        producer.flush()
        produced_s = time.perf_counter() - started
    events = sum(batch.num_rows for batch in batches)
    with FrameConsumer(bootstrap, client_id="bench-frames") as consumer:
        consumer.assign({(_FRAME_TOPIC, 0): 0})
        started = time.perf_counter()
        received = _until(events, lambda: [each.item.batch for each in consumer.poll(1.0)], _rows_of)  # type: ignore[union-attr]  # only frames were sent
        consumed_s = time.perf_counter() - started
    delete_topics(bootstrap, [_FRAME_TOPIC])
    if pa.Table.from_batches(received) != pa.Table.from_batches(batches):
        raise EnvironmentFailed("bench bus: decoded frames differ from what was sent; please report this")
    return _rates(events, produced_s, consumed_s, sum(batch.nbytes for batch in batches))


def measure_json(bootstrap: str, events: list[dict[str, Any]]) -> BusRates:
    """The events as one message each through one partition, with batching settings that suit small messages."""
    create_topics(bootstrap, [_JSON_TOPIC], partitions=1)
    settings = common_settings(bootstrap, "bench-json") | {"metrics_enabled": False}
    producer = KafkaProducer(**settings, linger_ms=5, batch_size=262_144)
    started, size = time.perf_counter(), 0
    for event in events:
        message = orjson.dumps(event)
        size += len(message)
        producer.send(_JSON_TOPIC, value=message, partition=0)
    producer.flush(60)
    produced_s = time.perf_counter() - started
    producer.close()
    consumer = KafkaConsumer(**settings, fetch_max_wait_ms=5, enable_auto_commit=False)
    consumer.assign([TopicPartition(_JSON_TOPIC, 0)])
    consumer.seek(TopicPartition(_JSON_TOPIC, 0), 0)
    started = time.perf_counter()
    received = _until(len(events), lambda: _decoded(consumer.poll(1_000, max_records=5_000)), len)
    consumed_s = time.perf_counter() - started
    consumer.close()
    delete_topics(bootstrap, [_JSON_TOPIC])
    if received != events:
        raise EnvironmentFailed("bench bus: JSON messages differ from what was sent; please report this")
    return _rates(len(events), produced_s, consumed_s, size)


def _decoded(polled: dict[TopicPartition, list[Any]]) -> list[dict[str, Any]]:
    return [orjson.loads(record.value) for records in polled.values() for record in records]


def _rows_of(batches: list[pa.RecordBatch]) -> int:
    return sum(batch.num_rows for batch in batches)


def _until(events: int, poll: Callable[[], list[Any]], count: Callable[[list[Any]], int]) -> list[Any]:
    received: list[Any] = []
    missing, heard_at = events, time.monotonic()
    while missing > 0:
        part = poll()
        if part:
            received += part
            missing -= count(part)
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > _SILENCE_S:
            raise EnvironmentFailed(
                f"bench bus: {missing} of {events} events did not come back; run `calmverse doctor`"
            )
    return received


def _dicts(batches: list[pa.RecordBatch], events: int) -> list[dict[str, Any]]:
    """Events as dictionaries without their empty payloads: what JSON messages would hold."""
    table = pa.Table.from_batches(batches).drop_columns(["sensitive"]).slice(0, events)
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


def _rates(events: int, produced_s: float, consumed_s: float, size: int) -> BusRates:
    return BusRates(
        events_per_s=events / (produced_s + consumed_s),
        produce_per_s=events / produced_s,
        consume_per_s=events / consumed_s,
        bytes_per_event=size / events,
    )


def _summary(rounds: list[BusRates], baseline: BusRates) -> dict[str, float]:
    """The median round, and its ratio to the baseline."""
    middle = sorted(rounds, key=lambda rates: rates.events_per_s)[len(rounds) // 2]
    return {
        "events_per_s": round(middle.events_per_s),
        "baseline_events_per_s": round(baseline.events_per_s),
        "ratio": round(middle.events_per_s / baseline.events_per_s, 1),
        "produce_events_per_s": round(middle.produce_per_s),
        "consume_events_per_s": round(middle.consume_per_s),
        "baseline_produce_events_per_s": round(baseline.produce_per_s),
        "baseline_consume_events_per_s": round(baseline.consume_per_s),
    }
