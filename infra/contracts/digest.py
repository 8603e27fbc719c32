"""The digest of a run: one hash over its events and decisions, for telling whether two runs did the same.

Each row is hashed to 128 bits together with its place in the canonical order (person, tick, seq), and the row
hashes are summed modulo 2^128 (AdHash: Bellare & Micciancio 1997). The sum does not depend on the order in which
rows arrive, so it streams, and shards, brokers and restarts cannot move it; the place inside each row's hash keeps
it sensitive to order where order means something. Wall times, offsets, model floats and trace ids stay out.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infra.contracts.draws import U64Array, mix
from infra.contracts.time import TICK_US

_NOT_EVENTS = {"intended_at"}
_NOT_DECISIONS = {"intended_at", "lapse", "model_version"}
_NULL = np.uint64(0xA5A5A5A5A5A5A5A5)
_MODULUS = 1 << 128


class Digest:
    """Running digest of events and decisions. Cost is linear in rows: about 1 µs each."""

    def __init__(self) -> None:
        self.total = 0
        self.rows = 0

    def add_events(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Add rows of the event record; every row must be added exactly once."""
        tick = _bits(batch.column("occurred_at")) // np.uint64(TICK_US)
        self._add(batch, tick, b"events", _NOT_EVENTS)

    def add_decisions(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Add rows of the decision record; every row must be added exactly once."""
        self._add(batch, _bits(batch.column("tick")), b"decisions", _NOT_DECISIONS)

    def merge(self, other: "Digest") -> None:
        """Add all rows of another digest (of another shard)."""
        self.total = (self.total + other.total) % _MODULUS
        self.rows += other.rows

    def hexdigest(self) -> str:
        """32 hexadecimal digits over everything added so far, the row count included."""
        raw = self.total.to_bytes(16, "little") + self.rows.to_bytes(8, "little")
        return hashlib.blake2b(raw, digest_size=16).hexdigest()

    def _add(self, batch: pa.RecordBatch | pa.Table, tick: U64Array, label: bytes, left_out: set[str]) -> None:
        if batch.num_rows == 0:
            return
        low = mix(tick ^ np.uint64(int.from_bytes(label[:8], "little")))
        high = mix(~low)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name in left_out:
                continue
            for leaf in _leaves(column):
                low = mix(low ^ leaf)
                high = mix(high + leaf)
        self.total = (self.total + _total(low) + (_total(high) << 64)) % _MODULUS
        self.rows += batch.num_rows


def _total(values: U64Array) -> int:
    """Exact sum of uint64 values: halves are summed apart, so that nothing overflows."""
    return int((values >> np.uint64(32)).sum()) * 2**32 + int((values & np.uint64(0xFFFFFFFF)).sum())


def _leaves(column: pa.Array | pa.ChunkedArray) -> Iterator[U64Array]:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_struct(column.type):
        present = column.is_valid().to_numpy(zero_copy_only=False)
        for index in range(column.type.num_fields):
            yield np.where(present, _bits(column.field(index)), _NULL)
    else:
        yield _bits(column)


def _bits(column: pa.Array | pa.ChunkedArray) -> U64Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        return _hashed(column)
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        # -0.0 and 0.0 are one value; every NaN is one value.
        values = np.where(np.isnan(values), np.nan, values.astype(np.float64) + 0.0).view(np.uint64)
    result: U64Array = values.astype(np.uint64)
    return result


def _hashed(column: pa.Array) -> U64Array:
    """64-bit hashes of strings or bytes: each different value is hashed once."""
    encoded = pc.dictionary_encode(column.fill_null(b"" if pa.types.is_binary(column.type) else ""))
    digests = [
        hashlib.blake2b(value if isinstance(value, bytes) else value.encode(), digest_size=8).digest()
        for value in encoded.dictionary.to_pylist()
    ]
    table = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
    indices: U64Array = table[encoded.indices.to_numpy(zero_copy_only=False)]
    return indices
