"""Rows of a tick become Arrow batches of the contracts: whole columns at a time, no Python for a row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.draws import U64Array, bits, mix
from infra.contracts.events import EVENT
from infra.contracts.identity import Pseudonyms, partition_of
from infra.contracts.kinds import KINDS, EventKind
from infra.contracts.records import OUTCOME, TRUTH
from infra.contracts.time import TICK_US
from simulation.core import purposes
from simulation.core.columns import group_rows, place, spread
from simulation.core.ordering import identify, name_people, row_order
from simulation.core.rows import Rows
from simulation.worlds.phrases import PHRASES

PAYLOADS: Final[dict[str, dict[str, str]]] = {
    "activity": {"item": "item", "duration_s": "duration"},
    "social": {
        "item": "item",
        "peer": "peer",
        "sentiment": "tone",
        "importance": "weight",
        "duration_s": "duration",
    },
    "learning": {"item": "item", "difficulty": "level", "score": "score", "duration_s": "duration"},
    "work": {
        "item": "item",
        "peer": "peer",
        "importance": "weight",
        "difficulty": "level",
        "errors": "amount",
        "duration_s": "duration",
    },
    "gaming": {"item": "item", "challenge": "level", "won": "amount", "duration_s": "duration"},
    "medical": {"item": "item", "scale": "amount", "completion": "score", "duration_s": "duration"},
    "emotion": {"channel": "amount", "valence": "tone", "arousal": "level", "confidence": "weight"},
    "gaze": {"on_task": "score", "samples": "amount"},
    "practice": {"command": "command", "practice": "amount", "minutes": "duration"},
}
"""Payload value → the row value it is read from, by family."""


@dataclass(frozen=True)
class _Plan:
    """How a family's struct is made: its Arrow type and fields, and (row value, NumPy type) for each of them."""

    struct: pa.StructType
    fields: list[pa.Field]
    columns: list[tuple[str, Any]]


def _plan(family: str) -> _Plan:
    struct = EVENT.arrow.field(family).type
    fields = list(struct)
    rows = PAYLOADS[family]
    return _Plan(struct, fields, [(rows[field.name], field.type.to_pandas_dtype()) for field in fields])


_PLANS = {family: _plan(family) for family in PAYLOADS}
_FAMILIES = tuple(PAYLOADS)
_FAMILY_OF_KIND = np.full(max(EventKind) + 1, -1, np.int8)
for _kind, _spec in KINDS.items():
    if _spec.family is not None:
        _FAMILY_OF_KIND[_kind] = _FAMILIES.index(_spec.family)
_SENSITIVE = EVENT.arrow.field("sensitive").type
_TEXTS = [phrase.encode() for phrase in PHRASES]
_TEXT_LENGTHS = np.array([len(text) for text in _TEXTS], np.int32)
SYMPTOM_ITEMS = 9
"""Items of a symptom scale, each 0 to 3."""


@dataclass(frozen=True)
class TickOutput:
    """What happened in `tick`: batches of the EVENT, OUTCOME and TRUTH records, each sorted by person (and seq)."""

    tick: int
    events: pa.RecordBatch
    outcomes: pa.RecordBatch
    truth: pa.RecordBatch


