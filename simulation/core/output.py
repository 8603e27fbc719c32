"""Rows of a tick become Arrow batches of the contracts: whole columns at a time, no Python for a row."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.draws import U64Array, bits, mix
from infra.contracts.events import EVENT
from infra.contracts.identity import Pseudonyms
from infra.contracts.kinds import KINDS, EventKind
from infra.contracts.records import OUTCOME, TRUTH
from infra.contracts.time import TICK_US
from simulation.core import purposes
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
_TEXTS = pa.array([*(phrase.encode() for phrase in PHRASES), b""], pa.binary())
_CHECK_BIT = np.uint64(31)
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
    """Makes batches of rows for one run: knows the seed (ids) and the pseudonyms of all `people`."""

    def __init__(self, seed: int, pseudonyms: Pseudonyms, people: int) -> None:
        self._seed = seed
        self._key = bits(seed, purposes.EVENT_ID, 0, 0, 0)
        # By internal number; one more at the end, for "nobody" (number -1).
        self._names = np.append(pseudonyms.encode(np.arange(people, dtype=np.uint64)), np.uint64(0))

    def tick(self, tick: int, tables: tuple[Rows, Rows, Rows], intended_at: int) -> TickOutput:
        """Batches of the (event, check, truth) rows of one tick."""
        events, checks, truth = tables
        return TickOutput(
            tick,
            self._events(events, tick, intended_at),
            self._outcomes(checks, tick, intended_at),
            self._truth(truth, tick),
        )

    def ids(self, numbers: NDArray[Any], seqs: NDArray[Any], checks: bool | NDArray[np.bool_] = False) -> U64Array:
        """Ids of events, or of checks where told: a bijection of (number, seq, which), so that no two are equal."""
        packed = (numbers.astype(np.uint64) << np.uint64(32)) | seqs.astype(np.uint64)
        return mix(self._key ^ packed ^ (np.asarray(checks, np.uint64) << _CHECK_BIT))

    def _events(self, rows: Rows, tick: int, intended_at: int) -> pa.RecordBatch:
        rows, person = self._sorted(rows, "seq")
        ids = self.ids(rows["number"], rows["seq"])
        replies = np.zeros(len(rows), np.uint64)
        answers = np.flatnonzero(rows["reply"] >= 0)
        replies[answers] = self.ids(rows["number"][answers], rows["reply"][answers])
        envelope = [
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
        families = _FAMILY_OF_KIND[rows["kind"]]
        payloads = [self._payload(name, rows, families == place) for place, name in enumerate(_FAMILIES)]
        columns = [*(pa.array(values) for values in envelope), *payloads, self._sensitive(rows, ids)]
        return pa.RecordBatch.from_arrays(columns, schema=EVENT.arrow)

    def _sorted(self, rows: Rows, then: str) -> tuple[Rows, U64Array]:
        person = self._names[rows["number"]]
        order = np.lexsort((rows[then], person))
        return rows[order], person[order]

    def _payload(self, family: str, rows: Rows, present: NDArray[np.bool_]) -> pa.StructArray:
        plan = _PLANS[family]
        places = np.flatnonzero(present)
        if not len(places):
            return pa.nulls(len(rows), plan.struct)
        own = rows[places]
        children = []
        for column, dtype in plan.columns:
            values = np.zeros(len(rows), dtype)
            values[places] = self._names[own["peer"]] if column == "peer" else own[column]
            children.append(pa.array(values))
        return pa.StructArray.from_arrays(children, fields=plan.fields, mask=pa.array(~present))

    def _sensitive(self, rows: Rows, ids: U64Array) -> pa.StructArray:
        struct = EVENT.arrow.field("sensitive").type
        present = (rows["text"] >= 0) | (rows["symptoms"] > 0)
        if not present.any():
            return pa.nulls(len(rows), struct)
        texts = _TEXTS.take(pa.array(np.where(rows["text"] >= 0, rows["text"], len(PHRASES))))
        children = [pa.array(np.zeros(len(rows), np.uint32)), texts, _symptoms(rows, ids)]
        return pa.StructArray.from_arrays(children, fields=list(struct), mask=pa.array(~present))

    def _outcomes(self, rows: Rows, tick: int, intended_at: int) -> pa.RecordBatch:
        rows, person = self._sorted(rows, "seq")
        columns: list[NDArray[Any]] = [
            self.ids(rows["number"], rows["seq"], True),
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

    def _truth(self, rows: Rows, tick: int) -> pa.RecordBatch:
        rows, person = self._sorted(rows, "kind")
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


def _batch(columns: list[NDArray[Any]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values) for values in columns], schema=schema)


def _symptoms(rows: Rows, ids: U64Array) -> pa.Array:
    """Item scores around three times the severity, as little-endian float32 bytes; drawn from the event's id."""
    reported = rows["symptoms"] > 0
    u = (mix(ids[reported][:, None] + np.arange(SYMPTOM_ITEMS, dtype=np.uint64)) >> np.uint64(11)) * 2.0**-53
    severity = rows["tone"][reported][:, None]
    scores = np.clip(3.0 * (severity + 0.5 * (u - 0.5)), 0.0, 3.0).astype("<f4")
    lengths = np.where(reported, scores.itemsize * SYMPTOM_ITEMS, 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(scores.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(rows), buffers)
