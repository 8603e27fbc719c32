"""A small population with a hidden state, and the lake it leaves: what learning can be tested on, truth included.

Each person's mind wanders in episodes (a Markov chain) that show in the gaze; wandering lowers the chance that an
exposure is answered and raises that of a failed check; who has just answered answers again. So the history helps.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.draws import mix
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame
from infra.contracts.kinds import EventKind
from infra.contracts.records import OUTCOME, TRUTH
from infra.contracts.time import TICK_US
from infra.contracts.worlds import World
from infra.storage.lake import LakeWriter
from tests.support.activity import START_US, event_batch

_ABSENT = {struct.name for struct in EVENT.structs()} - {"work", "gaze"}
_GAZE, _SHOWN, _ANSWER = EventKind.GAZE_SAMPLED, EventKind.MESSAGE_DELIVERED, EventKind.MESSAGE_ANSWERED


@dataclass(frozen=True)
class HiddenStatePopulation:
    """Tables of `people` over `minutes`: each minute of each person a gaze or an exposure, at times an answer."""

    events: pa.RecordBatch
    outcomes: pa.RecordBatch
    truth: pa.RecordBatch

    @classmethod
    def simulate(cls, people: int, minutes: int, seed: int = 0, game_every: int = 0) -> "HiddenStatePopulation":
        """The tables, events sorted by (person, seq). All is work; with `game_every` the last third of so many minutes
        is spent gaming, where hardly anything is answered and checks fail more.
        """
        random = np.random.default_rng(seed)
        person = np.sort(random.integers(1, 2**63, people, dtype=np.uint64))
        state = _State.start(people, random)
        gaming = [bool(game_every) and 3 * (minute % game_every) >= 2 * game_every for minute in range(minutes)]
        rows = [_minute(state, person, minute, random, shift=2.0 * gaming[minute]) for minute in range(minutes)]
        columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        columns["world"] = np.repeat([int(World.GAMING if each else World.WORK) for each in gaming], people)
        return cls(_events(columns), _outcomes(columns), _truth(columns))

    def write(self, root: Path, partitions: int = 2) -> tuple[Path, Path]:
        """Write `root/lake` and `root/truth` as the archiver would, and return the two."""
        for record, stream, batch in (
            (root / "lake", "events", self.events),
            (root / "lake", "outcomes", self.outcomes),
            (root / "truth", "truth", self.truth),
        ):
            _write(record, stream, batch, partitions)
        return root / "lake", root / "truth"


@dataclass
class _State:
    wandering: NDArray[np.bool_]
    momentum: NDArray[np.float64]
    taste: NDArray[np.float64]

    @classmethod
    def start(cls, people: int, random: np.random.Generator) -> "_State":
        return cls(random.random(people) < 0.4, np.zeros(people), random.normal(size=people))


def _minute(
    state: _State, person: NDArray[np.uint64], minute: int, random: np.random.Generator, shift: float
) -> dict[str, NDArray[Any]]:
    """One row a person and minute; rows of answers and checks are told by masks. `shift` makes both fail more."""
    people = len(person)
    change = random.random(people)
    state.wandering = np.where(state.wandering, change > 0.08, change < 0.06)
    importance = random.random(people)
    shown = random.random(people) < 0.4
    logit = -2 - shift + 2 * importance + 0.8 * state.taste + 2 * state.momentum - 2.5 * state.wandering
    answer = 1 / (1 + np.exp(-logit))
    answered = shown & (random.random(people) < answer)
    state.momentum = 0.8 * state.momentum + 0.4 * answered
    fail = np.where(state.wandering, 0.6, 0.06 + 0.1 * shift)
    return {
        "person": person,
        "time": np.full(people, START_US + minute * TICK_US, dtype=np.int64),
        "shown": shown,
        "importance": importance,
        "answered": answered,
        "answer": answer,
        "gaze": np.clip(np.where(state.wandering, 0.45, 0.75) + 0.15 * random.normal(size=people), 0, 1),
        "checked": random.random(people) < 0.1,
        "failed": random.random(people) < fail,
        "fail": fail,
        "wandering": state.wandering.copy(),
    }


def _events(columns: dict[str, NDArray[Any]]) -> pa.RecordBatch:
    first = np.where(columns["shown"], int(_SHOWN), int(_GAZE))
    answers = np.flatnonzero(columns["answered"])
    row = np.concatenate([np.arange(len(first)), answers])
    late = np.concatenate([np.zeros(len(first), dtype=np.int64), np.full(len(answers), 20_000_000)])
    order = np.lexsort((columns["time"][row] + late, columns["person"][row]))
    row, late = row[order], late[order]
    person = columns["person"][row]
    starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
    seq = np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row))))
    kind = np.where(late > 0, int(_ANSWER), first[row])
    work = np.isin(kind, [int(_SHOWN), int(_ANSWER)])
    importance = np.where(work, columns["importance"][row], np.nan)
    absent = {family: {"": np.full(len(row), np.nan)} for family in _ABSENT}
    return event_batch(
        {
            "event_id": np.where(late > 0, _answer_id(columns, row), _exposure_id(columns, row)),
            "person": person,
            "seq": seq,
            "kind": kind,
            "world": columns["world"][row],
            "in_reply_to": np.where(late > 0, _exposure_id(columns, row), np.uint64(0)),
            "occurred_at": columns["time"][row] + late,
        },
        absent
        | {
            "work": {"importance": importance},
            "gaze": {"on_task": np.where(work, np.nan, columns["gaze"][row])},
        },
    )


def _exposure_id(columns: dict[str, NDArray[Any]], row: NDArray[np.int64]) -> NDArray[np.uint64]:
    return mix(columns["person"][row] ^ columns["time"][row].astype(np.uint64))


def _answer_id(columns: dict[str, NDArray[Any]], row: NDArray[np.int64]) -> NDArray[np.uint64]:
    return mix(_exposure_id(columns, row))


def _check_id(columns: dict[str, NDArray[Any]], row: NDArray[np.int64]) -> NDArray[np.uint64]:
    return mix(~_exposure_id(columns, row))


def _outcomes(columns: dict[str, NDArray[Any]]) -> pa.RecordBatch:
    row = np.flatnonzero(columns["checked"])
    row = row[np.lexsort((columns["time"][row], columns["person"][row]))]
    person = columns["person"][row]
    starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
    given: dict[str, Any] = {
        "event_id": _check_id(columns, row),
        "person": person,
        "seq": np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row)))),
        "kind": int(EventKind.ATTENTION_CHECKED),
        "world": columns["world"][row],
        "occurred_at": columns["time"][row] + 30_000_000,
        "passed": ~columns["failed"][row],
    }
    return _batch(OUTCOME.arrow, given, len(row))


def _truth(columns: dict[str, NDArray[Any]]) -> pa.RecordBatch:
    shown, checked = np.flatnonzero(columns["shown"]), np.flatnonzero(columns["checked"])
    row = np.concatenate([shown, checked])
    given = {
        "person": columns["person"][row],
        "tick": columns["time"][row] // TICK_US,
        "kind": np.repeat([int(_SHOWN), int(EventKind.ATTENTION_CHECKED)], [len(shown), len(checked)]),
        "ref": np.concatenate([_exposure_id(columns, shown), _check_id(columns, checked)]),
        "probability": np.concatenate([columns["answer"][shown], columns["fail"][checked]]),
        "wandering": columns["wandering"][row],
    }
    return _batch(TRUTH.arrow, given, len(row))


def _batch(schema: pa.Schema, given: dict[str, Any], rows: int) -> pa.RecordBatch:
    arrays = [
        pa.array(np.broadcast_to(given.get(field.name, 0), rows).astype(field.type.to_pandas_dtype()), field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _write(root: Path, stream: str, batch: pa.RecordBatch, partitions: int) -> None:
    part = batch.column("person").to_numpy() % np.uint64(partitions)
    for partition in range(partitions):
        mine = batch.filter(pa.array(part == partition))
        writer = LakeWriter(root, stream, partition)
        writer.append(Frame(stream=stream, tick=0, source="made-up", batch=mine), 0)
        writer.flush()
