"""Rules of the tokens: fixed in width, one code path, the same bits whoever else is in the batch."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from infra.contracts.errors import BadInput
from infra.contracts.events import EVENT
from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from infra.storage.codes import to_words
from models.features.answered import REMEMBERED, Seen
from models.features.tokens import (
    FEATURE_COUNT,
    FEATURES,
    FEATURES_VERSION,
    NO_TIME,
    Tokens,
    encode,
    exposures,
)
from models.features.vocabulary import UNKNOWN
from tests.support.activity import START_US, event_batch
from tests.support.batches import random_batch

HOUR_US = 3_600_000_000


def events(**columns: object) -> pa.RecordBatch:
    return event_batch({"person": [7], "seq": [0], "occurred_at": [START_US]} | columns)


def feature(tokens: Tokens, name: str) -> list[float]:
    return [float(value) for value in tokens.features[:, FEATURES.index(name)]]


def sorted_batch(rows: int, people: int, seed: int) -> pa.RecordBatch:
    """Random events of a few people with every family present here and there, sorted, gapless."""
    random = np.random.default_rng(seed)
    batch = random_batch(EVENT, rows, seed)
    person = np.sort(random.integers(1, 2**63, people, dtype=np.uint64)[random.integers(0, people, rows)])
    starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
    seq = np.arange(rows) - np.repeat(starts, np.diff(np.append(starts, rows)))
    kind = random.choice([int(each) for each in EventKind], rows)
    given_columns = {
        "person": person,
        "seq": seq.astype(np.uint32),
        "kind": kind.astype(np.uint16),
        "world": random.integers(0, 6, rows).astype(np.uint8),
        "occurred_at": START_US + np.cumsum(random.integers(0, 400_000_000, rows)),
        "in_reply_to": replies(batch.column("event_id").to_numpy(), random),
    }
    for name, values in given_columns.items():
        batch = batch.set_column(batch.schema.get_field_index(name), EVENT.arrow.field(name), pa.array(values))
    return batch


def replies(event_id: NDArray[np.uint64], random: np.random.Generator) -> NDArray[np.uint64]:
    """Half of the events answer one of the forty before them, whoever's it is."""
    before = np.maximum(np.arange(len(event_id)) - random.integers(1, 40, len(event_id)), 0)
    return np.where(random.random(len(event_id)) < 0.5, event_id[before], np.uint64(0))


def same(first: Tokens, second: Tokens) -> bool:
    names = ("kind", "time_us", "features", "item")
    return all(getattr(first, name).tobytes() == getattr(second, name).tobytes() for name in names)


def test_the_list_of_features_is_frozen() -> None:
    assert (FEATURE_COUNT, FEATURES_VERSION) == (52, "3-49d8cf31"), (
        "features or kinds changed: raise the number in FEATURES_VERSION, then freeze the new list here"
    )


def test_a_first_event_has_no_gap() -> None:
    tokens = encode(events())
    assert (feature(tokens, "has_previous"), feature(tokens, "gap_log")) == ([0.0], [0.0])


def test_the_gap_is_to_the_persons_previous_event_in_the_batch_or_before_it() -> None:
    batch = events(person=[7, 7, 9], seq=[4, 5, 0], occurred_at=np.array([0, 30, 30]) * 1_000_000 + START_US)
    before = np.array([START_US - HOUR_US, START_US, NO_TIME])
    tokens = encode(batch, before)
    assert feature(tokens, "has_previous") == [1.0, 1.0, 0.0]
    expected = np.log1p([3_600.0, 30.0]) / 10
    np.testing.assert_allclose(feature(tokens, "gap_log")[:2], expected, rtol=1e-6)
    assert feature(tokens, "gap_under_7200s") == [1.0, 0.0, 0.0]
    assert feature(tokens, "gap_under_60s") == [0.0, 1.0, 0.0]


def test_a_time_that_runs_backwards_counts_as_no_time() -> None:
    tokens = encode(events(person=[7, 7], seq=[0, 1], occurred_at=[START_US, START_US - 5]))
    assert feature(tokens, "gap_under_10s") == [0.0, 1.0]


