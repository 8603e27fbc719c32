"""Rules of the labels and of their true probabilities, against sums written out by hand."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from infra.contracts.records import OUTCOME
from models.attention.catalog import LabelSource
from models.training.labels import label, label_source, true_probabilities
from tests.support.activity import START_US, event_batch

MINUTE_US = 60_000_000
SHOWN, ACTED = int(EventKind.ITEM_SHOWN), int(EventKind.ITEM_ACTED)
LAST = 120  # minute of a closing event, so that the data covers what the tests look at


def source(
    rows: list[tuple[int, int, float, int]],
    checks: list[tuple[int, float, bool]] | None = None,
    horizon_min: float | None = 30,
) -> LabelSource:
    """rows: (person, kind, minute, in_reply_to) with event ids 1, 2, …; checks: (person, minute, passed)."""
    events = event_batch(
        {
            "event_id": np.arange(1, len(rows) + 2),
            "person": [row[0] for row in rows] + [99],
            "seq": np.arange(len(rows) + 1),
            "kind": [row[1] for row in rows] + [int(EventKind.PAGE_BROWSED)],
            "occurred_at": [START_US + int(row[2] * MINUTE_US) for row in rows] + [START_US + LAST * MINUTE_US],
            "in_reply_to": [row[3] for row in rows] + [0],
        }
    )
    horizon_us = None if horizon_min is None else int(horizon_min * MINUTE_US)
    return label_source(pa.Table.from_batches([events]), outcomes(checks or []), horizon_us)


def outcomes(checks: list[tuple[int, float, bool]]) -> pa.Table:
    columns = {
        "event_id": np.arange(1_000, 1_000 + len(checks)),
        "person": [check[0] for check in checks],
        "seq": np.arange(len(checks)),
        "kind": np.full(len(checks), int(EventKind.ATTENTION_CHECKED)),
        "world": np.zeros(len(checks)),
        "occurred_at": [START_US + int(check[1] * MINUTE_US) for check in checks],
        "intended_at": np.zeros(len(checks)),
        "passed": [check[2] for check in checks],
        "reaction_ms": np.zeros(len(checks)),
        "span": np.zeros(len(checks)),
    }
    arrays = [pa.array(np.asarray(columns[f.name]).astype(f.type.to_pandas_dtype()), f.type) for f in OUTCOME.arrow]
    return pa.Table.from_arrays(arrays, schema=OUTCOME.arrow)


def head(made: LabelSource, name: str) -> list[float | None]:
    """Labels of the rows (without the closing one), None where censored."""
    table = label(made, (name,))
    pairs = zip(table.value[:-1, 0], table.known[:-1, 0], strict=True)
    return [float(value) if known else None for value, known in pairs]


def test_an_exposure_is_positive_when_it_is_answered_within_the_horizon() -> None:
    made = source([(1, SHOWN, 0, 0), (1, ACTED, 30, 1), (1, SHOWN, 40, 0), (1, ACTED, 70.1, 3), (1, SHOWN, 80, 0)])
    assert head(made, "interaction") == [1.0, None, 0.0, None, 0.0]


def test_without_a_horizon_any_later_answer_counts_and_nothing_is_censored() -> None:
    made = source([(1, SHOWN, 0, 0), (1, SHOWN, 1, 0), (1, ACTED, 119, 1)], horizon_min=None)
    assert head(made, "interaction") == [1.0, 0.0, None]


def test_an_exposure_near_the_end_of_the_data_is_censored_answered_or_not() -> None:
    made = source([(1, SHOWN, LAST - 29, 0), (1, ACTED, LAST - 28, 1), (1, SHOWN, LAST - 20, 0)])
    assert head(made, "interaction") == [None, None, None]


def test_an_answer_of_somebody_else_or_to_something_unknown_does_not_count() -> None:
    made = source([(1, SHOWN, 0, 0), (2, ACTED, 1, 1), (2, ACTED, 2, 777)])
    assert head(made, "interaction") == [0.0, None, None]


def test_a_lapse_is_any_failed_check_within_ten_minutes_after_the_event() -> None:
    moments = [(1, SHOWN, minute, 0) for minute in (0, 5, 9.9, 15, 25)]
    made = source(moments, [(1, 10, True), (1, 15, False)])
    # A check at the very moment does not count, one exactly ten minutes later does.
    assert head(made, "lapse") == [0.0, 1.0, 1.0, None, None]


def test_checks_of_other_people_do_not_count() -> None:
    assert head(source([(1, SHOWN, 0, 0)], [(2, 5, False)]), "lapse") == [None]


def test_a_lapse_whose_window_ends_after_the_data_is_censored() -> None:
    made = source([(1, SHOWN, LAST - 9, 0)], [(1, LAST - 5, False)])
    assert head(made, "lapse") == [None]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60)), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 70), st.booleans()), max_size=30),
)
def test_lapse_labels_equal_a_loop_over_people_and_checks(
    moments: list[tuple[int, int]], checks: list[tuple[int, float, bool]]
) -> None:
    made = source([(person, SHOWN, minute, 0) for person, minute in sorted(moments)], sorted(checks))
    expected: list[float | None] = []
    for person, minute in sorted(moments):
        mine = [passed for who, when, passed in checks if who == person and minute < when <= minute + 10]
        expected.append(float(not all(mine)) if mine else None)
    assert head(made, "lapse") == expected


def truth(rows: dict[int, float]) -> pa.Table:
    """True probabilities by event id, with a row of latent state among them."""
    return pa.table(
        {
            "ref": pa.array([0, *rows], pa.uint64()),
            "probability": pa.array([np.nan, *rows.values()], pa.float64()),
        }
    )


def true(made: LabelSource, rows: dict[int, float], name: str) -> NDArray[np.float64]:
    return true_probabilities(made, truth(rows), (name,))[:-1, 0]


def test_the_truth_of_an_exposure_is_its_own_probability() -> None:
    made = source([(1, SHOWN, 0, 0), (1, SHOWN, 1, 0)])
    np.testing.assert_allclose(true(made, {1: 0.25}, "interaction"), [0.25, np.nan])


def test_the_truth_of_a_lapse_is_the_chance_that_any_check_in_the_window_fails() -> None:
    made = source([(1, SHOWN, 0, 0), (1, SHOWN, 6, 0), (1, SHOWN, 30, 0)], [(1, 5, True), (1, 9, False), (1, 35, True)])
    expected = [1 - 0.9 * 0.5, 0.5, np.nan]  # nothing is known of the third check
    np.testing.assert_allclose(true(made, {1_000: 0.1, 1_001: 0.5}, "lapse"), expected)
