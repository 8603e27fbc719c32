"""What kernels write: one row an event, a check or a true number, in the same words for both forms.

A kernel asks for a row (`new_event`) and fills in what differs from the defaults. In a compiled loop a row is a
record of a preallocated array; in the reference it is an object in a list. Rows know people by internal number and
events by the person's sequence number; ids and pseudonyms are made for a whole tick at once (`core.output`).
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from simulation.core.person import Person
from simulation.core.tables import Count, Real32, Short, Tiny, dtype_of

GAP_US = 3_000_000
"""Least simulated time between two events of one person, µs."""
LAST_US = 59_999_999
ROOM = 16
"""Rows of each table that one person can write in a tick at most."""


@dataclass(slots=True)
class EventRow:
    """One event. The last nine values are read according to the kind's payload family (`core.output.PAYLOADS`)."""

    number: Count = 0
    seq: Count = 0
    kind: Short = 0
    world: Tiny = 0
    offset: Short = 0  # minutes, local time less UTC
    clock: Count = 0  # µs into the tick
    reply: Count = -1  # seq of the exposure it answers
    text: Short = -1  # phrase of `worlds.phrases`; -1 for none
    symptoms: Tiny = 0  # 1 where the event carries symptom scores
    item: Short = 0
    peer: Count = -1  # internal number of another person
    amount: Short = 0  # errors, won, scale, channel, samples or practice
    command: int = 0
    tone: Real32 = 0.0  # sentiment or valence
    weight: Real32 = 0.0  # importance, or confidence of a reading
    level: Real32 = 0.0  # difficulty, challenge or arousal
    score: Real32 = 0.0  # score, completion or share on task
    duration: Real32 = 0.0  # seconds, or minutes of a practice


@dataclass(slots=True)
class CheckRow:
    """One attention, memory or reaction check."""

    number: Count = 0
    seq: Count = 0
    kind: Short = 0
    world: Tiny = 0
    clock: Count = 0
    passed: Tiny = 0
    span: Tiny = 0
    reaction: Real32 = float("nan")  # ms


@dataclass(slots=True)
class TruthRow:
    """A true probability with the hidden state behind it, or the state alone (`kind` 0)."""

    number: Count = 0
    kind: Short = 0
    ref: Count = -1  # seq of the exposure or check; -1 for none
    wandering: Tiny = 0
    probability: float = float("nan")
    focus: Real32 = 0.0
    fatigue: Real32 = 0.0
    stress: Real32 = 0.0
    mood: Real32 = 0.0


EVENT_ROW, CHECK_ROW, TRUTH_ROW = dtype_of(EventRow), dtype_of(CheckRow), dtype_of(TruthRow)
Rows = np.ndarray[Any, np.dtype[np.void]]


class Sink(NamedTuple):
    """Row buffers of compiled loops, and how many rows of each are written: `used` is (events, checks, truth)."""

    events: Rows
    checks: Rows
    truth: Rows
    used: NDArray[np.int64]


@dataclass(slots=True)
class ListSink:
    """The reference's rows. Kernels are typed with this plain form; compiled loops pass a `Sink` instead."""

    events: list[EventRow] = field(default_factory=list)
    checks: list[CheckRow] = field(default_factory=list)
    truth: list[TruthRow] = field(default_factory=list)


def new_event(sink: ListSink, p: Person, kind: int) -> EventRow:
    """Append an event of person `p`, a little after their last one in this tick; returns the row to fill in."""
    p.clock = min(p.clock + GAP_US, LAST_US)
    row = EventRow(number=p.number, seq=p.seq, kind=kind, world=p.world, offset=p.offset, clock=p.clock)
    p.seq += 1
    sink.events.append(row)
    return row


def new_check(sink: ListSink, p: Person, kind: int) -> CheckRow:
    """Append a check of person `p`; returns the row to fill in."""
    row = CheckRow(number=p.number, seq=p.check_seq, kind=kind, world=p.world, clock=p.clock)
    p.check_seq += 1
    sink.checks.append(row)
    return row


