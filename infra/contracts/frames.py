"""Frames: one Kafka record that holds the rows of one partition and tick as an Arrow IPC record batch message.

The schema is not sent: it follows from the record type and version in the headers. Headers are CloudEvents 1.0
binary mode (`ce_*`, `content-type`) plus what Calmverse adds (`calm_*`). A tick-end record closes a tick of one
source in one partition and says how many frames and rows it had.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import pyarrow as pa

from infra.contracts.errors import CalmverseError, UndecodableFrame
from infra.contracts.fields import Record
from infra.contracts.records import record_of
from infra.contracts.time import TICK_US, isoformat

Headers = list[tuple[str, bytes]]

MAX_VALUE_BYTES = 900_000
"""A frame is split so that each record's value stays below this: Kafka's default limit is 1 MiB with headers."""

COMPRESS_FROM_ROWS = 1_000
"""From this many rows on lz4 pays: 54 against 76 bytes an event for 0.2 µs each (measured)."""

CONTENT_TYPE = "application/vnd.apache.arrow.batch"
TICK_END_TYPE = "calmverse.tick-end.v1"
_PREFIX = "calm_"
_OWN = {"calm_tick", "calm_rows", "calm_lineage", "calm_frames", "calm_stream"}
_EOS_BYTES = 8


@dataclass(frozen=True)
class Lineage:
    """Which records a derived frame was made from: offsets first to last (inclusive) of one topic partition."""

    topic: str
    partition: int
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.first}-{self.last}"

    @classmethod
    def parse(cls, text: str) -> "Lineage":
        """The inverse of str(); raises ValueError."""
        topic, partition, offsets = text.rsplit("/", 2)
        first, last = offsets.split("-")
        return cls(topic, int(partition), int(first), int(last))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Rows of one stream, tick and source. `attributes` hold for every row (such as `model_version`)."""

    stream: str
    tick: int
    source: str
    batch: pa.RecordBatch
    frame_id: str = ""
    lineage: tuple[Lineage, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TickEnd:
    """The last record of a tick of one source in one partition, with the counts of what came before it."""

    stream: str
    tick: int
    source: str
    frames: int
    rows: int
    lineage: tuple[Lineage, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


def encode(frame: Frame) -> list[tuple[Headers, bytes]]:
    """The records (headers, value) of a frame: one, or more where the rows would pass MAX_VALUE_BYTES.

    Cost grows linearly with rows. `frame.frame_id` must be unique with the source; parts append `+1`, `+2`, ….
    """
    record = record_of(frame.stream)
    values = _split(frame.batch, record)
    return [
        (_frame_headers(frame, record, rows, frame.frame_id + (f"+{part}" if part else "")), value)
        for part, (rows, value) in enumerate(values)
    ]


def encode_tick_end(end: TickEnd) -> tuple[Headers, bytes]:
    """Headers and (empty) value of a tick-end record."""
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", TICK_END_TYPE.encode()),
        ("ce_source", end.source.encode()),
        ("ce_id", f"{end.stream}/{end.tick}/end".encode()),
        ("calm_stream", end.stream.encode()),
        ("calm_tick", str(end.tick).encode()),
        ("calm_frames", str(end.frames).encode()),
        ("calm_rows", str(end.rows).encode()),
    ]
    return headers + _lineage_header(end.lineage) + _attribute_headers(end.attributes), b""


def decode(headers: Sequence[tuple[str, bytes]], value: bytes) -> Frame | TickEnd:
    """The frame or tick-end in a Kafka record; raises UndecodableFrame that says what is wrong with it."""
    try:
        texts = {name: raw.decode() for name, raw in headers}
        if texts["ce_type"] == TICK_END_TYPE:
            return _decode_tick_end(texts)
        return _decode_frame(texts, value)
    except CalmverseError:
        raise
    except (KeyError, ValueError, OSError, AttributeError, pa.ArrowException) as problem:
        detail = f"missing header {problem}" if isinstance(problem, KeyError) else str(problem)
        raise UndecodableFrame(f"not a frame: {detail}") from problem


def _decode_tick_end(texts: Mapping[str, str]) -> TickEnd:
    return TickEnd(
        stream=texts["calm_stream"],
        tick=int(texts["calm_tick"]),
        source=texts["ce_source"],
        frames=int(texts["calm_frames"]),
        rows=int(texts["calm_rows"]),
        lineage=_lineage_of(texts),
        attributes=_attributes_of(texts),
    )


def _decode_frame(texts: Mapping[str, str], value: bytes) -> Frame:
    stream = texts["ce_type"].split(".")[1] if texts["ce_type"].count(".") == 2 else ""
    record = record_of(stream)
    if texts["ce_type"] != record.type_name:
        raise UndecodableFrame(f"frame of type {texts['ce_type']!r}: this version reads {record.type_name!r}")
    batch = pa.ipc.read_record_batch(pa.py_buffer(value), record.arrow)
    if batch.num_rows != int(texts["calm_rows"]):
        raise UndecodableFrame(f"frame of {batch.num_rows} rows, its header says {texts['calm_rows']}")
    return Frame(
        stream=stream,
        tick=int(texts["calm_tick"]),
        source=texts["ce_source"],
        batch=batch,
        frame_id=texts["ce_id"],
        lineage=_lineage_of(texts),
        attributes=_attributes_of(texts),
    )


def _frame_headers(frame: Frame, record: Record, rows: int, frame_id: str) -> Headers:
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", record.type_name.encode()),
        ("ce_source", frame.source.encode()),
        ("ce_id", frame_id.encode()),
        ("ce_time", isoformat(frame.tick * TICK_US).encode()),
        ("content-type", CONTENT_TYPE.encode()),
        ("calm_tick", str(frame.tick).encode()),
        ("calm_rows", str(rows).encode()),
    ]
    return headers + _lineage_header(frame.lineage) + _attribute_headers(frame.attributes)


