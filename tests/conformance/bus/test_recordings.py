"""What an audit reads of a namespace, on every broker: what is committed, and what services said they had read."""

from pathlib import Path

from infra.bus.admin import open_admin
from infra.bus.broker import Broker
from infra.bus.kafka_library import OffsetAndMetadata
from infra.bus.kafka_library import TopicPartition as KafkaPartition
from infra.bus.lanes import Lane
from infra.bus.messages import Raw
from infra.bus.producer import FrameProducer
from infra.bus.recording import Commits, read_commits, read_recording, read_topics, recorded_commits, write_recording
from infra.contracts.events import EVENT
from infra.contracts.topics import PARTITIONS, Topics
from load_tests.audit.accounts import audit_records
from load_tests.audit.evidence import Evidence
from load_tests.audit.from_records import read_evidence, with_commits
from tests.support.apache import KAFKA_LIBRARY
from tests.support.batches import random_batch
from tests.support.buses import Numbering, need_transactions, numbering_config, send_tick

pytestmark = KAFKA_LIBRARY

TICKS = 4


def work_on_ticks(broker: Broker, topics: Topics) -> None:
    """A lane has worked on TICKS ticks."""
    with FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test") as producer:
        for tick in range(TICKS):
            send_tick(producer, topics, tick, [random_batch(EVENT, 5, seed=tick)] * 2)
        producer.flush()
    with Lane(numbering_config(topics, broker.bootstrap, broker.capabilities), Numbering(topics)) as lane:
        while lane.tick != TICKS - 1:
            lane.step(0.2)


def evidence_of(broker: Broker, topics: Topics, kept: Path) -> Evidence:
    """What the topics say, through a recording."""
    transactions = broker.capabilities.transactions
    commits = read_commits(broker.bootstrap, topics.namespace) if transactions else Commits()
    records = read_topics(broker.bootstrap, topics.all(), committed=transactions)
    write_recording(kept, records, commits)
    assert recorded_commits(kept) == commits
    return with_commits(read_evidence(read_recording(kept)), recorded_commits(kept))


def test_a_lane_that_worked_is_clean_and_its_commits_are_known(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    work_on_ticks(broker, topics)
    evidence = evidence_of(broker, topics, tmp_path / "topics.parquet")
    assert audit_records(evidence) == []
    assert len(evidence.records) == 2 * TICKS * (2 + PARTITIONS)
    read = {("numbering", "events", number): TICKS * (2 if number < 2 else 1) for number in range(PARTITIONS)}
    assert evidence.committed == (read if broker.capabilities.transactions else {})
    assert evidence.transactions == broker.capabilities.transactions


def test_an_offset_committed_early_is_found_where_it_is(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    need_transactions(broker)
    work_on_ticks(broker, topics)
    with FrameProducer(broker.bootstrap, namespace=topics.namespace, client_id="test") as producer:
        send_tick(producer, topics, TICKS, [])
        producer.flush()
    group = numbering_config(topics, broker.bootstrap).client_id
    with open_admin(broker.bootstrap, "committing") as admin:
        admin.alter_group_offsets(group, {KafkaPartition(topics.events, 3): OffsetAndMetadata(TICKS + 1, "", -1)})
    found = audit_records(evidence_of(broker, topics, tmp_path / "topics.parquet"))
    assert [(each.rule, each.service, each.stream, each.partition, each.offset) for each in found] == [
        ("committed early", "numbering", "events", 3, TICKS)
    ]


def test_work_that_was_given_up_is_not_recorded(broker: Broker, topics: Topics) -> None:
    need_transactions(broker)
    with FrameProducer(
        broker.bootstrap, namespace=topics.namespace, client_id="lane", transactional_id=topics.namespace
    ) as producer:
        producer.kafka.init_transactions()
        ends = producer.kafka.abort_transaction, producer.kafka.commit_transaction, producer.kafka.abort_transaction
        for number, end in enumerate(ends):
            producer.kafka.begin_transaction()
            producer.send_raw(topics.scores, 1, Raw(None, str(number).encode()))
            producer.flush()
            end()
    assert [each.value for each in read_topics(broker.bootstrap, [topics.scores], committed=True)] == [b"1"]
    assert len(list(read_topics(broker.bootstrap, [topics.scores]))) == len(ends)
