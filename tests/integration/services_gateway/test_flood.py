"""More than the gateway bears: every answer is as documented, and what was acknowledged is in Kafka, once."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from infra.bus.admin import create_topics
from infra.bus.embedded import EmbeddedBroker
from tests.support.hosted import eventually
from tests.support.outside import TOPICS, Flood, gateway_on, ids_of, stored_ids

pytestmark = pytest.mark.integration

CAPACITY = 200  # events/s


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        yield broker


def test_a_flood_of_ten_times_the_capacity_is_429_and_nothing_acknowledged_is_lost(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    limits = {
        "events_per_s": CAPACITY,
        "burst": CAPACITY,
        "client_events_per_s": CAPACITY / 2,
        "client_burst": CAPACITY / 2,
    }
    with gateway_on(broker.bootstrap, tmp_path, **limits) as gateway:
        gateway.wait_ready()
        flood = Flood(gateway, clients=6, requests=50, events=100)
        flood.start()
        flood.join()
        assert "error" not in gateway.log
    assert flood.clients * flood.requests * flood.events / flood.took > 10 * CAPACITY
    assert not flood.broken
    assert set(flood.statuses) == {202, 429}
    assert flood.bare == []
    debt = flood.clients * flood.events
    assert CAPACITY <= len(flood.acknowledged) <= CAPACITY + CAPACITY * flood.took + debt
    stored = stored_ids(broker.bootstrap)
    assert stored.keys() == ids_of(flood.acknowledged)
    assert set(stored.values()) == {1}


def test_while_kafka_is_frozen_the_queue_stays_short_and_nothing_acknowledged_is_lost(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with gateway_on(broker.bootstrap, tmp_path, waiting_requests=3) as gateway:
        gateway.wait_ready()
        flood = Flood(gateway, clients=6, requests=40, events=5, patient=True)
        flood.start()
        eventually(partial(flood.has_acknowledged, 10), "the first acknowledgements")
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            eventually(lambda: flood.statuses[503] > 10, "a full queue")
            ready = gateway.url("/readyz")
            eventually(lambda: gateway.client.get(ready).status_code == 503, "noticing that Kafka is silent", 60)
            before = flood.statuses[202]
            assert gateway.client.get(gateway.url("/healthz")).status_code == 200
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        flood.join()
    assert before < flood.statuses[202] == flood.clients * flood.requests
    assert set(flood.statuses) == {202, 503}
    assert flood.bare == []
    stored = stored_ids(broker.bootstrap, by_frame=True)
    assert stored.keys() == ids_of(flood.acknowledged)
    assert set(stored.values()) == {1}


def test_a_gateway_killed_in_a_flood_loses_and_doubles_nothing_that_it_acknowledged(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with gateway_on(broker.bootstrap, tmp_path) as gateway:
        gateway.wait_ready()
        flood = Flood(gateway, clients=4, requests=60, events=10, patient=True)
        flood.start()
        for kill in range(1, 4):
            eventually(partial(flood.has_acknowledged, 40 * kill), f"work before kill {kill}", 60)
            gateway.kill()
            gateway.restart().wait_ready()
        flood.join()
    assert set(flood.statuses) <= {202, 503}
    stored = stored_ids(broker.bootstrap, by_frame=True)
    assert stored.keys() == ids_of(flood.acknowledged)
    assert set(stored.values()) == {1}
