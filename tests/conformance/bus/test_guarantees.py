"""What the bus promises when writers fail, return, and compete, on every broker it can run on."""

import threading
import time
from collections import defaultdict
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pytest

from infra.bus.broker import Broker
from infra.bus.clients import common_settings
from infra.bus.consumer import FrameConsumer
from infra.bus.kafka_library import KafkaConsumer, KafkaError
from infra.bus.kafka_library import TopicPartition as KafkaPartition
from infra.bus.lanes import Lane
from infra.bus.messages import Raw
from infra.bus.producer import FrameProducer, TickMark
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.identity import partition_of
from infra.contracts.topics import PARTITIONS, Topics
from tests.support.apache import KAFKA_LIBRARY
from tests.support.batches import random_batch
from tests.support.buses import (
    Numbering,
    need_transactions,
    numbering_config,
    numbers_of,
    partitions_of,
    read_all,
    released,
    send_tick,
)
from tests.support.hosted import eventually

pytestmark = KAFKA_LIBRARY

WITHIN_S = 120.0


def send_ticks(broker: Broker, topics: Topics, ticks: range) -> None:
    with FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test") as producer:
        for tick in ticks:
            send_tick(producer, topics, tick, [random_batch(EVENT, 5, seed=tick)] * 2)
        producer.flush()


def work(lane: Lane, ticks: int) -> None:
    deadline, done = time.monotonic() + WITHIN_S, 0
    while done < ticks:
        done += lane.step(0.2)
        assert time.monotonic() < deadline, f"{done} of {ticks} ticks were released"


def committed_values(broker: Broker, topic: str, wanted: int) -> list[bytes]:
    """What a reader from outside sees of a topic that holds at least `wanted` committed records."""
    with FrameConsumer(broker.bootstrap, client_id="outside", committed_only=True) as consumer:
        consumer.assign(dict.fromkeys(partitions_of(topic), 0))
        found: list[bytes] = []
        deadline = time.monotonic() + WITHIN_S
        while len(found) < wanted and time.monotonic() < deadline:
            found += [each.raw.value for each in consumer.poll(0.5) if each.raw]
        found += [each.raw.value for each in consumer.poll(0.5) if each.raw]
    return found


def test_events_of_a_person_keep_their_order(broker: Broker, topics: Topics) -> None:
    persons = np.random.default_rng(3).integers(1, 2**63, 40, dtype=np.uint64)
    where = np.asarray(partition_of(persons))
    with FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test") as producer:
        for tick in range(30):
            for partition in range(PARTITIONS):
                batch = of_persons(persons[where == partition], tick)
                producer.send(topics.events, partition, Frame(stream="events", tick=tick, source="test", batch=batch))
                producer.end_tick(topics.events, partition, TickMark(tick, "test"))
        producer.flush()
    seen: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for each in read_all(broker.bootstrap, topics.events):
        if isinstance(each.item, Frame):
            columns = (each.item.batch.column(name).to_pylist() for name in ("person", "seq"))
            for person, seq in zip(*columns, strict=True):
                seen[person].append((each.partition, seq))
    assert sorted(seen) == sorted(persons.tolist())
    for rows in seen.values():
        assert len({partition for partition, _ in rows}) == 1
        assert [seq for _, seq in rows] == list(range(30))


def of_persons(persons: "np.ndarray[tuple[int], np.dtype[np.uint64]]", seq: int) -> pa.RecordBatch:
    batch = random_batch(EVENT, len(persons), seed=seq)
    for name, values in (("person", persons), ("seq", np.full(len(persons), seq))):
        index = batch.schema.get_field_index(name)
        batch = batch.set_column(index, batch.schema.field(index), pa.array(values, batch.schema.field(index).type))
    return batch


def test_a_transaction_becomes_visible_as_a_whole(broker: Broker, topics: Topics) -> None:
    need_transactions(broker)
    with FrameProducer(
        broker.bootstrap, namespace=topics.namespace, client_id="test", transactional_id=topics.namespace
    ) as producer:
        producer.kafka.init_transactions()
        producer.kafka.begin_transaction()
        for number in range(40):
            producer.send_raw(topics.events, number % PARTITIONS, Raw(None, str(number).encode()))
        producer.flush()
        assert len(read_all(broker.bootstrap, topics.events)) == 40  # it is there, for those who do not ask
        assert committed_values(broker, topics.events, 0) == []
        producer.kafka.commit_transaction()
    assert sorted(map(int, committed_values(broker, topics.events, 40))) == list(range(40))


