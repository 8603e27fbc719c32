"""Topics as they were, record by record, in one Parquet file: what an audit reads when the broker is long gone.

Nothing is decoded: a recording holds what the broker handed out, also what no reader understands. It is never part of
the training lake, and holds the same personal data as the topics.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from infra.bus import liveness
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


class Recorded(NamedTuple):
    """One Kafka record where it stood."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def read_topics(bootstrap: str, topics: Sequence[str], *, committed: bool = False) -> Iterator[Recorded]:
    """Every record of the topics up to where each ends now; with `committed` only those that are, transactions heeded.

    Raises EnvironmentFailed when the broker does not answer for about ten seconds.
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
                if watch.silent():
                    raise broker_failed(bootstrap, "handing out its topics", "it does not answer")
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)


def write_recording(path: Path, records: Iterable[Recorded]) -> int:
    """Write a recording, replacing the file; how many records. Raises EnvironmentFailed when the disk refuses."""
    draft, written = path.with_suffix(".tmp"), 0
    try:
        with pq.ParquetWriter(draft, _SCHEMA, compression="zstd") as writer:
            for group in _groups(records):
                writer.write_table(_table(group))
                written += len(group)
        draft.replace(path)
    except OSError as problem:
        raise EnvironmentFailed(f"cannot write the recording {path}: {problem}. Free disk space") from problem
    return written


def read_recording(path: Path) -> Iterator[Recorded]:
    """The records of a recording, as they were written; raises BadInput where it is none."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as problem:
        raise BadInput(f"{path} is no recording of topics: {problem}") from problem
    with file:
        if not file.schema_arrow.equals(_SCHEMA):
            raise BadInput(f"{path} is no recording of topics: its columns are {', '.join(file.schema_arrow.names)}")
        for group in file.iter_batches(_GROUP):
            for row in group.to_pylist():
                headers = [(each["name"], each["value"]) for each in row.pop("headers")]
                yield Recorded(**row, headers=headers)


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


def _table(group: list[Recorded]) -> pa.Table:
    rows = [
        record._asdict() | {"headers": [{"name": name, "value": value} for name, value in record.headers]}
        for record in group
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)
