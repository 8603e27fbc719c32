"""Faults, made in recorded topics: what an audit must find, and where."""

import dataclasses
from collections.abc import Callable

from infra.bus.recording import Recorded
from infra.contracts.topics import stream_of
from load_tests.audit.auditing import Verdict
from load_tests.audit.evidence import Evidence
from load_tests.audit.from_records import read_evidence

Faulty = tuple[list[Recorded], Evidence | None, Recorded]
"""Records with a fault, evidence where the fault is not in them, and the record that it befell."""


def read(records: list[Recorded]) -> Evidence:
    """Evidence of records in any order."""
    return read_evidence(sorted(records, key=lambda record: (record.topic, record.partition, record.offset)))


def dropped(records: list[Recorded], at: int) -> Faulty:
    return [each for each in records if each is not records[at]], None, records[at]


def doubled(records: list[Recorded], at: int) -> Faulty:
    """The record again right behind itself: everything after it moves on."""
    own, found = records[at], []
    for each in records:
        behind = (each.topic, each.partition) == (own.topic, own.partition) and each.offset > own.offset
        found.append(each._replace(offset=each.offset + 1) if behind else each)
    again = own._replace(offset=own.offset + 1)
    return [*found, again], None, again


def reordered(records: list[Recorded], at: int) -> Faulty:
    """The record and the next one of its partition change places."""
    own = records[at]
    following = [each for each in records if (each.topic, each.partition, each.offset) == (*own[:2], own.offset + 1)]
    if not following:
        return reordered(records, at - 1)
    swapped = {id(own): own.offset + 1, id(following[0]): own.offset}
    moved = [each._replace(offset=swapped.get(id(each), each.offset)) for each in records]
    return moved, None, own


def aborted(records: list[Recorded], at: int) -> Faulty:
    """A frame of a transaction that was given up is seen: half of what the next attempt then wrote."""
    frames = [place for place in range(at, -1, -1) if records[place].value]
    faulty, _, _ = doubled(records, frames[0])
    return faulty, None, records[frames[0]]._replace(offset=records[frames[0]].offset + 1)


def committed_early(records: list[Recorded], at: int) -> Faulty:
    """The service has committed what it had not written anything of when it was killed."""
    scored = min(tick_of(each) for each in records if stream_of(each.topic) == "scores")
    events = [each for each in records if stream_of(each.topic) == "events"]
    frames = [each for each in events if each.value and tick_of(each) > scored]
    own = frames[at % len(frames)]
    # Events come in the lockstep of their answers: those of the tick are the last, and unanswered.
    kept = [each for each in records if tick_of(each) < tick_of(own) + (stream_of(each.topic) == "events")]
    committed = {("monitor", "events", own.partition): own.offset + 1}
    return kept, dataclasses.replace(read(kept), committed=committed, running=True), own


def tick_of(record: Recorded) -> int:
    """The tick that a record is of."""
    return int(dict(record.headers)["calm_tick"])


FAULTS: tuple[Callable[[list[Recorded], int], Faulty], ...] = (dropped, doubled, reordered, aborted, committed_early)


def is_located(verdict: Verdict, own: Recorded, slack: int) -> bool:
    """Whether something was found in that partition, at most so many offsets away."""
    return any(
        (found.stream, found.partition) == (stream_of(own.topic), own.partition)
        and abs(found.offset - own.offset) <= slack
        for found in verdict.findings
    )