def test_a_zombie_is_fenced_and_leaves_nothing_visible(broker: Broker, topics: Topics) -> None:
    need_transactions(broker)
    send_ticks(broker, topics, range(2))
    config = replace(numbering_config(topics, broker.bootstrap, broker.capabilities), stalled_after_s=5.0)
    with Lane(config, Numbering(topics)) as zombie:
        work(zombie, 2)
        with Lane(config, Numbering(topics)) as successor:
            send_ticks(broker, topics, range(2, 4))
            with pytest.raises((EnvironmentFailed, KafkaError)):
                work(zombie, 1)
            work(successor, 4)
    frames = read_all(broker.bootstrap, topics.scores, committed_only=True)
    assert len([each for each in frames if isinstance(each.item, Frame)]) == 4 * 2
    assert numbers_of(released(frames, topics.scores)) == list(range(4 * 2 * 5))


def test_a_restarted_lane_goes_on_at_its_committed_offsets(broker: Broker, topics: Topics) -> None:
    need_transactions(broker)
    config = numbering_config(topics, broker.bootstrap, broker.capabilities)
    for life in range(3):  # no snapshots: each life goes through everything, and writes only what is new
        send_ticks(broker, topics, range(2 * life, 2 * life + 2))
        with Lane(config, Numbering(topics)) as lane:
            work(lane, 2 * life + 2)
    frames = read_all(broker.bootstrap, topics.scores, committed_only=True)
    assert len(frames) == 6 * (2 + PARTITIONS)
    assert numbers_of(released(frames, topics.scores)) == list(range(6 * 2 * 5))


def test_a_late_tick_end_holds_the_tick_and_a_missing_one_ends_the_lane(broker: Broker, topics: Topics) -> None:
    config = replace(numbering_config(topics, broker.bootstrap, broker.capabilities), stalled_after_s=2.0)
    with FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test") as producer:
        send_tick(producer, topics, 0, [random_batch(EVENT, 5)])
        for partition in range(PARTITIONS - 1):
            producer.end_tick(topics.events, partition, TickMark(1, "test"))
        producer.flush()
        with Lane(config, Numbering(topics)) as lane:
            work(lane, 1)
            assert lane.step(1.0) == 0
            producer.end_tick(topics.events, PARTITIONS - 1, TickMark(1, "test"))
            producer.flush()
            work(lane, 1)
            assert lane.tick == 1
            ahead = TickEnd(stream="events", tick=3, source="test", frames=0, rows=0)
            producer.tick_end(topics.events, 0, ahead)
            producer.flush()
            with pytest.raises(EnvironmentFailed, match=r"tick-end 2 is missing, 3 is here"):
                work(lane, 1)


def test_outside_readers_in_a_group_share_and_hand_over(broker: Broker, topics: Topics) -> None:
    with (
        FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test") as producer,
        Member(broker, topics) as first,
    ):
        with Member(broker, topics) as second:
            eventually(lambda: share_all(first, second), "both reading their share", WITHIN_S)
            send_numbers(producer, topics, range(40))
            eventually(lambda: len(first.seen | second.seen) == 40, "everything being read", WITHIN_S)
        send_numbers(producer, topics, range(40, 80))
        eventually(lambda: len(first.seen | second.seen) == 80, "the first reading on alone", WITHIN_S)
        assert len(first.assigned) == PARTITIONS
    assert sorted(map(int, first.seen | second.seen)) == list(range(80))


class Member:
    """A reader in a group, in a thread of its own: members have to answer each other while they share anew."""

    def __init__(self, broker: Broker, topics: Topics) -> None:
        self.seen: frozenset[bytes] = frozenset()
        self.assigned: frozenset[KafkaPartition] = frozenset()
        self._broker, self._topics = broker, topics
        self._leaves = threading.Event()
        self._thread = threading.Thread(target=self._read, name="member", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaves.set()
        self._thread.join(WITHIN_S)

    def _read(self) -> None:
        consumer = KafkaConsumer(
            self._topics.events,
            **common_settings(self._broker.bootstrap, "test"),
            group_id=self._topics.namespace,
            session_timeout_ms=6_000,
            auto_offset_reset="earliest",
        )
        while not self._leaves.is_set():
            # The library (3.0) never ends a join that metadata asked for and a short poll gave up on: the member keeps
            # no share and sends no heartbeat. So a poll outlasts a join for as long as there is no share.
            found = consumer.poll(100 if self.assigned else 10_000)
            self.seen |= {record.value for records in found.values() for record in records}
            self.assigned = frozenset(consumer.assignment())
        consumer.close(autocommit=True)


def share_all(first: Member, second: Member) -> bool:
    """Whether each has a part of the partitions, none of them both, and together all."""
    apart = not first.assigned & second.assigned
    return apart and bool(first.assigned and second.assigned) and len(first.assigned | second.assigned) == PARTITIONS


def send_numbers(producer: FrameProducer, topics: Topics, numbers: range) -> None:
    for number in numbers:
        producer.send_raw(topics.events, number % PARTITIONS, Raw(None, str(number).encode()))
    producer.flush()
