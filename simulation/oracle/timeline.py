"""What was seen of a person, in order: the rows of the event and outcome streams that a model may see."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from infra.contracts.kinds import EXPOSURES, EventKind
from infra.contracts.time import TICK_US
from simulation.core.output import PAYLOADS
from simulation.core.rows import Rows
from simulation.core.witness import SEEN
from simulation.oracle.config import HORIZON_US

EVENT_COLUMNS: Final = (
    "event_id",
    "person",
    "seq",
    "world",
    "kind",
    "in_reply_to",
    "occurred_at",
    "utc_offset_minutes",
    *(PAYLOADS),
)
"""Columns of an event that are looked at: everything but texts and symptoms."""
OUTCOME_COLUMNS: Final = ("event_id", "person", "seq", "kind", "world", "occurred_at", "passed", "reaction_ms", "span")
_PLAIN: Final = ("item", "tone", "weight", "level", "score", "duration", "amount")
_EXPOSURE_CODES = np.array(sorted(int(kind) for kind in EXPOSURES))


@dataclass(frozen=True)
class Timeline:
    """One person's events and checks (SEEN rows) in order, their time zone, and the labels of both heads.

    `label` and `known` are by head, one value a row, as `models/training/labels.py` defines them: `interaction` of an
    exposure, 1 where an event within ten minutes answers it, known where the ten minutes are over by the end of the
    data; `lapse` of an event, 1 where a check in the ten minutes after it fails, known where there is a check in them
    and they are over by the end of the data.
    """

    person: int
    offset: int
    rows: Rows
    label: dict[str, NDArray[np.bool_]]
    known: dict[str, NDArray[np.bool_]]

    @property
    def is_check(self) -> NDArray[np.bool_]:
        """Which rows are checks."""
        return _is_check(self.rows["kind"])


def timelines(events: pa.Table, outcomes: pa.Table, end_us: int) -> Iterator[Timeline]:
    """One timeline a person of the tables (world and kind as codes), by pseudonym; `end_us` is where the data ends."""
    table = _sorted(_of_events(events), _of_outcomes(outcomes))
    for person in np.unique(table["person"]):
        part = table[table["person"] == person]
        yield _timeline(int(person), part, end_us)


_WIDE = np.dtype([("person", "u8"), ("at", "i8"), ("seq", "i8"), ("reply_to", "u8"), ("offset", "i4"), ("row", SEEN)])


def _of_events(events: pa.Table) -> Rows:
    wide = np.zeros(events.num_rows, _WIDE)
    _envelope(wide, events)
    wide["reply_to"] = _numbers(events["in_reply_to"])
    wide["offset"] = _numbers(events["utc_offset_minutes"])
    row = wide["row"]
    for family, payload in PAYLOADS.items():
        column = events[family].combine_chunks()
        held = column.is_valid().to_numpy(zero_copy_only=False)
        if not held.any():
            continue
        for field, name in payload.items():
            if name in _PLAIN:
                values = _numbers(pc.struct_field(column, field))
                row[name][held] = values[held]
    return wide


def _of_outcomes(outcomes: pa.Table) -> Rows:
    wide = np.zeros(outcomes.num_rows, _WIDE)
    _envelope(wide, outcomes)
    for name, column in (("passed", "passed"), ("span", "span"), ("reaction", "reaction_ms")):
        wide["row"][name] = _numbers(outcomes[column])
    return wide


def _envelope(wide: Rows, table: pa.Table) -> None:
    wide["person"], wide["at"], wide["seq"] = (_numbers(table[name]) for name in ("person", "occurred_at", "seq"))
    row = wide["row"]
    row["tick"], row["clock"] = wide["at"] // TICK_US, wide["at"] % TICK_US
    row["event_id"] = _numbers(table["event_id"]).astype(np.uint64).view(np.int64)
    row["kind"], row["world"] = _numbers(table["kind"]), _numbers(table["world"])
    row["reply"] = -1


def _numbers(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    result: NDArray[Any] = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    return result


def _sorted(events: Rows, checks: Rows) -> Rows:
    """In the order of happening; a check is made after the event that has the same time."""
    both = np.concatenate([events, checks])
    later = np.concatenate([np.zeros(len(events), bool), np.ones(len(checks), bool)])
    return both[np.lexsort((both["seq"], later, both["at"], both["person"]))]


def _is_check(kinds: NDArray[Any]) -> NDArray[np.bool_]:
    return (kinds >= EventKind.ATTENTION_CHECKED) & (kinds <= EventKind.REACTION_TIMED)


def _timeline(person: int, wide: Rows, end_us: int) -> Timeline:
    rows = wide["row"].copy()
    _link(rows, wide["reply_to"])
    offsets = wide["offset"][~_is_check(rows["kind"])]
    label, known = zip(_interaction(rows, wide["at"], end_us), _lapse(rows, wide["at"], end_us), strict=True)
    heads = ("interaction", "lapse")
    return Timeline(
        person=person,
        offset=int(offsets[0]) if len(offsets) else 0,
        rows=rows,
        label=dict(zip(heads, label, strict=True)),
        known=dict(zip(heads, known, strict=True)),
    )


def _link(rows: Rows, reply_to: NDArray[np.uint64]) -> None:
    """Note for each answer which row it answers."""
    ids = (
        rows["event_id"].view(np.uint64) if rows["event_id"].flags.c_contiguous else rows["event_id"].astype(np.uint64)
    )
    order = np.argsort(ids, kind="stable")
    answers = np.flatnonzero(reply_to)
    at = order[np.minimum(np.searchsorted(ids, reply_to[answers], sorter=order), max(len(ids) - 1, 0))]
    found = ids[at] == reply_to[answers]
    rows["reply"][answers[found]] = at[found]


def _interaction(rows: Rows, at: NDArray[np.int64], end_us: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    label = np.zeros(len(rows), bool)
    answers = np.flatnonzero(rows["reply"] >= 0)
    exposures = rows["reply"][answers]
    waited = at[answers] - at[exposures]
    label[exposures[(waited >= 0) & (waited <= HORIZON_US)]] = True
    return label, np.isin(rows["kind"], _EXPOSURE_CODES) & (at + HORIZON_US <= end_us)


def _lapse(rows: Rows, at: NDArray[np.int64], end_us: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    first, last, checks = windows(rows, at)
    failed = np.concatenate([[0], np.cumsum(rows["passed"][checks] == 0)])
    known = (last > first) & (at + HORIZON_US <= end_us) & ~_is_check(rows["kind"])
    return failed[last] > failed[first], known


def windows(rows: Rows, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each row the half-open range of attention checks in the ten minutes after it, and where the checks are."""
    checks = np.flatnonzero(rows["kind"] == EventKind.ATTENTION_CHECKED)
    times = at[checks]
    return np.searchsorted(times, at, side="right"), np.searchsorted(times, at + HORIZON_US, side="right"), checks