def new_truth(sink: ListSink, p: Person, kind: int, ref: int, probability: float) -> None:
    """Append what is true of person `p` now: `probability` of acting on the exposure or failing the check `ref`."""
    sink.truth.append(
        TruthRow(
            number=p.number,
            kind=kind,
            ref=ref,
            wandering=p.wandering,
            probability=probability,
            focus=p.focus,
            fatigue=p.fatigue,
            stress=p.stress,
            mood=p.mood,
        )
    )


@overload(
    new_event, strict=False, jit_options={"forceinline": True}
)  # not strict: the two differ in annotations, which mean types here
def _new_event_compiled(sink: object, p: object, kind: object) -> object:  # noqa: ARG001  numba matches overloads by argument name
    def implementation(sink: Sink, p: Person, kind: int) -> EventRow:
        p.clock = min(p.clock + GAP_US, LAST_US)
        place = sink.used[0]
        sink.used[0] = place + 1
        row: EventRow = sink.events[place]
        row.number, row.seq, row.kind, row.world = p.number, p.seq, kind, p.world
        row.offset, row.clock, row.reply, row.text = p.offset, p.clock, -1, -1
        row.symptoms, row.item, row.peer, row.amount, row.command = 0, 0, -1, 0, 0
        row.tone = row.weight = row.level = row.score = row.duration = 0.0
        p.seq += 1
        return row

    return implementation


@overload(new_check, strict=False, jit_options={"forceinline": True})  # the same
def _new_check_compiled(sink: object, p: object, kind: object) -> object:  # noqa: ARG001  numba matches overloads by argument name
    def implementation(sink: Sink, p: Person, kind: int) -> CheckRow:
        place = sink.used[1]
        sink.used[1] = place + 1
        row: CheckRow = sink.checks[place]
        row.number, row.seq, row.kind, row.world = p.number, p.check_seq, kind, p.world
        row.clock, row.passed, row.span, row.reaction = p.clock, 0, 0, np.nan
        p.check_seq += 1
        return row

    return implementation


@overload(new_truth, strict=False, jit_options={"forceinline": True})  # the same
def _new_truth_compiled(sink: object, p: object, kind: object, ref: object, probability: object) -> object:  # noqa: ARG001  numba matches overloads by argument name
    def implementation(sink: Sink, p: Person, kind: int, ref: int, probability: float) -> None:
        place = sink.used[2]
        sink.used[2] = place + 1
        row: TruthRow = sink.truth[place]
        row.number, row.kind, row.ref, row.wandering = p.number, kind, ref, p.wandering
        row.probability, row.focus, row.fatigue = probability, p.focus, p.fatigue
        row.stress, row.mood = p.stress, p.mood

    return implementation


def make_sink(rows: int) -> Sink:
    """Empty buffers for `rows` rows of each table."""
    return Sink(np.zeros(rows, EVENT_ROW), np.zeros(rows, CHECK_ROW), np.zeros(rows, TRUTH_ROW), np.zeros(3, np.int64))


def with_room(sink: Sink, people: int) -> Sink:
    """The sink itself, or a copy in larger buffers, so that `people` can write a minute; each table grows for itself.

    An eighth more than there was: buffers are memory that grows with the people, and doubling would waste most of it.
    """
    more = ROOM * people
    used = [int(number) for number in sink.used]
    return Sink(
        _grown(sink.events, used[0], more),
        _grown(sink.checks, used[1], more),
        _grown(sink.truth, used[2], more),
        sink.used,
    )


def _grown(table: Rows, used: int, more: int) -> Rows:
    if used + more <= len(table):
        return table
    larger = np.zeros(max(used + more, len(table) + len(table) // 8), table.dtype)
    larger[:used] = table[:used]
    return larger
