"""What a response answers: the fields of the exposure beside it, joined by `in_reply_to`.

A liking shows in what is answered and what is not. A response says what it answers by an id, and an id means nothing to
a model; what the exposure was like does. Only the last `REMEMBERED` exposures of the person are joined, so that whoever
scores events as they arrive needs to remember no more than those, and finds the same as who has everything.

Shape legend: n events, e exposures, V values of an exposure (`VALUES`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.features.columns import EventColumns, Floats

REMEMBERED = 8
"""Exposures of a person that a response may answer: one older than that is not known any more. Simulated people get at
most one in a minute and answer within ten; nine in ten answers are to one of the last three.
"""
VALUES = ("sentiment", "importance", "difficulty")
"""What is kept of an exposure."""
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads people before ids are mixed in (Knuth, TAOCP 6.4)

Ids = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Exposures:
    """person, event_id, time_us: (e,). number (e,): how many exposures the person had before. values: (e, V)."""

    person: Ids
    event_id: Ids
    number: Numbers
    time_us: Numbers
    values: Floats

    def with_(self, other: "Exposures") -> "Exposures":
        """These and the others."""
        return Exposures(
            person=np.concatenate([self.person, other.person]),
            event_id=np.concatenate([self.event_id, other.event_id]),
            number=np.concatenate([self.number, other.number]),
            time_us=np.concatenate([self.time_us, other.time_us]),
            values=np.concatenate([self.values, other.values]),
        )


@dataclass(frozen=True)
class Seen:
    """What is remembered from before a batch of n events. count (n,): exposures so far of each event's person; and the
    last of them.
    """

    count: Numbers
    exposures: Exposures


@dataclass(frozen=True)
class Answers:
    """Of the responses whose exposure is known: row (a,) in the batch, delay_us (a,), values (a, V) of the exposure."""

    row: Numbers
    delay_us: Numbers
    values: Floats


def counts_before(columns: EventColumns, exposure: npt.NDArray[np.bool_], seen: Seen | None) -> Numbers:
    """(n,) how many exposures each event's person had before it; the rows are sorted by (person, seq)."""
    person = columns.integers("person", np.uint64)
    total: Numbers = np.cumsum(exposure) - exposure
    first = np.concatenate([[True], person[1:] != person[:-1]])[: len(person)]
    begin = np.maximum.accumulate(np.where(first, np.arange(len(person)), 0))
    inside: Numbers = total - total[begin]
    return inside if seen is None else inside + seen.count


def exposures_of(columns: EventColumns, exposure: npt.NDArray[np.bool_], values: Floats, before: Numbers) -> Exposures:
    """The exposures of a batch. exposure (n,); values (n, V); before (n,) from `counts_before`."""
    rows = np.flatnonzero(exposure)
    return Exposures(
        person=columns.integers("person", np.uint64)[rows],
        event_id=columns.integers("event_id", np.uint64)[rows],
        number=before[rows],
        time_us=columns.integers("occurred_at")[rows],
        values=values[rows],
    )


def answers_of(columns: EventColumns, own: Exposures, before: Numbers, seen: Seen | None) -> Answers:
    """Which responses of a batch answer which exposure of the batch or of what is remembered; arguments as above."""
    reply = columns.integers("in_reply_to", np.uint64)
    rows = np.flatnonzero(reply)
    known = own if seen is None else seen.exposures.with_(own)
    if not len(rows) or not len(known.person):
        nothing = np.zeros(0, dtype=np.int64)
        return Answers(nothing, nothing, np.zeros((0, len(VALUES)), dtype=np.float32))
    person = columns.integers("person", np.uint64)[rows]
    keys = _key(known.person, known.event_id)
    order = np.argsort(keys, kind="stable")
    at = order[np.minimum(np.searchsorted(keys, _key(person, reply[rows]), sorter=order), len(order) - 1)]
    now = before[rows]
    found = (known.person[at] == person) & (known.event_id[at] == reply[rows])
    found &= (known.number[at] < now) & (known.number[at] >= now - REMEMBERED)
    rows, at = rows[found], at[found]
    delay_us = np.maximum(columns.integers("occurred_at")[rows] - known.time_us[at], 0)
    return Answers(row=rows, delay_us=delay_us, values=known.values[at])


def _key(person: Ids, event_id: Ids) -> Ids:
    key: Ids = person * _ODD ^ event_id
    return key
