"""The archiver process on a real broker: every frame in the lake once, also after kill -9."""

import signal
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest

from infra.bus.admin import create_topics
from infra.bus.deadletters import read_letters
from infra.bus.embedded import EmbeddedBroker
from infra.bus.messages import Raw
from infra.bus.producer import FrameProducer, TickMark
from infra.contracts.frames import Frame
from infra.contracts.records import record_of
from infra.contracts.topics import STREAMS, Topics
from infra.storage import lake
from infra.telemetry.spans import read_spans
from tests.support.batches import random_batch
from tests.support.hosted import HostedService, eventually, settings_for

pytestmark = pytest.mark.integration

PARTITIONS = 4
LITTLE_ROOM = 64 * 1024
"""Bytes that a file may have while the disk is as good as full."""


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def producer(broker: EmbeddedBroker, namespace: Topics) -> Iterator[FrameProducer]:
    with FrameProducer(broker.bootstrap, namespace=namespace.namespace, client_id="test") as producer:
        yield producer


@pytest.fixture
def namespace(broker: EmbeddedBroker, request: pytest.FixtureRequest) -> Topics:
    topics = Topics(f"t{zlib.crc32(request.node.name.encode())}")
    create_topics(broker.bootstrap, topics.all())
    return topics


@pytest.fixture
def archiver(broker: EmbeddedBroker, namespace: Topics, tmp_path: Path) -> Iterator[HostedService]:
    settings = replace(settings_for(tmp_path, broker.bootstrap, namespace.namespace), patience_s=120)
    with HostedService("services.archiver.main", settings) as service:
        yield service


def send_ticks(producer: FrameProducer, topics: Topics, stream: str, ticks: range) -> dict[str, int]:
    """Send one frame and a tick-end for each tick and partition; next offsets as /flush takes them."""
    for tick in ticks:
        for partition in range(PARTITIONS):
            batch = numbered(stream, tick, partition)
            frame = Frame(stream=stream, tick=tick, source="sim", batch=batch, attributes={"model_version": "m1"})
            producer.send(topics.of(stream), partition, frame)
            producer.end_tick(topics.of(stream), partition, TickMark(tick, "sim"))
    producer.flush()
    return {f"{topics.of(stream)}/{partition}": 2 * ticks.stop for partition in range(PARTITIONS)}


def numbered(stream: str, tick: int, partition: int) -> pa.RecordBatch:
    """Five random rows whose person says where they were sent."""
    batch = random_batch(record_of(stream), 5, seed=tick * PARTITIONS + partition)
    persons = pa.array(np.arange(5) + 10 * (tick * PARTITIONS + partition), pa.uint64())
    return batch.set_column(batch.schema.get_field_index("person"), batch.schema.field("person"), persons)


def persons(root: Path, stream: str) -> list[int]:
    found: list[int] = lake.read(root, stream, ["person"])["person"].to_pylist()
    return found


def expected(ticks: range) -> list[int]:
    return [10 * group + row for group in range(ticks.start * PARTITIONS, ticks.stop * PARTITIONS) for row in range(5)]


def flush(service: HostedService, offsets: dict[str, int]) -> dict[str, Any]:
    reply = service.client.post(service.url("/flush"), json={"offsets": offsets, "timeout_s": 110.0})
    assert reply.status_code == 200, reply.text
    counts: dict[str, Any] = reply.json()
    return counts


def test_flush_answers_when_everything_before_the_offsets_is_on_disk(
    archiver: HostedService, producer: FrameProducer, namespace: Topics, tmp_path: Path
) -> None:
    archiver.wait_ready()
    wanted: dict[str, int] = {}
    for stream in STREAMS:
        wanted |= send_ticks(producer, namespace, stream, range(3))
    counts = flush(archiver, wanted)
    for stream in STREAMS:
        root = tmp_path / ("truth" if stream == "truth" else "lake")
        assert persons(root, stream) == expected(range(3))
        assert (counts[stream]["rows"], counts[stream]["pending"]) == (60, 0)
    assert not (tmp_path / "lake" / "truth").exists()
    assert lake.read(tmp_path / "lake", "scores", ["model_version"])["model_version"].to_pylist() == ["m1"] * 60
    assert archiver.client.get(archiver.url("/counts")).json() == counts
    assert archiver.stop() == 0
    assert set(read_spans(tmp_path / "spans")["name"]) == {"flush lake"}


def test_after_kill_9_nothing_is_lost_and_nothing_double(
    archiver: HostedService, producer: FrameProducer, namespace: Topics, tmp_path: Path
) -> None:
    archiver.wait_ready()
    flush(archiver, send_ticks(producer, namespace, "events", range(4)))
    send_ticks(producer, namespace, "events", range(4, 7))  # perhaps in memory, not on disk
    archiver.kill()
    leftover = tmp_path / "lake" / "events" / "p0" / "000000000099-000000000100.parquet.tmp"
    leftover.write_bytes(b"half a file")
    archiver.restart().wait_ready()
    wanted = send_ticks(producer, namespace, "events", range(7, 9))
    assert flush(archiver, wanted)["events"]["rows"] == 9 * PARTITIONS * 5
    assert persons(tmp_path / "lake", "events") == expected(range(9))
    assert not leftover.exists()


