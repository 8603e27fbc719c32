"""A broker that dies is one clear error, soon, for whoever uses it."""

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from infra.bus.admin import create_topics, list_topics
from infra.bus.consumer import FrameConsumer
from infra.bus.embedded import EmbeddedBroker
from infra.bus.lanes import Lane
from infra.bus.producer import FrameProducer
from infra.contracts.errors import CalmverseError, EnvironmentFailed
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame
from infra.contracts.topics import Topics
from tests.support.batches import random_batch
from tests.support.buses import Numbering, numbering_config, partitions_of

pytestmark = [
    pytest.mark.integration,
    # The Kafka library does not close the sockets of refused connections.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BOUND_S = 60.0  # about ten seconds by design; what waits for ever is found on a slow and busy machine, too
TOPICS = Topics("dies")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Those sockets are found here, where their warning is expected, and not in some later test."""
    yield
    gc.collect()


class Attempt(threading.Thread):
    """Calls something again and again until it raises; what it raised, and when."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.problem: Exception | None = None
        self.ended_at = 0.0

    def run(self) -> None:
        try:
            while True:
                self._call()
        except CalmverseError as problem:
            self.problem = problem
        self.ended_at = time.monotonic()


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_everybody_hears_of_it_within_bounded_time(signal_number: signal.Signals) -> None:
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        producer = FrameProducer(broker.bootstrap, namespace=TOPICS.namespace, client_id="test", max_in_flight=4)
        consumer = FrameConsumer(broker.bootstrap, client_id="test")
        consumer.assign(dict.fromkeys(partitions_of(TOPICS.events), 0))
        frame = Frame(stream="events", tick=0, source="test", batch=random_batch(EVENT, 3))
        producer.send(TOPICS.events, 0, frame)
        producer.flush()
        with Lane(numbering_config(TOPICS, broker.bootstrap), Numbering(TOPICS)) as lane:
            lane.step(0.5)
            os.kill(broker.pid, signal_number)
            struck_at = time.monotonic()
            attempts = [
                Attempt(lambda: producer.send(TOPICS.events, 0, frame)),
                Attempt(lambda: consumer.poll(0.2)),
                Attempt(lambda: lane.step(0.2)),
            ]
            for attempt in attempts:
                attempt.start()
            for attempt in attempts:
                attempt.join(BOUND_S)
        assert [type(attempt.problem) for attempt in attempts] == [EnvironmentFailed] * 3
        for attempt in attempts:
            assert broker.bootstrap in str(attempt.problem)
            assert attempt.ended_at - struck_at < BOUND_S
        with pytest.raises(EnvironmentFailed, match="failed"):
            producer.flush()
        producer.close()
        consumer.close()


def test_connecting_to_nothing_fails_at_once() -> None:
    with EmbeddedBroker() as broker:
        address = broker.bootstrap
    started = time.monotonic()
    with pytest.raises(EnvironmentFailed, match="does not answer"):
        list_topics(address)
    with pytest.raises(EnvironmentFailed, match="does not answer"):
        FrameProducer(address, namespace="x", client_id="test")
    with pytest.raises(EnvironmentFailed, match="does not answer"):
        FrameConsumer(address, client_id="test")
    assert time.monotonic() - started < BOUND_S