class Writer:
    """Makes batches of rows for one run: knows the seed (ids) and the pseudonyms."""

    def __init__(self, seed: int, pseudonyms: Pseudonyms) -> None:
        self._seed = seed
        self._key = bits(seed, purposes.EVENT_ID, 0, 0, 0)[0]
        self._round_keys = pseudonyms.round_keys

    def tick(
        self, tick: int, tables: tuple[Rows, Rows, Rows], intended_at: int, *, by_partition: bool = False
    ) -> TickOutput:
        """Batches of the (event, check, truth) rows of one tick, sorted by (partition where asked, person, seq)."""
        events, checks, truth = tables
        return TickOutput(
            tick,
            self._events(*self._sorted(events, "seq", by_partition), tick, intended_at),
            self._outcomes(*self._sorted(checks, "seq", by_partition), tick, intended_at),
            self._truth(*self._sorted(truth, "kind", by_partition), tick),
        )

    def parts(
        self, tick: int, tables: tuple[Rows, Rows, Rows], intended_at: int, partitions: Iterable[int]
    ) -> dict[int, TickOutput]:
        """`tick`, cut up by the partitions that all rows belong to; nothing is copied for it."""
        whole = self.tick(tick, tables, intended_at, by_partition=True)
        cut = [_cut(batch, partitions) for batch in (whole.events, whole.outcomes, whole.truth)]
        return {number: TickOutput(tick, *(parts[number] for parts in cut)) for number in partitions}

    def ids(self, numbers: NDArray[np.int32], seqs: NDArray[np.int32], check: NDArray[np.bool_]) -> U64Array:
        """Ids of the events, or of the checks where `check` says so, of these people and ordinals."""
        ids = np.empty(len(numbers), np.uint64)
        identify(self._key, numbers, seqs, check, ids)
        return ids

    def _events(self, rows: Rows, person: U64Array, tick: int, intended_at: int) -> pa.RecordBatch:
        event = np.zeros(len(rows), np.bool_)
        ids = self.ids(rows["number"], rows["seq"], event)
        replies = np.where(rows["reply"] >= 0, self.ids(rows["number"], rows["reply"], event), np.uint64(0))
        envelope: list[NDArray[Any]] = [
            ids,
            person,
            rows["seq"].astype(np.uint32),
            rows["world"].astype(np.uint8),
            rows["kind"].astype(np.uint16),
            replies,
            tick * TICK_US + rows["clock"].astype(np.int64),
            rows["offset"].astype(np.int16),
            np.full(len(rows), intended_at, np.int64),
        ]
        order, starts = np.empty(len(rows), np.int32), np.empty(len(_FAMILIES) + 1, np.int64)
        group_rows(_FAMILY_OF_KIND, rows["kind"], order, starts)
        payloads = [
            self._payload(name, rows, order[first:last])
            for name, first, last in zip(_FAMILIES, starts[:-1], starts[1:], strict=True)
        ]
        plain = [_plain(field.type, values) for field, values in zip(EVENT.arrow, envelope, strict=False)]
        columns = [*plain, *payloads, self._sensitive(rows, ids)]
        return pa.RecordBatch.from_arrays(columns, schema=EVENT.arrow)

    def _sorted(self, rows: Rows, then: str, by_partition: bool) -> tuple[Rows, U64Array]:
        person = self._names(rows["number"])
        order = row_order(person, rows[then], by_partition=by_partition)
        return rows.take(order), person[order]  # indexing would copy a record field by field

    def _names(self, numbers: NDArray[np.int32]) -> U64Array:
        names = np.empty(len(numbers), np.uint64)
        name_people(self._round_keys, numbers, names)
        return names

    def _payload(self, family: str, rows: Rows, own: NDArray[np.int32]) -> pa.StructArray:
        """The struct of a family: values at the rows `own`, null elsewhere."""
        plan = _PLANS[family]
        if not len(own):
            return pa.nulls(len(rows), plan.struct)
        children = []
        for (name, dtype), field in zip(plan.columns, plan.fields, strict=True):
            column = np.zeros(len(rows), dtype)
            if name == "peer":
                place(self._names(rows["peer"][own]), own, column)
            else:
                spread(rows[name], own, column)
            children.append(_plain(field.type, column))
        present = np.zeros(len(rows), np.bool_)
        present[own] = True
        return _struct(plan.struct, present, len(own), children)

    def _sensitive(self, rows: Rows, ids: U64Array) -> pa.StructArray:
        text, symptoms = rows["text"], rows["symptoms"]
        present = (text >= 0) | (symptoms > 0)
        count = int(np.count_nonzero(present))
        if not count:
            return pa.nulls(len(rows), _SENSITIVE)
        key_ids = _plain(pa.uint32(), np.zeros(len(rows), np.uint32))
        children = [key_ids, _texts(text, len(rows)), _symptoms(rows, ids)]
        return _struct(_SENSITIVE, present, count, children)

    def _outcomes(self, rows: Rows, person: U64Array, tick: int, intended_at: int) -> pa.RecordBatch:
        columns: list[NDArray[Any]] = [
            self.ids(rows["number"], rows["seq"], np.ones(len(rows), np.bool_)),
            person,
            rows["seq"].astype(np.uint32),
            rows["kind"].astype(np.uint16),
            rows["world"].astype(np.uint8),
            tick * TICK_US + rows["clock"].astype(np.int64),
            np.full(len(rows), intended_at, np.int64),
            rows["passed"].astype(np.uint8),
            np.ascontiguousarray(rows["reaction"]),
            rows["span"].astype(np.uint8),
        ]
        return _batch(columns, OUTCOME.arrow)

    def _truth(self, rows: Rows, person: U64Array, tick: int) -> pa.RecordBatch:
        check = (rows["kind"] >= EventKind.ATTENTION_CHECKED) & (rows["kind"] <= EventKind.REACTION_TIMED)
        ids = self.ids(rows["number"], np.maximum(rows["ref"], 0), check)
        columns: list[NDArray[Any]] = [
            person,
            np.full(len(rows), tick, np.int64),
            rows["kind"].astype(np.uint16),
            np.where(rows["ref"] >= 0, ids, np.uint64(0)),
            np.ascontiguousarray(rows["probability"]),
            *(np.ascontiguousarray(rows[name]) for name in ("focus", "fatigue", "stress", "mood")),
            rows["wandering"].astype(np.uint8),
        ]
        return _batch(columns, TRUTH.arrow)


