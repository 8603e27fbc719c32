"""The path with transactions: the embedded broker takes the calls, although it does not isolate."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.bus.admin import create_topics
from infra.bus.broker import Capabilities
from infra.bus.embedded import EmbeddedBroker
from infra.bus.lanes import Lane, Output
from infra.bus.messages import Raw
from infra.bus.producer import FrameProducer
from infra.bus.snapshots import SnapshotStore
from infra.bus.ticks import TickBatch
from infra.contracts.events import EVENT
from infra.contracts.topics import Topics
from tests.support.batches import random_batch
from tests.support.buses import Numbering, numbering_config, numbers_of, read_all, released, send_tick

pytestmark = pytest.mark.integration

TOPICS = Topics("transactional")
TRANSACTIONAL = Capabilities(transactions=True, fetch_wait_ms=5)


def work(lane: Lane, ticks: int) -> None:
    done = 0
    while done < ticks:
        done += lane.step(1.0)


def test_a_restarted_lane_rebuilds_its_state_and_writes_no_tick_twice(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        config, store = numbering_config(TOPICS, broker.bootstrap, TRANSACTIONAL), SnapshotStore(tmp_path)
        with FrameProducer(broker.bootstrap, namespace=TOPICS.namespace, client_id="test") as producer:
            producer.send_raw(TOPICS.events, 3, Raw(None, b"not a frame"))
            for tick in range(5):
                send_tick(producer, TOPICS, tick, [random_batch(EVENT, 4)])
            producer.flush()
            with Lane(config, Numbering(TOPICS), store) as lane:
                work(lane, 5)  # saved after the third
                assert lane.dead_letters == 1
            send_tick(producer, TOPICS, 5, [random_batch(EVENT, 4)])
            producer.flush()
            with Lane(config, Numbering(TOPICS), store) as lane:
                work(lane, 3)
        batches = released(records := read_all(broker.bootstrap, TOPICS.scores), TOPICS.scores)
    assert numbers_of(batches) == list(range(6 * 4))
    assert len(records) == 6 * (1 + 4)


class Failing(Numbering):
    """Fails at its second tick, after it has changed its state."""

    def handle(self, batch: TickBatch) -> Sequence[Output]:
        outputs = super().handle(batch)
        if batch.tick == 1:
            raise ArithmeticError("a bug in the handler")
        return outputs


def test_what_the_handler_raises_goes_through() -> None:
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        with FrameProducer(broker.bootstrap, namespace=TOPICS.namespace, client_id="test") as producer:
            for tick in range(2):
                send_tick(producer, TOPICS, tick, [random_batch(EVENT, 4)])
        config = numbering_config(TOPICS, broker.bootstrap, TRANSACTIONAL)
        with Lane(config, Failing(TOPICS)) as lane, pytest.raises(ArithmeticError, match="a bug"):
            work(lane, 2)