def _lineage_header(lineage: tuple[Lineage, ...]) -> Headers:
    return [("calm_lineage", ";".join(map(str, lineage)).encode())] if lineage else []


def _attribute_headers(attributes: Mapping[str, str]) -> Headers:
    return [(_PREFIX + name, text.encode()) for name, text in sorted(attributes.items())]


def _lineage_of(texts: Mapping[str, str]) -> tuple[Lineage, ...]:
    text = texts.get("calm_lineage", "")
    return tuple(Lineage.parse(part) for part in text.split(";")) if text else ()


def _attributes_of(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_PREFIX): text
        for name, text in texts.items()
        if name.startswith(_PREFIX) and name not in _OWN
    }


def _split(batch: pa.RecordBatch, record: Record) -> list[tuple[int, bytes]]:
    value = _serialise(batch, record)
    if len(value) <= MAX_VALUE_BYTES or batch.num_rows <= 1:
        return [(batch.num_rows, value)]
    pieces = -(-len(value) // MAX_VALUE_BYTES)
    step = max(1, batch.num_rows // (pieces + 1))
    parts = [batch.slice(start, step) for start in range(0, batch.num_rows, step)]
    return [pair for part in parts for pair in _split(part, record)]


def _serialise(batch: pa.RecordBatch, record: Record) -> bytes:
    compress = batch.num_rows >= COMPRESS_FROM_ROWS
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, record.arrow, options=_options(compress)) as writer:
        writer.write_batch(batch)
    message = memoryview(sink.getvalue())
    return bytes(message[_schema_bytes(record.name, compress) : -_EOS_BYTES])


@cache
def _options(compress: bool) -> pa.ipc.IpcWriteOptions:
    return pa.ipc.IpcWriteOptions(compression="lz4" if compress else None)


@cache
def _schema_bytes(stream: str, compress: bool) -> int:
    """Length of the schema message that an Arrow stream starts with: it is cut off, the reader knows the schema."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, record_of(stream).arrow, options=_options(compress)):
        pass
    return int(sink.getvalue().size) - _EOS_BYTES
