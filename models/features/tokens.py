"""Events to tokens: one code path for training (a whole lake) and serving (one tick).

A token is fixed in width and never depends on the tokens around it, except through the gap to the person's
previous event and, for a response, through what it answers. Both are stored *with* the token: they do not change when a
window slides past that event.

Shape legend: n events, F features (`FEATURE_COUNT`).
"""

import hashlib
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from infra.contracts.commands import Practice
from infra.contracts.errors import BadInput
from infra.contracts.kinds import EXPOSURES
from infra.contracts.worlds import World
from models.features.answered import VALUES, Exposures, Seen, answers_of, counts_before, exposures_of
from models.features.columns import Array, EventColumns, Flags, Floats
from models.features.vocabulary import KIND_CODES, kind_index, kind_names, world_names

NO_TIME = int(np.iinfo(np.int64).min)
"""Stands for "this person has no earlier event" in `previous_time_us`."""

GAP_BOUNDS_S = (10, 60, 300, 1_800, 7_200, 28_800)
"""Upper bounds (s, exclusive) of the gap buckets: part of a tick, a tick, minutes, a session, a pause, a night."""

_WORLDS = tuple(world for world in World if world is not World.NONE)
_PRACTICES = tuple(practice for practice in Practice if practice is not Practice.NONE)
_SCALES = ("mood", "worry")  # 1 and 2 in the contract
_ITEM_FAMILIES = ("activity", "social", "learning", "work", "gaming", "medical")
_EXPOSURES = np.array(sorted(int(kind) for kind in EXPOSURES), dtype=np.int64)

FEATURES: tuple[str, ...] = (
    "has_previous",
    "gap_log",
    *(f"gap_under_{bound}s" for bound in GAP_BOUNDS_S),
    "gap_longer",
    "day_sin",
    "day_cos",
    "half_day_sin",
    "half_day_cos",
    "weekend",
    *(f"world_{world.label}" for world in _WORLDS),
    "has_emotion",
    "valence",
    "arousal",
    "confidence",
    "emotion_from_voice",
    "has_gaze",
    "gaze_on_task",
    "gaze_samples_log",
    "duration_log",
    "difficulty",
    "importance",
    "sentiment",
    "sentiment_size",
    "score",
    "won",
    "completion",
    *(f"scale_{name}" for name in _SCALES),
    "errors_log",
    *(f"practice_{practice.name.lower()}" for practice in _PRACTICES),
    "practice_minutes_log",
    "is_exposure",
    "is_response",
    "answers_known",
    *(f"answered_{name}" for name in VALUES),
    "answered_sentiment_size",
    "answer_delay_log",
)
"""Names of the numeric features, in column order. Frozen by a test: a change is a new FEATURES_VERSION."""
FEATURE_COUNT = len(FEATURES)

FEATURES_VERSION = "3-" + hashlib.sha256(repr((FEATURES, KIND_CODES)).encode()).hexdigest()[:8]
"""Changes with the list of features or kinds; a checkpoint of another version cannot score these tokens."""

_COLUMN = {name: index for index, name in enumerate(FEATURES)}
_MINUTES_A_DAY = 1_440
_DAY_US = 86_400_000_000


def _clock_table() -> Floats:
    """(1440, 4) sine and cosine of the day and of the half day: a table, so no batch moves a last bit."""
    angle = 2 * np.pi * np.arange(_MINUTES_A_DAY) / _MINUTES_A_DAY
    waves = [np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)]
    return np.stack(waves, axis=1).astype(np.float32)


_CLOCK = _clock_table()


@dataclass(frozen=True)
class Tokens:
    """Columns of n tokens.

    kind: (n,) int16 index into the vocabulary, time_us: (n,) int64 µs UTC,
    features: (n, F) float32, item: (n,) int32 bucket, 0 for none.
    """

    kind: npt.NDArray[np.int16]
    time_us: npt.NDArray[np.int64]
    features: Floats
    item: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, rows: Array) -> Self:
        """The tokens at `rows` (indices, a mask or a slice's indices)."""
        return type(self)(self.kind[rows], self.time_us[rows], self.features[rows], self.item[rows])


