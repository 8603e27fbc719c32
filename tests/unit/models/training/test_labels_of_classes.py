"""Rules of the labels of heads of several classes: the next reading of emotion, the next kind of event."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.kinds import EventKind
from models.attention import catalog
from models.attention.catalog import LabelSource
from models.features.vocabulary import KIND_COUNT
from models.training.labels import label, label_source, true_probabilities
from tests.support.activity import START_US, event_batch

MINUTE_US = 60_000_000
BROWSED, FELT, CLICKED = int(EventKind.PAGE_BROWSED), int(EventKind.EMOTION_READ), int(EventKind.ITEM_CLICKED)
LAST = 120
Row = tuple[int, int, float, float, float]
NONE = float("nan")


def source(rows: list[Row], horizon_min: float | None = 30) -> LabelSource:
    """rows: (person, kind, minute, valence, arousal), then a closing event of somebody else."""
    closing = (99, BROWSED, LAST, NONE, NONE)
    person, kind, minute, valence, arousal = (np.array(column) for column in zip(*rows, closing, strict=True))
    events = event_batch(
        {
            "event_id": np.arange(1, len(person) + 1),
            "person": person,
            "seq": np.arange(len(person)),
            "kind": kind,
            "occurred_at": START_US + (minute * MINUTE_US).astype(np.int64),
        },
        {"emotion": {"valence": valence, "arousal": arousal}},
    )
    horizon_us = None if horizon_min is None else int(horizon_min * MINUTE_US)
    return label_source(pa.Table.from_batches([events]), None, horizon_us)


def head(made: LabelSource, name: str) -> list[str | None]:
    """Names of the labelled classes of the rows (without the closing one), None where censored."""
    table = label(made, (name,))
    names = catalog.head(name).classes
    pairs = zip(table.value[:-1, 0], table.known[:-1, 0], strict=True)
    return [names[int(value)] if known else None for value, known in pairs]


@pytest.mark.parametrize(
    ("valence", "arousal", "quadrant"),
    [
        (-0.1, -0.1, "unpleasant, calm"),
        (-0.1, 0.1, "unpleasant, excited"),
        (0.1, -0.1, "pleasant, calm"),
        (0.0, 0.0, "pleasant, excited"),
    ],
)
def test_emotion_is_the_quadrant_of_the_next_reading(valence: float, arousal: float, quadrant: str) -> None:
    rows: list[Row] = [(1, BROWSED, 0, NONE, NONE), (1, CLICKED, 5, NONE, NONE), (1, FELT, 30, valence, arousal)]
    assert head(source(rows), "emotion") == [quadrant, quadrant, None]


def test_a_reading_is_not_its_own_next_one_nor_anybody_elses() -> None:
    rows: list[Row] = [(1, FELT, 0, -1, -1), (1, FELT, 5, 1, 1), (2, FELT, 6, -1, 1)]
    assert head(source(rows), "emotion") == ["pleasant, excited", None, None]


def test_a_reading_after_the_horizon_does_not_count_unless_there_is_none() -> None:
    rows: list[Row] = [(1, BROWSED, 0, NONE, NONE), (1, FELT, 30.1, 1, 1)]
    assert head(source(rows), "emotion") == [None, None]
    assert head(source(rows, None), "emotion") == ["pleasant, excited", None]


@pytest.mark.parametrize("name", ["emotion", "next_kind"])
def test_what_the_end_of_the_data_could_hide_is_censored(name: str) -> None:
    rows: list[Row] = [(1, BROWSED, LAST - 29, NONE, NONE), (1, FELT, LAST - 28, 1, 1)]
    assert head(source(rows), name) == [None, None]


def test_a_lake_without_readings_has_no_label_of_emotion() -> None:
    assert not label(source([(1, BROWSED, 0, NONE, NONE)]), ("emotion",)).known.any()


def test_next_kind_is_that_of_the_persons_next_event_and_silence_is_one_of_them() -> None:
    rows: list[Row] = [
        *((1, BROWSED, 0, NONE, NONE), (1, CLICKED, 30, NONE, NONE), (1, BROWSED, 61, NONE, NONE)),
        (2, CLICKED, 62, NONE, NONE),
    ]
    assert head(source(rows), "next_kind") == ["ItemClicked", "nothing", "nothing", "nothing"]
    assert head(source(rows, None), "next_kind") == ["ItemClicked", "PageBrowsed", None, None]


def test_a_kind_of_a_later_version_is_an_unknown_one() -> None:
    assert head(source([(1, BROWSED, 0, NONE, NONE), (1, 9_999, 1, NONE, NONE)]), "next_kind")[0] == "unknown kind"
    assert len(catalog.head("next_kind").classes) == KIND_COUNT


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 80), st.booleans(), st.booleans()), min_size=1, max_size=25)
)
def test_labels_equal_a_loop_over_what_follows(moments: list[tuple[int, int, bool, bool]]) -> None:
    rows: list[Row] = [
        (person, FELT if felt else BROWSED, minute, (1.0 if good else -1.0) if felt else NONE, 1.0 if felt else NONE)
        for person, minute, felt, good in sorted(moments)
    ]
    felt, kinds = [], []
    for index, (person, _, minute, _, _) in enumerate(rows):
        after = [row for row in rows[index + 1 :] if row[0] == person and row[2] <= minute + 30]
        reading = next((row for row in after if row[1] == FELT), None)
        felt.append(None if reading is None else f"{'pleasant' if reading[3] > 0 else 'unpleasant'}, excited")
        kinds.append({FELT: "EmotionRead", BROWSED: "PageBrowsed"}[after[0][1]] if after else "nothing")
    assert head(source(rows), "emotion") == felt
    assert head(source(rows), "next_kind") == kinds


def test_the_simulation_writes_no_truth_for_them() -> None:
    made = source([(1, BROWSED, 0, NONE, NONE)])
    truth = pa.table({"ref": pa.array([1], pa.uint64()), "probability": pa.array([0.5], pa.float64())})
    assert np.isnan(true_probabilities(made, truth, ("emotion", "next_kind"))).all()
