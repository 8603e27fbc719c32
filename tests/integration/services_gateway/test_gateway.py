"""The gateway process on a real broker: every event acknowledged is in Kafka once, in order, after any kill."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.bus.admin import create_topics
from infra.bus.consumer import FrameConsumer
from infra.bus.embedded import EmbeddedBroker
from infra.contracts.frames import Frame
from infra.contracts.topics import PARTITIONS, Topics
from infra.telemetry.propagation import parse_traceparent
from infra.telemetry.spans import read_spans
from services.gateway.domain import event_id_of
from tests.support.hosted import HostedService, settings_for
from tests.unit.services.gateway.builders import cloud_event

pytestmark = pytest.mark.integration

TOPICS = Topics("test")
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        yield broker


@pytest.fixture
def gateway(broker: EmbeddedBroker, tmp_path: Path) -> Iterator[HostedService]:
    with HostedService("services.gateway.main", settings_for(tmp_path, broker.bootstrap)) as service:
        yield service


def send(gateway: HostedService, identifiers: range, people: int = 5) -> httpx.Response:
    events = [cloud_event(str(number), subject=str(number % people)) for number in identifiers]
    return gateway.client.post(gateway.url("/events"), json=events, headers=BATCHED)


def frames(broker: EmbeddedBroker, rows: int) -> list[Frame]:
    """Everything in the events topic, repeats left out as readers do, once there are `rows` rows."""
    found: dict[str, Frame] = {}
    with FrameConsumer(broker.bootstrap, client_id="test") as consumer:
        consumer.assign({(TOPICS.events, partition): 0 for partition in range(PARTITIONS)})
        while sum(frame.batch.num_rows for frame in found.values()) < rows:
            arrived = consumer.poll(10.0)
            assert arrived, "fewer rows in Kafka than were acknowledged"
            for received in arrived:
                assert isinstance(received.item, Frame)
                assert parse_traceparent(received.traceparent) is not None
                found.setdefault(received.item.frame_id, received.item)
    return list(found.values())


def rows_by_person(broker: EmbeddedBroker, rows: int) -> dict[int, list[tuple[int, int]]]:
    """(seq, event id) of each person, in the order they stand in Kafka."""
    people: dict[int, list[tuple[int, int]]] = {}
    for frame in frames(broker, rows):
        for row in frame.batch.to_pylist():
            people.setdefault(row["person"], []).append((row["seq"], row["event_id"]))
    return people


def expected(count: int, people: int = 5) -> dict[int, list[tuple[int, int]]]:
    source = cloud_event()["source"]
    return {
        person: [(seq, event_id_of(source, str(number))) for seq, number in enumerate(range(person, count, people))]
        for person in range(people)
    }


def test_acknowledged_events_are_in_kafka_in_order_and_once_also_after_kill_9(
    gateway: HostedService, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    gateway.wait_ready()
    answer = send(gateway, range(40)).json()
    assert answer == {"accepted": 40, "repeated": 0, "outcomes": ["accepted"] * 40, "rejected": []}
    gateway.kill()
    gateway.restart().wait_ready()
    answer = send(gateway, range(20, 60)).json()
    assert answer["outcomes"] == ["repeated"] * 20 + ["accepted"] * 20
    assert rows_by_person(broker, 60) == expected(60)
    assert gateway.stop() == 0
    assert {"accept events", "send events"} <= set(read_spans(tmp_path / "spans")["name"])


def test_while_the_broker_is_gone_it_answers_503_and_lives_on(gateway: HostedService, broker: EmbeddedBroker) -> None:
    gateway.wait_ready()
    assert send(gateway, range(10)).status_code == 202
    broker.stop()
    reply = send(gateway, range(10, 20))
    assert reply.status_code == 503
    assert "Retry-After" in reply.headers
    assert gateway.client.get(gateway.url("/healthz")).status_code == 200
    assert gateway.client.get(gateway.url("/readyz")).status_code == 503
    assert gateway.stop() == 0


def test_an_outbox_from_before_goes_to_a_broker_that_came_back(broker: EmbeddedBroker, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, broker.bootstrap)
    broker.stop()
    with HostedService("services.gateway.main", settings) as gateway:
        assert send(gateway, range(10)).status_code == 503
        port = int(settings.bootstrap.rpartition(":")[2])
        with EmbeddedBroker(port) as again:
            create_topics(again.bootstrap, TOPICS.all())
            gateway.wait_ready()
            assert send(gateway, range(10)).status_code == 202
            assert rows_by_person(again, 10) == expected(10)