def encode(
    events: pa.RecordBatch | pa.Table,
    previous_time_us: npt.NDArray[np.int64] | None = None,
    *,
    item_buckets: int = 0,
    seen: Seen | None = None,
) -> Tokens:
    """Tokens of `events`, which must be sorted by (person, seq).

    previous_time_us: (n,) time of each row's person's last event *before this batch* (`NO_TIME`: none); None
    when nobody has a past. Inside the batch the previous row of the same person counts. seen: exposures from before
    the batch that its responses may answer; None where there are none.
    Raises BadInput when the rows are not sorted or a needed column is missing.
    """
    columns = EventColumns(events)
    time_us = columns.integers("occurred_at")
    kind = columns.codes("kind", kind_names())
    features = np.zeros((columns.rows, FEATURE_COUNT), dtype=np.float32)
    write_gaps(features, _gaps_us(columns, time_us, previous_time_us))
    _write_clock(features, time_us, columns.integers("utc_offset_minutes"))
    _write_worlds(features, columns.codes("world", world_names()))
    _write_signals(features, columns)
    _write_payloads(features, columns)
    _write_roles(features, kind, columns.integers("in_reply_to", np.uint64))
    _write_answered(features, columns, seen)
    return Tokens(kind_index(kind), time_us, features, _item_bucket(columns, item_buckets))


def exposures(events: pa.RecordBatch, seen: Seen | None = None) -> Exposures:
    """The exposures of `events` as later responses need them; arguments as of `encode`."""
    columns = EventColumns(events)
    exposure = np.isin(columns.codes("kind", kind_names()), _EXPOSURES)
    values = np.zeros((columns.rows, len(VALUES)), dtype=np.float32)
    for place, part in enumerate((_sentiment(columns), _importance(columns), _difficulty(columns))):
        values[:, place] = part
    return exposures_of(columns, exposure, values, counts_before(columns, exposure, seen))


def _gaps_us(
    columns: EventColumns, time_us: npt.NDArray[np.int64], previous_time_us: npt.NDArray[np.int64] | None
) -> npt.NDArray[np.int64]:
    """(n,) µs since the person's previous event, -1 where there is none; 0 when time runs backwards."""
    person, seq = columns.integers("person", np.uint64), columns.integers("seq")
    same = person[1:] == person[:-1]
    if np.any((person[1:] < person[:-1]) | (same & (seq[1:] <= seq[:-1]))):
        raise BadInput("events must be sorted by (person, seq), each pair once, before they become tokens")
    previous = np.full(columns.rows, NO_TIME, dtype=np.int64)
    if previous_time_us is not None:
        previous[:] = previous_time_us
    previous[1:][same] = time_us[:-1][same]
    known = previous != NO_TIME
    return np.where(known, np.maximum(time_us - np.where(known, previous, 0), 0), -1)


def write_gaps(features: Floats, gaps_us: npt.NDArray[np.int64]) -> None:
    """Write the columns of the gap before each token into `features` (n, F), zero so far; gaps (n,), -1 for none."""
    rows = np.flatnonzero(gaps_us >= 0)
    gaps = gaps_us[rows]
    features[rows, _COLUMN["has_previous"]] = 1
    features[rows, _COLUMN["gap_log"]] = np.log1p(gaps / 1e6) / 10
    bounds = np.array(GAP_BOUNDS_S, dtype=np.int64) * 1_000_000
    first = _COLUMN[f"gap_under_{GAP_BOUNDS_S[0]}s"]
    features[rows, first + np.searchsorted(bounds, gaps, side="right")] = 1


