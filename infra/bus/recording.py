"""Topics as they were, record by record, in one Parquet file: what an audit reads when the broker is long gone.

Nothing is decoded: a recording holds what the broker handed out, also what no reader understands. It is never part of
the training lake, and holds the same personal data as the topics. Where the broker does transactions right, only what
is committed is recorded, and with it the offsets that services had committed before (`Commits`).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from infra.bus import liveness
from infra.bus.admin import group_offsets
from infra.bus.clients import broker_errors, broker_failed, common_settings
from infra.bus.consumer import end_offsets
from infra.bus.kafka_library import KafkaConsumer, TopicPartition
from infra.contracts.errors import BadInput, EnvironmentFailed

_HEADERS = pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())]))
_SCHEMA = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("headers", _HEADERS),
    ]
)
_GROUP = 2_000
"""Records in a row group of the file: at most so many are in memory at once."""
_FETCH_MS = 500
_OPEN_S: Final = 90.0
"""Longest wait for the end of a transaction: a broker ends one that was left open after a minute."""
_COMMITS: Final = b"calmverse.commits"
"""Where a recording's file keeps its commits: beside the names of the columns."""


class Recorded(NamedTuple):
    """One Kafka record where it stood."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, kw_only=True)
class Commits:
    """What services had committed, where only committed records are read: next offset by service, topic, partition.

    `transactions` is False where all records are read, and nothing is known of commits.
    """

    transactions: bool = False
    offsets: dict[tuple[str, str, int], int] = field(default_factory=dict)


def read_commits(bootstrap: str, namespace: str) -> Commits:
    """What the services of a namespace have committed by now: to be asked before their records are read.

    Raises EnvironmentFailed.
    """
    prefix = f"calm.{namespace}."
    told = group_offsets(bootstrap, prefix).items()
    offsets = {(group.removeprefix(prefix), topic, number): next_ for (group, topic, number), next_ in told}
    return Commits(transactions=True, offsets=offsets)


def read_topics(bootstrap: str, topics: Sequence[str], *, committed: bool = False) -> Iterator[Recorded]:
    """Every record of the topics up to where each ends now; with `committed` only those that are, transactions heeded.

    What is in the middle of a transaction is waited for. Raises EnvironmentFailed when the broker does not answer for
    about ten seconds, or when a transaction does not end within a minute and a half.
    """
    ends = {
        TopicPartition(topic, number): end
        for topic in topics
        for number, end in end_offsets(bootstrap, topic, client_id="calmverse-recording").items()
        if end > 0
    }
    watch = liveness.Watch(bootstrap)
    consumer = _connect(bootstrap, committed)
    try:
        with broker_errors(bootstrap, "handing out its topics"):
            consumer.assign(list(ends))
            consumer.seek_to_beginning(*ends)
            while any(consumer.position(where) < end for where, end in ends.items()):
                for where, records in consumer.poll(timeout_ms=_FETCH_MS).items():
                    watch.heard()
                    yield from (_recorded(record) for record in records if record.offset < ends[where])
                if watch.quiet_s > _OPEN_S:
                    raise broker_failed(bootstrap, "handing out its topics", "a transaction there does not end")
                if watch.silent():
                    raise broker_failed(bootstrap, "handing out its topics", "it does not answer")
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)


def write_recording(path: Path, records: Iterable[Recorded], commits: Commits | None = None) -> int:
    """Write a recording, replacing the file; how many records. Raises EnvironmentFailed when the disk refuses."""
    draft, written = path.with_suffix(".tmp"), 0
    schema = _SCHEMA.with_metadata({_COMMITS: _written(commits or Commits())})
    try:
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for group in _groups(records):
                writer.write_table(_table(group, schema))
                written += len(group)
        draft.replace(path)
    except OSError as problem:
        raise EnvironmentFailed(f"cannot write the recording {path}: {problem}. Free disk space") from problem
    return written


def read_recording(path: Path) -> Iterator[Recorded]:
    """The records of a recording, as they were written; raises BadInput where it is none."""
    with _opened(path) as file:
        for group in file.iter_batches(_GROUP):
            for row in group.to_pylist():
                headers = [(each["name"], each["value"]) for each in row.pop("headers")]
                yield Recorded(**row, headers=headers)


def recorded_commits(path: Path) -> Commits:
    """What was committed when a recording was made; raises BadInput where it is none."""
    with _opened(path) as file:
        kept = (file.schema_arrow.metadata or {}).get(_COMMITS)
    if kept is None:
        return Commits()
    document = json.loads(kept)
    offsets = {(service, topic, number): offset for service, topic, number, offset in document["offsets"]}
    return Commits(transactions=document["transactions"], offsets=offsets)


def _written(commits: Commits) -> bytes:
    offsets = [(*where, offset) for where, offset in sorted(commits.offsets.items())]
    return json.dumps({"transactions": commits.transactions, "offsets": offsets}).encode()


def _opened(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as problem:
        raise BadInput(f"{path} is no recording of topics: {problem}") from problem
    if not file.schema_arrow.equals(_SCHEMA):
        file.close()
        raise BadInput(f"{path} is no recording of topics: its columns are {', '.join(file.schema_arrow.names)}")
    return file


def _connect(bootstrap: str, committed: bool) -> KafkaConsumer:
    with broker_errors(bootstrap, "connecting a reader"):
        return KafkaConsumer(
            **common_settings(bootstrap, "calmverse-recording"),
            metrics_enabled=False,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed" if committed else "read_uncommitted",
            max_partition_fetch_bytes=16 * 1024 * 1024,
        )


def _recorded(record: object) -> Recorded:
    names = ("topic", "partition", "offset", "key", "value", "headers")
    topic, partition, offset, key, value, headers = (getattr(record, name) for name in names)
    return Recorded(topic, partition, offset, key, value or b"", [(name, bytes(each or b"")) for name, each in headers])


def _groups(records: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    group: list[Recorded] = []
    for record in records:
        group.append(record)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _table(group: list[Recorded], schema: pa.Schema) -> pa.Table:
    rows = [
        record._asdict() | {"headers": [{"name": name, "value": value} for name, value in record.headers]}
        for record in group
    ]
    return pa.Table.from_pylist(rows, schema=schema)
