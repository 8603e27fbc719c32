"""Events of a small made-up population: sorted, gapless per person, with signals, exposures and practices."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.events import EVENT
from infra.contracts.kinds import EXPOSURES, KINDS, EventKind
from infra.contracts.records import SCORE

START_US = 1_767_600_000_000_000  # 2026-01-05 08:00 UTC, a Monday

_KINDS = [
    EventKind.PAGE_BROWSED,
    EventKind.ITEM_CLICKED,
    EventKind.EMOTION_READ,
    EventKind.GAZE_SAMPLED,
    EventKind.COMMENT_SEEN,
    EventKind.MESSAGE_DELIVERED,
    EventKind.TASK_COMPLETED,
    EventKind.LESSON_COMPLETED,
    EventKind.QUEST_OFFERED,
]


def event_batch(columns: dict[str, Any], payloads: dict[str, dict[str, Any]] | None = None) -> pa.RecordBatch:
    """EVENT rows from columns (absent ones 0) and payloads {family: {field: values}}, null where the first is NaN."""
    rows = len(columns["person"])
    arrays = []
    for field in EVENT.arrow:
        if pa.types.is_struct(field.type):
            arrays.append(_struct(field, (payloads or {}).get(field.name), rows))
        else:
            values = np.broadcast_to(columns.get(field.name, 0), rows).astype(field.type.to_pandas_dtype())
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=EVENT.arrow)


def _struct(field: pa.Field, given: dict[str, Any] | None, rows: int) -> pa.Array:
    if given is None:
        return pa.nulls(rows, field.type)
    mask = np.isnan(np.asarray(next(iter(given.values())), dtype=np.float64))
    children = []
    for child in field.type:
        if pa.types.is_binary(child.type):
            children.append(pa.array([b""] * rows, child.type))
        else:
            values = np.nan_to_num(np.asarray(given.get(child.name, np.zeros(rows)), dtype=np.float64))
            children.append(pa.array(values.astype(child.type.to_pandas_dtype()), child.type))
    return pa.StructArray.from_arrays(children, fields=list(field.type), mask=pa.array(mask))


class Crowd:
    """Made-up people, some of them active each tick; `tick(t)` gives the tick's EVENT rows, sorted."""

    def __init__(self, people: int, seed: int = 0, share: float = 0.5, most: int = 4) -> None:
        self._generator = np.random.default_rng(seed)
        self.persons = np.sort(self._generator.integers(1, 2**63, people).astype(np.uint64))
        self._next_seq = np.zeros(people, dtype=np.int64)
        self._share, self._most = share, most
        self._exposed: dict[int, list[int]] = {}

    def tick(self, tick: int) -> pa.RecordBatch:
        """EVENT rows of one minute, up to `most` a person for about `share` of the people."""
        generator = self._generator
        counts = generator.integers(1, self._most + 1, len(self.persons))
        counts *= generator.random(len(self.persons)) < self._share
        who = np.repeat(np.arange(len(self.persons)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        ordinal = np.arange(len(who)) - first
        kind = generator.choice([int(kind) for kind in _KINDS], len(who))
        event_id = generator.integers(1, 2**63, len(who))
        of_events = zip(who.tolist(), kind.tolist(), event_id.tolist(), strict=True)
        columns = {
            "event_id": event_id,
            "in_reply_to": np.array([self._reply(*each) for each in of_events], dtype=np.uint64),
            "person": self.persons[who],
            "seq": self._next_seq[who] + ordinal,
            "world": generator.integers(1, 6, len(who)),
            "kind": kind,
            "occurred_at": START_US + tick * 60_000_000 + ordinal * 10_000_000 + who % 7 * 1_000_000,
            "utc_offset_minutes": 60 * (who % 3),
            "intended_at": START_US + tick,
        }
        self._next_seq += counts
        return event_batch(columns, self._payloads(kind))

    def _reply(self, who: int, kind: int, event_id: int) -> int:
        """Which of the person's exposures an event answers, 0 for none: most of the last ones, some long forgotten."""
        exposed = self._exposed.setdefault(who, [])
        if EventKind(kind) in EXPOSURES:
            exposed.append(event_id)
            return 0
        if not exposed or self._generator.random() < 0.5:
            return 0
        return exposed[-min(len(exposed), int(self._generator.geometric(0.3)))]

    def _payloads(self, kind: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
        generator, rows = self._generator, len(kind)

        def only(*kinds: EventKind) -> NDArray[np.float64]:
            return np.where(np.isin(kind, [int(each) for each in kinds]), generator.random(rows), np.nan)

        def family(name: str) -> list[EventKind]:
            return [each for each in _KINDS if KINDS[each].family == name]

        return {
            "emotion": {"valence": 2 * only(EventKind.EMOTION_READ) - 1, "arousal": generator.random(rows) * 2 - 1},
            "gaze": {"on_task": only(EventKind.GAZE_SAMPLED), "samples": np.full(rows, 30)},
            "work": {"importance": only(*family("work")), "item": generator.integers(0, 9, rows)},
            "social": {"importance": only(*family("social")), "sentiment": generator.random(rows)},
        }


def score_batch(events: pa.RecordBatch, lapse: NDArray[np.float32]) -> pa.RecordBatch:
    """A SCORE row for each event, with the given lapse scores."""
    names = ["event_id", "person", "seq", "occurred_at", "intended_at"]
    interaction = pa.array(np.full(events.num_rows, np.nan, dtype=np.float32))
    arrays = [*(events.column(name) for name in names), interaction, pa.array(lapse, pa.float32())]
    return pa.RecordBatch.from_arrays(arrays, schema=SCORE.arrow)