def _cut(batch: pa.RecordBatch, partitions: Iterable[int]) -> dict[int, pa.RecordBatch]:
    """The slice of each partition, of rows that are sorted by it."""
    own = partition_of(batch.column("person").to_numpy()) if batch.num_rows else np.zeros(0, np.int32)
    return {
        number: batch.slice(first, last - first)
        for number in partitions
        for first, last in [np.searchsorted(own, [number, number + 1]).tolist()]
    }


def _batch(columns: list[NDArray[Any]], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [_plain(field.type, values) for field, values in zip(schema, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain(kind: pa.DataType, column: NDArray[Any]) -> pa.Array:
    """A column without nulls, of that very type: `pa.array` would look at it first."""
    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)], null_count=0)


def _struct(kind: pa.StructType, present: NDArray[np.bool_], count: int, children: list[pa.Array]) -> pa.StructArray:
    """A struct that is null where `present` (true `count` times) is not."""
    valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(kind, len(present), [valid], null_count=len(present) - count, children=children)


def _binary(lengths: NDArray[np.int32], values: bytes | NDArray[Any]) -> pa.Array:
    """A binary column from the length of each value and all of them in a row."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.Array.from_buffers(pa.binary(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(values)], 0)


def _texts(text: NDArray[np.int16], count: int) -> pa.Array:
    """The phrase of each row, empty where there is none."""
    written = np.flatnonzero(text >= 0)
    numbers = text[written]
    lengths = np.zeros(count, np.int32)
    lengths[written] = _TEXT_LENGTHS[numbers]
    return _binary(lengths, b"".join([_TEXTS[number] for number in numbers.tolist()]))


def _symptoms(rows: Rows, ids: U64Array) -> pa.Array:
    """Item scores around three times the severity, as little-endian float32 bytes; drawn from the event's id."""
    reported = np.flatnonzero(rows["symptoms"])
    lengths = np.zeros(len(rows), np.int32)
    if not len(reported):
        return _binary(lengths, b"")
    u = (mix(ids[reported][:, None] + np.arange(SYMPTOM_ITEMS, dtype=np.uint64)) >> np.uint64(11)) * 2.0**-53
    severity = rows["tone"][reported][:, None]
    scores = np.clip(3.0 * (severity + 0.5 * (u - 0.5)), 0.0, 3.0).astype("<f4")
    lengths[reported] = scores.itemsize * SYMPTOM_ITEMS
    return _binary(lengths, scores.tobytes())
