"""What the bus promises, on every broker it can run on."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.bus.broker import Broker
from infra.bus.clients import common_settings
from infra.bus.consumer import FrameConsumer, end_offsets
from infra.bus.deadletters import read_letters
from infra.bus.kafka_library import KafkaConsumer
from infra.bus.kafka_library import TopicPartition as KafkaPartition
from infra.bus.lanes import Lane, LaneHooks
from infra.bus.messages import Raw, Received, Undecodable
from infra.bus.producer import BULK_LINGER_MS, FrameProducer, TickMark
from infra.bus.snapshots import SnapshotStore
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame, TickEnd, encode
from infra.contracts.topics import Topics
from tests.support.apache import KAFKA_LIBRARY
from tests.support.batches import random_batch
from tests.support.buses import (
    WITHIN_S,
    Numbering,
    numbering_config,
    numbers_of,
    read_all,
    released,
    send_tick,
)

pytestmark = KAFKA_LIBRARY

ROWS = 5


def producer_of(broker: Broker, topics: Topics) -> FrameProducer:
    return FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test")


def work(lane: Lane, ticks: int) -> None:
    done, deadline = 0, time.monotonic() + WITHIN_S
    while done < ticks:
        assert time.monotonic() < deadline, f"{done} of {ticks} ticks were released"
        done += lane.step(0.2)


def send_ticks(broker: Broker, topics: Topics, ticks: range) -> None:
    with producer_of(broker, topics) as producer:
        for tick in ticks:
            send_tick(producer, topics, tick, [random_batch(EVENT, ROWS, seed=tick)] * 2)
        producer.flush()


class TestBus:
    """The conformance class: `broker` says on what."""

    def test_records_of_a_partition_keep_their_order(self, broker: Broker, topics: Topics) -> None:
        batch = random_batch(EVENT, 3)
        with producer_of(broker, topics) as producer:
            for number in range(200):
                frame = Frame(stream="events", tick=0, source="test", batch=batch, frame_id=str(number))
                producer.send(topics.events, number % 2, frame)
            producer.flush()
        found = read_all(broker.bootstrap, topics.events)
        ids = [each.item.frame_id for each in found if isinstance(each.item, Frame)]
        assert ids == [str(number) for start in (0, 1) for number in range(start, 200, 2)]

    @pytest.mark.parametrize("rows", [1, 999, 1_000, 100_000])
    def test_frames_of_any_size_come_back_whole(self, broker: Broker, topics: Topics, rows: int) -> None:
        batch = random_batch(EVENT, rows)
        with producer_of(broker, topics) as producer:
            producer.send(topics.events, 1, Frame(stream="events", tick=7, source="test", batch=batch))
            producer.end_tick(topics.events, 1, TickMark(7, "test"))
            producer.flush()
        *frames, end = read_all(broker.bootstrap, topics.events)
        assert isinstance(end.item, TickEnd)
        assert (end.item.frames, end.item.rows) == (len(frames), rows)
        parts = [each.item.batch for each in frames if isinstance(each.item, Frame)]
        assert sum(part.num_rows for part in parts) == rows
        start = 0
        for part in parts:
            assert part.equals(batch.slice(start, part.num_rows))
            start += part.num_rows

    def test_end_offsets_count_every_record_also_of_an_empty_partition(self, broker: Broker, topics: Topics) -> None:
        send_ticks(broker, topics, range(3))
        assert end_offsets(broker.bootstrap, topics.events) == {0: 6, 1: 6, 2: 3, 3: 3}

    def test_ticks_are_released_complete_and_in_order(self, broker: Broker, topics: Topics) -> None:
        send_ticks(broker, topics, range(10, 15))
        batches = released(read_all(broker.bootstrap, topics.events), topics.events)
        assert [(batch.tick, len(batch.frames)) for batch in batches] == [(tick, 2) for tick in range(10, 15)]

    def test_a_source_in_bulk_keeps_order_and_counts(self, broker: Broker, topics: Topics) -> None:
        with FrameProducer(
            broker.bootstrap, namespace="test", client_id="bulk", max_in_flight=4_096, linger_ms=BULK_LINGER_MS
        ) as producer:
            for tick in range(300):
                send_tick(producer, topics, tick, [random_batch(EVENT, 2, seed=tick)] * 2)
            producer.flush()
        batches = released(read_all(broker.bootstrap, topics.events), topics.events)
        assert [(batch.tick, len(batch.frames)) for batch in batches] == [(tick, 2) for tick in range(300)]

    def test_a_lane_far_behind_catches_up_with_everything(self, broker: Broker, topics: Topics) -> None:
        # More than one poll, and more than one fetch, hand out at once. A tick is a transaction where there are any.
        ticks = 350 if broker.capabilities.transactions else 1_200
        send_ticks(broker, topics, range(ticks))
        config = replace(numbering_config(topics, broker.bootstrap, broker.capabilities), snapshot_every=60)
        with Lane(config, Numbering(topics)) as lane:
            work(lane, ticks)
        batches = released(read_all(broker.bootstrap, topics.scores), topics.scores)
        assert numbers_of(batches) == list(range(ticks * 2 * ROWS))

    def test_a_lane_answers_every_tick_with_lineage_and_tick_ends(self, broker: Broker, topics: Topics) -> None:
        send_ticks(broker, topics, range(4))
        with Lane(numbering_config(topics, broker.bootstrap, broker.capabilities), Numbering(topics)) as lane:
            work(lane, 4)
        batches = released(read_all(broker.bootstrap, topics.scores), topics.scores)
        assert [batch.tick for batch in batches] == [0, 1, 2, 3]
        assert numbers_of(batches) == list(range(4 * 2 * ROWS))
        frame = batches[2].of("scores")[0]
        assert next(str(line) for line in frame.lineage) == f"{topics.events}/0/4-5"

    def test_a_bad_record_goes_to_the_dead_letters_as_it_was_and_the_stream_goes_on(
        self, broker: Broker, topics: Topics
    ) -> None:
        ((headers, value),) = encode(
            Frame(stream="events", tick=0, source="test", batch=random_batch(EVENT, 4), frame_id="torn")
        )
        with producer_of(broker, topics) as producer:
            producer.send_raw(topics.events, 1, Raw(b"key", b"not a frame", [("x", b"y")]))
            producer.send_raw(topics.events, 1, Raw(None, value[:40], headers))
            producer.tick_end(topics.events, 1, TickEnd(stream="events", tick=0, source="test", frames=1, rows=4))
            for partition in (0, 2, 3):
                producer.end_tick(topics.events, partition, TickMark(0, "test"))
            producer.flush()
        with Lane(numbering_config(topics, broker.bootstrap, broker.capabilities), Numbering(topics)) as lane:
            work(lane, 1)
            assert lane.dead_letters == 2
        first, second = read_letters(broker.bootstrap, topics.deadletter(topics.events))
        assert (first.topic, first.partition, first.offset) == (topics.events, 1, 0)
        assert (first.raw.key, first.raw.value, first.raw.headers) == (b"key", b"not a frame", [("x", b"y")])
        assert "missing header" in first.error
        assert (second.offset, second.raw.value, second.raw.headers) == (1, value[:40], headers)

    def test_a_frame_that_the_host_refuses_is_a_dead_letter_too(self, broker: Broker, topics: Topics) -> None:
        send_ticks(broker, topics, range(2))

        def refuse_first(received: Received) -> str | None:
            return "not today" if received.offset == 0 and received.partition == 1 else None

        config = numbering_config(topics, broker.bootstrap, broker.capabilities)
        with Lane(config, Numbering(topics), hooks=LaneHooks(screen=refuse_first)) as lane:
            work(lane, 2)
        (letter,) = read_letters(broker.bootstrap, topics.deadletter(topics.events))
        assert (letter.partition, letter.offset, letter.error) == (1, 0, "not today")
        assert len(numbers_of(released(read_all(broker.bootstrap, topics.scores), topics.scores))) == 3 * ROWS

    def test_work_that_a_lane_repeats_is_seen_once(self, broker: Broker, topics: Topics) -> None:
        if broker.capabilities.transactions:
            pytest.skip("with transactions a lane does not write a tick twice")
        send_ticks(broker, topics, range(4))
        for _ in range(2):  # no snapshots: the second life begins at the start
            with Lane(numbering_config(topics, broker.bootstrap), Numbering(topics)) as lane:
                work(lane, 4)
        records = read_all(broker.bootstrap, topics.scores)
        assert len(records) == 2 * 4 * (2 + 4)
        assert numbers_of(released(records, topics.scores)) == list(range(4 * 2 * ROWS))

    def test_a_lane_goes_on_from_its_snapshot_with_its_state(
        self, broker: Broker, topics: Topics, tmp_path: Path
    ) -> None:
        config, store = numbering_config(topics, broker.bootstrap, broker.capabilities), SnapshotStore(tmp_path)
        send_ticks(broker, topics, range(4))
        with Lane(config, Numbering(topics), store) as lane:
            work(lane, 4)  # saved after the third
        send_ticks(broker, topics, range(4, 6))
        with Lane(config, Numbering(topics), store) as lane:
            work(lane, 3)
            stop = threading.Event()
            stop.set()
            lane.run(stop)  # saves
        with Lane(config, Numbering(topics), store) as lane:
            assert (lane.tick, lane.step(0.2)) == (5, 0)
        batches = released(read_all(broker.bootstrap, topics.scores), topics.scores)
        assert numbers_of(batches) == list(range(6 * 2 * ROWS))

    def test_reading_on_behind_the_end_is_an_error(self, broker: Broker, topics: Topics) -> None:
        with FrameConsumer(broker.bootstrap, client_id="test") as consumer:
            consumer.assign({(topics.events, 0): 10})
            with pytest.raises(EnvironmentFailed, match="lost data"):
                consumer.poll(10.0)

    def test_a_topic_that_is_not_there_is_an_error(self, broker: Broker) -> None:
        with (
            FrameConsumer(broker.bootstrap, client_id="test") as consumer,
            pytest.raises(EnvironmentFailed, match=r"no topic calm\.nowhere\.events"),
        ):
            consumer.assign({("calm.nowhere.events", 0): 0})

    def test_spans_of_a_lane_link_to_what_it_read_and_travel_with_what_it_writes(
        self, broker: Broker, topics: Topics
    ) -> None:
        exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("test")
        with FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test", tracer=tracer) as producer:
            send_tick(producer, topics, 0, [random_batch(EVENT, ROWS)])
        config = numbering_config(topics, broker.bootstrap, broker.capabilities)
        with Lane(config, Numbering(topics), hooks=LaneHooks(tracer=tracer)) as lane:
            work(lane, 1)
        sent, answered, processed = exporter.get_finished_spans()
        assert [span.name for span in (sent, processed, answered)] == ["send events", "process events", "send scores"]
        assert [link.context.span_id for link in processed.links] == [sent.context.span_id]
        assert answered.parent is not None
        assert answered.parent.span_id == processed.context.span_id
        (frame, *_) = read_all(broker.bootstrap, topics.scores)
        assert frame.traceparent is not None
        assert f"{answered.context.span_id:016x}" in frame.traceparent

    def test_an_aborted_transaction_stays_hidden(self, broker: Broker, topics: Topics) -> None:
        if not broker.capabilities.transactions:
            pytest.skip(f"THE {broker.kind.upper()} BROKER DOES NOT HIDE ABORTED RECORDS: it runs on lineage alone")
        kafka = FrameProducer(
            broker.bootstrap, namespace=topics.namespace, client_id="test", transactional_id=topics.namespace
        )
        with kafka as producer:
            producer.kafka.init_transactions()
            for number, finish in enumerate((producer.kafka.abort_transaction, producer.kafka.commit_transaction)):
                producer.kafka.begin_transaction()
                producer.send_raw(topics.events, 0, Raw(None, str(number).encode()))
                producer.flush()
                finish()
        reader = KafkaConsumer(**common_settings(broker.bootstrap, "test"), isolation_level="read_committed")
        reader.assign([KafkaPartition(topics.events, 0)])
        reader.seek_to_beginning()
        assert [record.value for records in reader.poll(5_000).values() for record in records] == [b"1"]
        reader.close()

    def test_undecodable_records_say_which_frame_they_were_meant_to_be(self, broker: Broker, topics: Topics) -> None:
        ((headers, value),) = encode(
            Frame(stream="events", tick=3, source="test", batch=random_batch(EVENT, 4), frame_id="torn")
        )
        with producer_of(broker, topics) as producer:
            producer.send_raw(topics.events, 0, Raw(None, value[:10], headers))
            producer.flush()
        (received,) = read_all(broker.bootstrap, topics.events)
        assert isinstance(received.item, Undecodable)
        assert (received.item.source, received.item.tick, received.item.rows) == ("test", 3, 4)
