"""A lane that is killed and started again loses nothing, and what it doubles is recognised."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.bus.admin import create_topics
from infra.bus.consumer import FrameConsumer
from infra.bus.embedded import EmbeddedBroker
from infra.bus.producer import FrameProducer
from infra.bus.ticks import TickBatch, TickGate
from infra.contracts.events import EVENT
from infra.contracts.topics import Topics
from tests.support.batches import random_batch
from tests.support.buses import WITHIN_S, numbers_of, partitions_of, read_all, released, send_tick

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
TOPICS = Topics("killed")
TICKS, ROWS = 60, 7
# Ticks released to the reader, and how many more are on their way when the kill comes. At the last kill none is: the
# lane has written 40 ticks and its newest snapshot, one every 3, holds 39, so that one tick at least is written again.
KILLS = ((11, 5), (25, 5), (40, 0), (TICKS, 0))


class Reader:
    """Reads scores tick by tick while the lane lives and dies."""

    def __init__(self, bootstrap: str) -> None:
        self.consumer = FrameConsumer(bootstrap, client_id="reader")
        self.consumer.assign(dict.fromkeys(partitions_of(TOPICS.scores), 0))
        self.gate = TickGate(partitions_of(TOPICS.scores))
        self.batches: list[TickBatch] = []

    def read_until(self, ticks: int) -> None:
        deadline = time.monotonic() + WITHIN_S
        while len(self.batches) < ticks:
            assert time.monotonic() < deadline, f"{len(self.batches)} of {ticks} ticks came"
            for received in self.consumer.poll(0.2):
                self.gate.offer(received)
            self.batches += self.gate.release()


def started(bootstrap: str, snapshots: Path) -> subprocess.Popen[bytes]:
    script = str(Path(__file__).with_name("numbering_lane.py"))
    bootstrap_code = (
        f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); runpy.run_path({script!r}, run_name='__main__')"
    )
    return subprocess.Popen([sys.executable, "-c", bootstrap_code, bootstrap, TOPICS.namespace, str(snapshots)])


def send(producer: FrameProducer, ticks: range) -> None:
    for tick in ticks:
        send_tick(producer, TOPICS, tick, [random_batch(EVENT, ROWS, seed=tick)] * 3)


def test_a_lane_killed_in_the_middle_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        reader = Reader(broker.bootstrap)
        with FrameProducer(broker.bootstrap, namespace=TOPICS.namespace, client_id="test") as producer:
            sent = 0
            for until, on_their_way in KILLS:
                lane = started(broker.bootstrap, tmp_path)
                try:
                    send(producer, range(sent, until + on_their_way))
                    sent = until + on_their_way
                    reader.read_until(until)
                finally:
                    lane.kill()
                    lane.wait()
        reader.consumer.close()
        again = released(read_all(broker.bootstrap, TOPICS.scores), TOPICS.scores)
    assert [batch.tick for batch in reader.batches] == list(range(TICKS))
    assert numbers_of(reader.batches) == list(range(TICKS * 3 * ROWS))
    assert numbers_of(again) == numbers_of(reader.batches)
    assert reader.gate.dropped["repeated"] > 0