def test_clock_and_weekend_are_local() -> None:
    monday_8 = encode(events())
    assert feature(monday_8, "weekend") == [0.0]
    np.testing.assert_allclose(feature(monday_8, "day_sin"), [np.sin(2 * np.pi / 3)], rtol=1e-6)
    sunday_23 = encode(events(utc_offset_minutes=-9 * 60))
    assert feature(sunday_23, "weekend") == [1.0]


def test_the_world_is_one_of_five_flags() -> None:
    tokens = encode(events(world=int(World.GAMING)))
    assert feature(tokens, "world_gaming") == [1.0]
    assert sum(feature(tokens, f"world_{world.label}")[0] for world in World if world) == 1.0


def test_a_missing_signal_is_flagged_and_zero() -> None:
    batch = event_batch(
        {"person": [7, 7], "seq": [0, 1], "occurred_at": START_US, "kind": int(EventKind.EMOTION_READ)},
        {"emotion": {"valence": [np.nan, -0.5], "confidence": [0, 0.9], "channel": [0, 2]}},
    )
    tokens = encode(batch)
    assert feature(tokens, "has_emotion") == [0.0, 1.0]
    assert feature(tokens, "valence") == [0.0, -0.5]
    assert feature(tokens, "emotion_from_voice") == [0.0, 1.0]
    assert np.isfinite(tokens.features).all()


def test_payloads_of_every_family_reach_their_features() -> None:
    rows = {"person": [1] * 6, "seq": range(6), "occurred_at": START_US}
    nothing = np.nan

    def at(place: int, value: float) -> list[float]:
        return [value if index == place else nothing for index in range(6)]

    batch = event_batch(
        rows,
        {
            "social": {"sentiment": at(0, -0.75), "importance": at(0, 0.5)},
            "learning": {"difficulty": at(1, 0.25), "score": at(1, 1.0), "duration_s": at(1, 60)},
            "work": {"errors": at(2, 3), "difficulty": at(2, 0.5)},
            "gaming": {"challenge": at(3, 0.75), "won": at(3, 1)},
            "medical": {"completion": at(4, 0.5), "scale": at(4, 2)},
            "practice": {"practice": at(5, 3), "minutes": at(5, 10)},
        },
    )
    tokens = encode(batch)
    assert feature(tokens, "sentiment")[0] == -0.75
    assert feature(tokens, "sentiment_size")[0] == 0.75
    assert feature(tokens, "importance") == [0.5, 0, 0, 0, 0, 0]
    assert feature(tokens, "difficulty") == [0, 0.25, 0.5, 0.75, 0, 0]
    assert feature(tokens, "score")[1] == 1.0
    assert feature(tokens, "won")[3] == 1.0
    assert feature(tokens, "completion")[4] == 0.5
    assert feature(tokens, "scale_worry")[4] == 1.0
    assert feature(tokens, "practice_mindfulness_of_breath")[5] == 1.0
    np.testing.assert_allclose(feature(tokens, "duration_log")[1], np.log1p(60) / 10, rtol=1e-6)
    np.testing.assert_allclose(feature(tokens, "errors_log")[2], np.log1p(3), rtol=1e-6)
    np.testing.assert_allclose(feature(tokens, "practice_minutes_log")[5], np.log1p(10) / 3, rtol=1e-6)


def test_exposures_and_responses_are_told_apart() -> None:
    batch = events(
        person=[7, 7],
        seq=[0, 1],
        occurred_at=START_US,
        kind=[int(EventKind.COMMENT_SEEN), int(EventKind.COMMENT_POSTED)],
        in_reply_to=[0, 99],
    )
    tokens = encode(batch)
    assert feature(tokens, "is_exposure") == [1.0, 0.0]
    assert feature(tokens, "is_response") == [0.0, 1.0]


def test_a_kind_that_the_contract_does_not_know_is_unknown() -> None:
    assert encode(events(kind=60_000)).kind.tolist() == [UNKNOWN]


def test_items_share_buckets_by_remainder_and_are_off_by_default() -> None:
    batch = event_batch(
        {"person": [1, 1, 1], "seq": range(3), "occurred_at": START_US},
        {"activity": {"item": [3, 11, np.nan]}},
    )
    assert encode(batch).item.tolist() == [0, 0, 0]
    assert encode(batch, item_buckets=8).item.tolist() == [4, 4, 0]


