"""What the decision engine remembers of each person, learnt from events and from its own offers."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from models.people import Column, PeopleTable
from models.policies.rules import MINUTE_US

LONG_AGO = -(2**62)

COLUMNS = {
    "decisions": Column(dtype="<u4"),  # decisions so far: the next one's ordinal
    "day": Column(dtype="<i4", fill=-(2**31)),  # local day that offers_today counts
    "offers_today": Column(dtype="<u2"),
    "last_offer": Column(dtype="<i8", fill=LONG_AGO),  # µs
    "practice_until": Column(dtype="<i8", fill=LONG_AGO),  # µs
    "world": Column(dtype="|u1"),
    "offset_minutes": Column(dtype="<i2"),
    "in_session": Column(dtype="|u1"),
    "valence": Column(dtype="<f4", fill=float("nan")),
    "arousal": Column(dtype="<f4", fill=float("nan")),
}
OBSERVED = ("person", "seq", "world", "kind", "occurred_at", "utc_offset_minutes", "emotion", "practice")
"""Event columns that `observe` reads; others may be absent."""

_PRACTICE_ENDS = [EventKind.PRACTICE_COMPLETED, EventKind.PRACTICE_ABANDONED]


def observe(table: PeopleTable, events: pa.RecordBatch, practice_minutes: float) -> None:
    """Take a tick's events (any order) into the table: where people are, how they look, if they practise.

    A practice lasts from its acceptance until it is completed or abandoned, at most the minutes it was offered
    for (`practice_minutes` where the event does not say).
    """
    if not events.num_rows:
        return
    events = events.take(pc.sort_indices(events, sort_keys=[("person", "ascending"), ("seq", "ascending")]))
    persons = _numbers(events, "person")
    rows = table.enroll(persons)
    kinds = _numbers(events, "kind")
    last = _last_of_each(persons)
    for name, source in (("world", "world"), ("offset_minutes", "utc_offset_minutes")):
        table[name][rows[last]] = _numbers(events, source)[last]
    table["in_session"][rows[last]] = kinds[last] != EventKind.SESSION_ENDED
    _observe_emotions(table, events, rows, kinds)
    _observe_practices(table, events, rows, practice_minutes)


def _observe_emotions(table: PeopleTable, events: pa.RecordBatch, rows: NDArray[np.int64], kinds: NDArray[Any]) -> None:
    read = np.flatnonzero((kinds == EventKind.EMOTION_READ) & _present(events, "emotion"))
    read = read[_last_of_each(rows[read])]
    for name in ("valence", "arousal"):
        table[name][rows[read]] = _child(events, "emotion", name)[read]


def _observe_practices(
    table: PeopleTable, events: pa.RecordBatch, rows: NDArray[np.int64], practice_minutes: float
) -> None:
    kinds = _numbers(events, "kind")
    at = np.flatnonzero((kinds == EventKind.OFFER_ACCEPTED) | np.isin(kinds, _PRACTICE_ENDS))
    at = at[_last_of_each(rows[at])]
    minutes = np.where(_present(events, "practice"), _child(events, "practice", "minutes"), practice_minutes)
    length_us = np.round(minutes[at].astype(np.float64) * MINUTE_US).astype(np.int64)
    length_us[kinds[at] != EventKind.OFFER_ACCEPTED] = 0
    table["practice_until"][rows[at]] = _numbers(events, "occurred_at")[at] + length_us


def _last_of_each(keys: NDArray[Any]) -> NDArray[np.int64]:
    """Positions of the last element of each run of equal keys."""
    if not len(keys):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.append(keys[1:] != keys[:-1], True))


def _numbers(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    column: NDArray[Any] = batch.column(name).to_numpy(zero_copy_only=False)
    return column


def _present(batch: pa.RecordBatch, family: str) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = batch.column(family).is_valid().to_numpy(zero_copy_only=False)
    return present


def _child(batch: pa.RecordBatch, family: str, name: str) -> NDArray[Any]:
    """A payload's value, any number where the payload is absent."""
    child: NDArray[Any] = batch.column(family).field(name).fill_null(0).to_numpy(zero_copy_only=False)
    return child
