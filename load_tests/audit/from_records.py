"""Evidence from Kafka records: headers and Arrow batches read here, with nothing of the bus's own decoder."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from infra.bus.recording import Commits, Recorded
from infra.contracts.records import RECORDS as CONTRACTS
from infra.contracts.topics import STREAMS
from load_tests.audit.evidence import COLUMNS, LETTERS, LINEAGE, RECORDS, ROWS, Evidence, table

TICK_END = "calmverse.tick-end.v1"
_REPLAYED = "calm_dead_marked"
"""Header of what says that a dead letter was sent again: no letter of its own."""
Row = tuple[object, ...]
Frame = tuple[Recorded, dict[str, str], pa.RecordBatch]
"""A record, its headers as text, and its rows."""


@dataclass
class _Reading:
    """What has been read so far."""

    records: list[Row] = field(default_factory=list)
    lineage: list[Row] = field(default_factory=list)
    letters: list[Row] = field(default_factory=list)
    rows: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    seen: set[Row] = field(default_factory=set)


def read_evidence(records: Iterable[Recorded]) -> Evidence:
    """Evidence of these records, in any order of partitions, by offset within each. Linear in records and rows."""
    reading = _Reading()
    for record in records:
        _take(reading, record)
    return Evidence(
        records=table(reading.records, RECORDS),
        lineage=table(reading.lineage, LINEAGE),
        letters=table(reading.letters, LETTERS),
        rows={stream: _rows(stream, frames) for stream, frames in reading.rows.items()},
    )


def with_commits(evidence: Evidence, commits: Commits) -> Evidence:
    """The evidence with what its services had committed; groups of readers that write nothing are not audited."""
    services = set(evidence.records["source"])
    committed = {
        (service, topic.split(".", 2)[-1], partition): offset
        for (service, topic, partition), offset in commits.offsets.items()
        if service in services
    }
    # Nobody commits on a broker that transactions cannot be relied on: all was read, repeats and all.
    return replace(evidence, committed=committed, transactions=commits.transactions and bool(committed))


def _take(reading: _Reading, record: Recorded) -> None:
    stream = record.topic.split(".", 2)[-1]
    texts = {name: value.decode(errors="replace") for name, value in record.headers}
    if stream.startswith("deadletter."):
        if _REPLAYED in texts:
            return
        where = (texts.get("calm_dead_topic", "").split(".", 2)[-1], int(texts.get("calm_dead_partition", -1)))
        reading.letters.append((*where, int(texts.get("calm_dead_offset", -1)), texts.get("calm_dead_error", "")))
        return
    try:
        kind, entry, batch = _understood(stream, texts, record)
    except (KeyError, ValueError, OSError, pa.ArrowException):
        reading.records.append((stream, record.partition, record.offset, "unreadable", "", None, "", 0, 0, False))
        return
    key = (stream, record.partition, kind, *entry[:3])
    repeat = key in reading.seen
    reading.seen.add(key)
    reading.records.append((stream, record.partition, record.offset, kind, *entry, repeat))
    if repeat:
        return
    if kind == "end":
        reading.lineage += [(entry[0], entry[1], *part) for part in _lineage(texts.get("calm_lineage", ""))]
    elif batch is not None and stream in COLUMNS:
        reading.rows[stream].append((record, texts, batch))


def _understood(
    stream: str, texts: dict[str, str], record: Recorded
) -> tuple[str, tuple[str, int, str, int, int], pa.RecordBatch | None]:
    """Kind of a record; its source, tick, id, frames and rows; a frame's batch. Raises KeyError or ValueError."""
    if stream not in STREAMS:
        raise ValueError(stream)
    source, tick, rows = texts["ce_source"], int(texts["calm_tick"]), int(texts["calm_rows"])
    if texts["ce_type"] == TICK_END:
        return "end", (source, tick, texts["ce_id"], int(texts["calm_frames"]), rows), None
    batch = pa.ipc.read_record_batch(pa.py_buffer(record.value), CONTRACTS[stream].arrow)
    if texts["ce_type"] != CONTRACTS[stream].type_name or batch.num_rows != rows:
        raise ValueError(texts["ce_type"])
    return "frame", (source, tick, texts["ce_id"], 1, rows), batch


def _lineage(text: str) -> list[tuple[str, int, int, int]]:
    """Stream, partition, first and last offset of every `topic/partition/first-last`, separated by semicolons."""
    found = []
    for part in filter(None, text.split(";")):
        topic, partition, offsets = part.rsplit("/", 2)
        first, last = offsets.split("-")
        found.append((topic.split(".", 2)[-1], int(partition), int(first), int(last)))
    return found


def _rows(stream: str, frames: list[Frame]) -> pl.DataFrame:
    """The rows of all frames of a stream, with where each stood."""
    batches = [batch for _, _, batch in frames]
    sizes = [batch.num_rows for batch in batches]
    whole = pa.Table.from_batches(batches)
    columns = {name: _column(whole, path) for name, path in COLUMNS[stream].items()}
    places = {
        "partition": [record.partition for record, _, _ in frames],
        "offset": [record.offset for record, _, _ in frames],
        "tick": [int(texts["calm_tick"]) for _, texts, _ in frames],
        "source": [texts["ce_source"] for _, texts, _ in frames],
    }
    fixed = {name: pl.Series(np.repeat(np.array(values), sizes)) for name, values in places.items()}
    return shaped(pl.DataFrame(columns | fixed))


def shaped(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the columns and types of ROWS; 0 where a column is not there or null."""
    missing = [pl.lit(0).alias(name) for name in ROWS if name not in rows.columns]
    whole = rows.with_columns(*missing).with_columns(pl.col("ref", "what").fill_null(0))
    return whole.select(pl.col(name).cast(kind) for name, kind in ROWS.items())


def _column(rows: pa.Table, path: str) -> pl.Series:
    first, *rest = path.split(".")
    column = rows.column(first)
    for name in rest:
        column = pc.struct_field(column, name)
    series = pl.from_arrow(column)
    assert isinstance(series, pl.Series)  # noqa: S101 - of one column
    return series