def test_the_lakes_words_give_the_same_tokens_as_the_wires_codes() -> None:
    batch = sorted_batch(500, 20, seed=2)
    table = pa.Table.from_batches([batch])
    for name in ("kind", "world"):
        table = table.set_column(table.schema.get_field_index(name), name, to_words(name, table[name]))
    assert same(encode(batch, item_buckets=64), encode(table, item_buckets=64))


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_serving_in_pieces_gives_the_bits_of_training_on_the_whole(seed: int, cut_at: int) -> None:
    batch = sorted_batch(120, 9, seed)
    whole = encode(batch, item_buckets=16)
    person = batch.column("person").to_numpy()
    time_us = batch.column("occurred_at").to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
    seq = np.arange(len(person)) - np.repeat(starts, np.diff(np.append(starts, len(person))))
    early = seq < cut_at % 12
    before = np.full(len(person), NO_TIME, dtype=np.int64)
    before[1:][seq[1:] > 0] = time_us[:-1][seq[1:] > 0]
    earlier = exposures(batch.filter(pa.array(early)))
    count = np.array([(earlier.person == each).sum() for each in person], dtype=np.int64)
    for part, seen in ((early, None), (~early, Seen(count[~early], earlier))):
        rows = np.flatnonzero(part)
        piece = encode(batch.filter(pa.array(part)), before[rows], item_buckets=16, seen=seen)
        assert same(piece, whole.take(rows))


def talk(replies_to: list[int], exposed: list[int], people: list[int] | None = None) -> pa.RecordBatch:
    """Comments seen at the places `exposed`, with a tone of their place, and what answers the event of that number."""
    rows = len(replies_to)
    kind = [int(EventKind.COMMENT_SEEN if place in exposed else EventKind.COMMENT_POSTED) for place in range(rows)]
    return event_batch(
        {
            "event_id": np.arange(1, rows + 1),
            "person": people or [7] * rows,
            "seq": range(rows),
            "kind": kind,
            "occurred_at": START_US + np.arange(rows) * 60_000_000,
            "in_reply_to": replies_to,
        },
        {"social": {"sentiment": [-0.1 * (place + 1) for place in range(rows)], "importance": [0.5] * rows}},
    )


def test_a_response_carries_what_it_answers() -> None:
    tokens = encode(talk([0, 0, 1], [0, 1]))
    assert feature(tokens, "answers_known") == [0.0, 0.0, 1.0]
    np.testing.assert_allclose(feature(tokens, "answered_sentiment"), [0, 0, -0.1], rtol=1e-6)
    np.testing.assert_allclose(feature(tokens, "answered_sentiment_size"), [0, 0, 0.1], rtol=1e-6)
    assert feature(tokens, "answered_importance") == [0.0, 0.0, 0.5]
    np.testing.assert_allclose(feature(tokens, "answer_delay_log"), [0, 0, np.log1p(120) / 10], rtol=1e-6)


def test_only_the_last_exposures_of_the_same_person_are_known() -> None:
    many = list(range(REMEMBERED + 1))
    assert feature(encode(talk([*[0] * len(many), 1], many)), "answers_known")[-1] == 0.0
    assert feature(encode(talk([*[0] * len(many), 2], many)), "answers_known")[-1] == 1.0
    assert feature(encode(talk([0, 1], [0], people=[7, 9])), "answers_known") == [0.0, 0.0]
    assert feature(encode(talk([2, 0], [1])), "answers_known") == [0.0, 0.0]  # what comes later is not known yet


def test_unsorted_events_are_refused() -> None:
    with pytest.raises(BadInput, match="sorted by"):
        encode(events(person=[9, 7], seq=[0, 0], occurred_at=START_US))
    with pytest.raises(BadInput, match="sorted by"):
        encode(events(person=[7, 7], seq=[1, 1], occurred_at=START_US))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(BadInput, match="'utc_offset_minutes'"):
        encode(events().drop_columns(["utc_offset_minutes"]))


def test_no_events_give_no_tokens() -> None:
    tokens = encode(events().slice(0, 0))
    assert len(tokens) == 0
    assert tokens.features.shape == (0, FEATURE_COUNT)
