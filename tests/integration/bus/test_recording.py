"""Recordings: what a broker holds, as it is, and back from the file; and the audit of a system's topics."""

from pathlib import Path

import pytest

from infra.bus.admin import create_topics
from infra.bus.embedded import EmbeddedBroker
from infra.bus.kafka_library import KafkaProducer
from infra.bus.recording import Recorded, read_recording, read_topics, write_recording
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.topics import stream_of
from infra.tail import Target
from load_tests.audit.command import AuditRequest, run_audit
from tests.support.recorded import TOPICS, Pipeline

pytestmark = pytest.mark.integration


def send(bootstrap: str, records: list[Recorded]) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for record in records:
        producer.send(record.topic, value=record.value, headers=record.headers, partition=record.partition)
    producer.flush(30)
    producer.close()


def test_topics_are_recorded_as_they_are_and_audited_where_they_are(tmp_path: Path) -> None:
    records = Pipeline(ticks=4).records
    kept = tmp_path / "topics.parquet"
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        send(broker.bootstrap, records)
        found = list(read_topics(broker.bootstrap, TOPICS.all()))
        target = Target(bootstrap=broker.bootstrap, namespace=TOPICS.namespace)
        document = run_audit(AuditRequest(target=target, recording=kept))
    assert sorted(found) == sorted(records)
    assert sorted(read_recording(kept)) == sorted(records)
    assert (document["clean"], document["records"], document["running"]) == (True, len(records), True)


def test_a_lost_record_is_located_in_the_topics_of_a_system() -> None:
    records = Pipeline(ticks=4).records
    lost = next(record for record in records if stream_of(record.topic) == "scores" and record.value)
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        send(broker.bootstrap, [record for record in records if record is not lost])
        target = Target(bootstrap=broker.bootstrap, namespace=TOPICS.namespace)
        document = run_audit(AuditRequest(target=target))
    assert document["clean"] is False
    located = [(found["rule"], found["topic"], found["partition"]) for found in document["findings"]]
    assert ("lost", lost.topic, lost.partition) in located


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    other.write_bytes(b"nothing of the kind")
    with pytest.raises(BadInput, match="is no recording of topics"):
        list(read_recording(other))
    with pytest.raises(EnvironmentFailed, match="cannot write the recording"):
        write_recording(tmp_path / "nowhere" / "topics.parquet", [])
