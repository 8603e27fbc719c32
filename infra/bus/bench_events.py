"""Made-up events for measurements: the record of the contracts, with a mix of kinds as people produce them."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.events import EVENT
from infra.contracts.kinds import KINDS, EventKind
from infra.contracts.time import TICK_US

_MIX: dict[EventKind, float] = {
    EventKind.GAZE_SAMPLED: 30,
    EventKind.EMOTION_READ: 22,
    EventKind.PAGE_BROWSED: 10,
    EventKind.ITEM_CLICKED: 6,
    EventKind.ITEM_SHOWN: 6,
    EventKind.COMMENT_SEEN: 5,
    EventKind.COMMENT_POSTED: 2,
    EventKind.MESSAGE_DELIVERED: 5,
    EventKind.MESSAGE_ANSWERED: 2,
    EventKind.LESSON_STARTED: 2,
    EventKind.QUIZ_ANSWERED: 2,
    EventKind.TASK_COMPLETED: 2,
    EventKind.MATCH_PLAYED: 2,
    EventKind.CHECK_IN_COMPLETED: 1,
    EventKind.OFFER_SHOWN: 1,
    EventKind.ATTENTION_CHECKED: 2,
}
"""Relative frequencies: signals come every minute from everybody who is there, acts now and then."""

_START_TICK = 29_500_000
_TEXTS = 50
_WITH_TEXT = (EventKind.COMMENT_POSTED, EventKind.MESSAGE_ANSWERED)

Mask = NDArray[np.bool_]


def make_events(rows: int, seed: int) -> pa.RecordBatch:
    """`rows` EVENT rows of one tick (`seed` is its ordinal), sorted by person; the same for the same arguments."""
    generator = np.random.default_rng(seed)
    kinds = np.array([int(kind) for kind in _MIX])
    weights = np.array(list(_MIX.values()))
    kind = generator.choice(kinds, rows, p=weights / weights.sum())
    columns = [_column(field, kind, generator, seed) for field in EVENT.arrow]
    return pa.RecordBatch.from_arrays(columns, schema=EVENT.arrow)


def _column(field: pa.Field, kind: NDArray[np.int64], generator: np.random.Generator, seed: int) -> pa.Array:
    rows = len(kind)
    if field.name == "sensitive":
        return _struct(field, ~np.isin(kind, [int(each) for each in _WITH_TEXT]), generator)
    if pa.types.is_struct(field.type):
        family = [int(each) for each, spec in KINDS.items() if spec.family == field.name]
        return _struct(field, ~np.isin(kind, family), generator)
    start = (_START_TICK + seed) * TICK_US
    special = {
        "event_id": generator.integers(1, 2**63, rows),
        "person": np.sort(generator.integers(1, 2**63, rows)),
        "seq": generator.integers(0, 500, rows) + seed,
        "world": np.where(kind >= 100, kind // 100, 1),
        "kind": kind,
        "in_reply_to": np.where(generator.random(rows) < 0.05, generator.integers(1, 2**63, rows), 0),
        "occurred_at": start + generator.integers(0, TICK_US, rows),
        "utc_offset_minutes": generator.choice([0, 60, 120, -300], rows),
        "intended_at": np.full(rows, start),
    }
    return pa.array(special[field.name].astype(field.type.to_pandas_dtype()), field.type)


def _struct(field: pa.Field, absent: Mask, generator: np.random.Generator) -> pa.Array:
    children = [_values(child.type, absent, generator) for child in field.type]
    return pa.StructArray.from_arrays(children, fields=list(field.type), mask=pa.array(absent))


def _values(kind: pa.DataType, absent: Mask, generator: np.random.Generator) -> pa.Array:
    rows = len(absent)
    if pa.types.is_binary(kind):
        texts = [f"something that was said, number {number}, at some length".encode() for number in range(_TEXTS)]
        picks = generator.integers(0, _TEXTS, rows)
        return pa.array([b"" if gone else texts[pick] for gone, pick in zip(absent, picks, strict=True)], kind)
    if pa.types.is_floating(kind):
        values = generator.random(rows)
    else:
        values = generator.integers(0, 200, rows).astype(np.float64)
    return pa.array(np.where(absent, 0, values).astype(kind.to_pandas_dtype()), kind)
