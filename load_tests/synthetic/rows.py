"""From what synthetic people did to rows of the event record, column by column."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.events import EVENT
from infra.contracts.kinds import KINDS, EventKind
from infra.contracts.time import TICK_US
from load_tests.synthetic.crowd import Acts, Crowd

_FAMILIES = sorted({spec.family for spec in KINDS.values() if spec.family})
_FAMILY_OF = np.full(max(EventKind) + 1, -1, dtype=np.int8)
for _kind, _spec in KINDS.items():
    if _spec.family:
        _FAMILY_OF[_kind] = _FAMILIES.index(_spec.family)
_TEXTS = np.array([EventKind.POST_PUBLISHED, EventKind.COMMENT_POSTED, EventKind.MESSAGE_ANSWERED], dtype=np.uint16)
_TEXT_BYTES = 48
_SYMPTOMS = 9  # items of a symptom scale
_FIELDS = {field.name: field for field in EVENT.arrow}

# A payload value from the event's own draws (n, 4) and its item; whatever is not listed is 0.
_Value = Callable[[NDArray[np.float64], Acts], NDArray[np.generic]]
_VALUES: Mapping[str, _Value] = {
    "item": lambda _, acts: acts.item,
    "duration_s": lambda u, _: -30.0 * np.log1p(-u[:, 1]),
    "sentiment": lambda u, _: 2.0 * u[:, 2] - 1.0,
    "importance": lambda u, _: u[:, 3],
    "difficulty": lambda u, _: u[:, 2],
    "score": lambda u, _: u[:, 3],
    "challenge": lambda u, _: u[:, 2],
    "completion": lambda u, _: u[:, 3],
    "errors": lambda u, _: 3.0 * u[:, 0],
    "won": lambda u, _: u[:, 3] < 0.5,
    "scale": lambda u, _: 1.0 + (u[:, 2] < 0.5),
    "channel": lambda u, _: 1.0 + (u[:, 0] < 0.3),
    "valence": lambda u, _: 2.0 * u[:, 1] - 1.0,
    "arousal": lambda u, _: 2.0 * u[:, 2] - 1.0,
    "confidence": lambda u, _: 0.5 + 0.5 * u[:, 3],
    "on_task": lambda u, _: u[:, 1],
    "samples": lambda u, _: 20.0 + 40.0 * u[:, 2],
}


def event_rows(crowd: Crowd, acts: Acts, tick: int, intended_at: int) -> pa.RecordBatch:
    """EVENT rows of `acts`, same order; `intended_at` (µs wall) holds for all of them.

    A person's events are spread over the tick's minute in their order.
    """
    moment = (acts.rank + acts.draws[:, 3]) / acts.of
    envelope: dict[str, NDArray[np.generic]] = {
        "event_id": acts.event_id,
        "person": crowd.persons[acts.who],
        "seq": acts.seq,
        "world": acts.world,
        "kind": acts.kind,
        "in_reply_to": acts.in_reply_to,
        "occurred_at": tick * TICK_US + (moment * TICK_US).astype(np.int64),
        "utc_offset_minutes": crowd.utc_offset_minutes[acts.who],
        "intended_at": np.full(len(acts.who), intended_at, dtype=np.int64),
    }
    family = _FAMILY_OF[acts.kind]
    columns = []
    for name, field in _FIELDS.items():
        if name in envelope:
            columns.append(pa.array(envelope[name], field.type))
        elif name == "sensitive":
            columns.append(_sensitive(acts, field))
        else:
            columns.append(_payload(acts, field, family == _FAMILIES.index(name)))
    return pa.RecordBatch.from_arrays(columns, schema=EVENT.arrow)


def _payload(acts: Acts, field: pa.Field, present: NDArray[np.bool_]) -> pa.StructArray:
    rows = len(present)
    if not present.any():
        return pa.nulls(rows, field.type)
    children = []
    for child in field.type:
        kind = child.type.to_pandas_dtype()
        value = _VALUES.get(child.name)
        values = value(acts.draws[:, 4:], acts).astype(kind) if value else np.zeros(rows, dtype=kind)
        children.append(pa.array(values, child.type))
    return pa.StructArray.from_arrays(children, fields=list(field.type), mask=pa.array(~present))


def _sensitive(acts: Acts, field: pa.Field) -> pa.StructArray:
    text, symptoms = np.isin(acts.kind, _TEXTS), acts.kind == EventKind.SYMPTOMS_REPORTED
    present = text | symptoms
    rows = len(present)
    if not present.any():
        return pa.nulls(rows, field.type)
    letters = (97 + (acts.draws[text, 4:5] * 26 + np.arange(_TEXT_BYTES)) % 26).astype(np.uint8)
    scores = (4 * acts.draws[symptoms, 4:5] * np.linspace(0.5, 1.0, _SYMPTOMS)).astype("<f4")
    children = [
        pa.array(np.zeros(rows, dtype=np.uint32)),
        _binary(text, letters.tobytes(), _TEXT_BYTES),
        _binary(symptoms, scores.tobytes(), 4 * _SYMPTOMS),
    ]
    return pa.StructArray.from_arrays(children, fields=list(field.type), mask=pa.array(~present))


def _binary(present: NDArray[np.bool_], content: bytes, width: int) -> pa.Array:
    """Binary values of `width` bytes where present, empty elsewhere."""
    offsets = np.zeros(len(present) + 1, dtype=np.int32)
    np.cumsum(present * width, out=offsets[1:])
    return pa.Array.from_buffers(
        pa.binary(), len(present), [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(content)]
    )
