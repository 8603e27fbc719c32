"""Rules of lag."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.lag import mean_lag, trend

SECONDS = np.arange(20, dtype=np.float64)

moments = st.lists(st.integers(0, 4_000_000), max_size=40).map(lambda values: np.array(values, dtype=np.int64))


@given(moments, moments)
def test_the_mean_lag_of_a_window_is_the_time_average_of_sent_less_scored(sent: np.ndarray, scored: np.ndarray) -> None:
    edges = np.array([500_000, 1_500_000, 2_500_000], dtype=np.int64)
    got = mean_lag(sent, scored, edges)
    for window, (low, high) in enumerate(itertools.pairwise(edges)):
        here = (
            np.clip(high - np.maximum(sent, low), 0, None).sum()
            - np.clip(high - np.maximum(scored, low), 0, None).sum()
        )
        assert got[window] == pytest.approx(here / (high - low), abs=1e-6)


def test_events_that_take_a_tenth_of_a_second_are_a_lag_of_a_tenth_of_the_rate() -> None:
    sent = 1_700_000_000_000_000 + np.arange(0, 5_000_000, 1_000, dtype=np.int64)
    edges = sent[0] + 1_000_000 * np.arange(1, 5, dtype=np.int64)
    assert mean_lag(sent, sent + 100_000, edges) == pytest.approx([100, 100, 100], abs=1)


def test_lag_that_stays_does_not_grow_however_it_shakes() -> None:
    shaken = 1_000 + 400 * np.sin(np.arange(30) * 2.1)
    assert trend(shaken, rate=10_000).grows is False


def test_a_system_that_serves_97_of_100_events_has_growing_lag() -> None:
    found = trend(300.0 * SECONDS + 50 * np.cos(SECONDS * 2.5), rate=10_000)
    assert found.grows is True
    assert found.slope == pytest.approx(300, rel=0.02)


def test_a_growth_of_less_than_one_event_in_a_hundred_is_no_growth() -> None:
    assert trend(99.0 * SECONDS, rate=10_000).grows is False
    assert trend(101.0 * SECONDS, rate=10_000).grows is True


def test_a_single_late_burst_is_no_growth() -> None:
    burst = np.zeros(20)
    burst[17] = 3_000.0
    assert trend(burst, rate=1_000).grows is False


def test_lag_that_is_worked_off_does_not_grow() -> None:
    assert trend(5_000.0 - 200.0 * SECONDS, rate=1_000).grows is False


@pytest.mark.parametrize("seconds", [0, 1, 4])
def test_a_few_seconds_say_nothing(seconds: int) -> None:
    found = trend(1_000.0 * SECONDS[:seconds], rate=10)
    assert (found.slope, found.error, found.grows) == (None, None, None)