def _write_clock(features: Floats, time_us: Array, offset_minutes: Array) -> None:
    local_us = time_us + offset_minutes * 60_000_000
    minute = (local_us % _DAY_US) // 60_000_000
    first = _COLUMN["day_sin"]
    features[:, first : first + 4] = _CLOCK[minute]
    weekday = (local_us // _DAY_US + 3) % 7  # 1 January 1970 was a Thursday; Monday is 0
    features[:, _COLUMN["weekend"]] = weekday >= 5


def _write_worlds(features: Floats, world: Array) -> None:
    first = _COLUMN[f"world_{_WORLDS[0].label}"]
    for offset, member in enumerate(_WORLDS):
        features[:, first + offset] = world == int(member)


def _write_signals(features: Floats, columns: EventColumns) -> None:
    valence, felt = columns.payload("emotion", "valence")
    arousal, _ = columns.payload("emotion", "arousal")
    confidence, _ = columns.payload("emotion", "confidence")
    channel, _ = columns.payload("emotion", "channel")
    on_task, looked = columns.payload("gaze", "on_task")
    samples, _ = columns.payload("gaze", "samples")
    _write(features, "has_emotion", felt)
    _write(features, "valence", valence)
    _write(features, "arousal", arousal)
    _write(features, "confidence", confidence)
    _write(features, "emotion_from_voice", channel == 2)
    _write(features, "has_gaze", looked)
    _write(features, "gaze_on_task", on_task)
    _write(features, "gaze_samples_log", _log(samples, 5))


def _write_payloads(features: Floats, columns: EventColumns) -> None:
    sentiment = _sentiment(columns)
    practice, _ = columns.payload("practice", "practice")
    _write(features, "duration_log", _log(_first(columns, "duration_s", _ITEM_FAMILIES), 10))
    _write(features, "difficulty", _difficulty(columns))
    _write(features, "importance", _importance(columns))
    _write(features, "sentiment", sentiment)
    _write(features, "sentiment_size", np.abs(sentiment))
    _write(features, "score", columns.payload("learning", "score")[0])
    _write(features, "won", columns.payload("gaming", "won")[0])
    _write(features, "completion", columns.payload("medical", "completion")[0])
    for number, name in enumerate(_SCALES, start=1):
        _write(features, f"scale_{name}", columns.payload("medical", "scale")[0] == number)
    _write(features, "errors_log", _log(columns.payload("work", "errors")[0], 1))
    for member in _PRACTICES:
        _write(features, f"practice_{member.name.lower()}", practice == int(member))
    _write(features, "practice_minutes_log", _log(columns.payload("practice", "minutes")[0], 3))


def _write_roles(features: Floats, kind: Array, in_reply_to: Array) -> None:
    _write(features, "is_exposure", np.isin(kind, _EXPOSURES))
    _write(features, "is_response", in_reply_to != 0)


def _write_answered(features: Floats, columns: EventColumns, seen: Seen | None) -> None:
    """What is known of the exposure that a response answers; it reads what `_write_payloads` and roles have written."""
    exposure = features[:, _COLUMN["is_exposure"]] > 0
    values = features[:, [_COLUMN[name] for name in VALUES]]
    before = counts_before(columns, exposure, seen)
    found = answers_of(columns, exposures_of(columns, exposure, values, before), before, seen)
    features[found.row, _COLUMN["answers_known"]] = 1
    for place, name in enumerate(VALUES):
        features[found.row, _COLUMN[f"answered_{name}"]] = found.values[:, place]
    features[found.row, _COLUMN["answered_sentiment_size"]] = np.abs(found.values[:, VALUES.index("sentiment")])
    features[found.row, _COLUMN["answer_delay_log"]] = np.log1p(found.delay_us / 1e6) / 10


def _sentiment(columns: EventColumns) -> Floats:
    return columns.payload("social", "sentiment")[0]


def _importance(columns: EventColumns) -> Floats:
    return _first(columns, "importance", ("social", "work"))


def _difficulty(columns: EventColumns) -> Floats:
    return _first(columns, "difficulty", ("learning", "work")) + columns.payload("gaming", "challenge")[0]


def _write(features: Floats, name: str, values: Floats | Flags) -> None:
    features[:, _COLUMN[name]] = values


def _first(columns: EventColumns, field: str, families: tuple[str, ...]) -> Floats:
    """A field that several families carry; an event has the payload of one family, so a sum picks it."""
    total = np.zeros(columns.rows, dtype=np.float32)
    for family in families:
        total += columns.payload(family, field)[0]
    return total


def _log(values: Floats, scale: float) -> Floats:
    """log(1 + x) / scale of a non-negative quantity: brings seconds, counts and minutes to about 0..1."""
    logs: Floats = (np.log1p(np.maximum(values, 0).astype(np.float64)) / scale).astype(np.float32)
    return logs


def _item_bucket(columns: EventColumns, item_buckets: int) -> npt.NDArray[np.int32]:
    """(n,) 1 + item mod item_buckets, 0 where there is no item or buckets are off.

    Not hashed: dense ids then collide only when there are more of them than buckets, and where a remainder means
    something (items are numbered through topics) a few buckets keep the meaning.
    """
    if item_buckets <= 0:
        return np.zeros(columns.rows, dtype=np.int32)
    items, present = columns.items(_ITEM_FAMILIES)
    bucket = items % np.uint64(item_buckets) + np.uint64(1)
    return np.where(present, bucket, np.uint64(0)).astype(np.int32)