def test_a_full_disk_loses_nothing_and_is_outlasted(
    archiver: HostedService, producer: FrameProducer, namespace: Topics, tmp_path: Path
) -> None:
    archiver.wait_ready()
    flush(archiver, send_ticks(producer, namespace, "events", range(2)))
    process = psutil.Process(archiver.process.pid)
    _, most = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (LITTLE_ROOM, most))
    large = random_batch(record_of("events"), 4_000, seed=1)
    producer.send(namespace.events, 0, Frame(stream="events", tick=2, source="sim", batch=large))
    wanted = send_ticks(producer, namespace, "events", range(3, 5))
    wanted = {where: 8 + (where == f"{namespace.events}/0") for where in wanted}
    order = {"offsets": wanted, "timeout_s": 5.0}
    assert archiver.client.post(archiver.url("/flush"), json=order).status_code == 504
    eventually(lambda: "free space" in archiver.log, "the archiver telling of the disk")
    process.rlimit(psutil.RLIMIT_FSIZE, (most, most))
    assert flush(archiver, wanted)["events"]["rows"] == 4 * PARTITIONS * 5 + 4_000
    assert len(persons(tmp_path / "lake", "events")) == 4 * PARTITIONS * 5 + 4_000
    assert archiver.process.poll() is None
    assert "Traceback" not in archiver.log


def test_an_archiver_that_stands_still_for_a_while_catches_up(
    archiver: HostedService, producer: FrameProducer, namespace: Topics, tmp_path: Path
) -> None:
    archiver.wait_ready()
    archiver.process.send_signal(signal.SIGSTOP)
    try:
        wanted = send_ticks(producer, namespace, "events", range(200))
    finally:
        archiver.process.send_signal(signal.SIGCONT)
    assert flush(archiver, wanted)["events"]["rows"] == 200 * PARTITIONS * 5
    assert persons(tmp_path / "lake", "events") == expected(range(200))


def test_a_frame_sent_again_after_a_crash_of_its_sender_is_archived_once(
    archiver: HostedService, broker: EmbeddedBroker, namespace: Topics, tmp_path: Path
) -> None:
    archiver.wait_ready()
    for turn in range(2):
        with FrameProducer(broker.bootstrap, namespace=namespace.namespace, client_id="sim") as sender:
            offsets = send_ticks(sender, namespace, "events", range(3))
        if turn == 0:
            flush(archiver, offsets)
            archiver.kill()
            archiver.restart().wait_ready()
    counts = flush(archiver, {where: 2 * offset for where, offset in offsets.items()})
    assert counts["events"]["repeats"] == 3 * PARTITIONS
    assert persons(tmp_path / "lake", "events") == expected(range(3))


def test_a_record_that_is_no_frame_goes_to_the_dead_letters_and_the_stream_goes_on(
    archiver: HostedService, broker: EmbeddedBroker, producer: FrameProducer, namespace: Topics, tmp_path: Path
) -> None:
    archiver.wait_ready()
    producer.send_raw(namespace.events, 0, Raw(b"key", b"garbage", [("ce_type", b"what")]))
    wanted = send_ticks(producer, namespace, "events", range(2))
    wanted[f"{namespace.events}/0"] += 1
    counts = flush(archiver, wanted)
    assert counts["events"]["undecodable"] == 1
    assert persons(tmp_path / "lake", "events") == expected(range(2))
    (letter,) = read_letters(broker.bootstrap, namespace.deadletter(namespace.events))
    assert (letter.topic, letter.partition, letter.offset) == (namespace.events, 0, 0)
    assert letter.raw.value == b"garbage"


def test_a_flush_that_waits_for_what_never_comes_answers_504(archiver: HostedService, namespace: Topics) -> None:
    archiver.wait_ready()
    order = {"offsets": {f"{namespace.events}/0": 5}, "timeout_s": 0.2}
    assert archiver.client.post(archiver.url("/flush"), json=order).status_code == 504


def test_a_flush_of_a_topic_it_does_not_read_is_refused(archiver: HostedService) -> None:
    archiver.wait_ready()
    reply = archiver.client.post(archiver.url("/flush"), json={"offsets": {"calm.other.events/0": 5}})
    assert reply.status_code == 400
    assert "calm.other.events/0" in reply.json()["detail"]


def test_a_broker_that_is_not_there_is_one_clear_line_and_exit_code_3(tmp_path: Path) -> None:
    with HostedService("services.archiver.main", settings_for(tmp_path, "127.0.0.1:1")) as service:
        assert service.process.wait(120) == 3
        last = service.log.strip().splitlines()[-1]
        assert "127.0.0.1:1" in last
        assert "Traceback" not in service.log
