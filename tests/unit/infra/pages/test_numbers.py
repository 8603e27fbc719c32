"""Numbers are written so that their digits mean something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.pages import numbers

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (612_408, "612,408"),
        (0, "0"),
        (0.0, "0"),
        (214.2, "214"),
        (0.0123456, "0.0123"),
        (-3.1, "−3.10"),
        (1234.5, "1,234"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_a_number_has_three_significant_digits_and_a_true_minus(value: float | None, text: str) -> None:
    assert numbers.number(value) == text


def test_a_rounded_zero_has_no_sign() -> None:
    assert numbers.number(-0.0004, 2) == "0.00"


def test_an_estimate_has_as_many_digits_as_its_interval_is_wide() -> None:
    assert numbers.estimate(3.1415, 1.2, 5.04) == "3.1 [1.2, 5.0]"
    assert numbers.estimate(0.01784, 0.01511, 0.02043) == "0.0178 [0.0151, 0.0204]"
    assert numbers.estimate(1234.4, 1100.0, 1399.0) == "1,234 [1,100, 1,399]"


def test_an_estimate_without_an_interval_says_so() -> None:
    assert numbers.estimate(3.14, None, None) == "3.14 [no interval]"
    assert numbers.estimate(3.14, float("nan"), 4.0) == "3.14 [no interval]"
    assert numbers.estimate(float("nan"), 1.0, 2.0) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.42, "420 µs"), (0.4, "400 µs"), (12.3, "12 ms"), (1310.4, "1.3 s"), (125_000, "2 min 5 s"), (0, "0 ms")],
)
def test_a_duration_has_the_unit_that_fits_it(value: float, text: str) -> None:
    assert numbers.milliseconds(value) == text


def test_long_durations_are_in_minutes_and_hours() -> None:
    assert numbers.seconds(60) == "1 min"
    assert numbers.seconds(3_780) == "1 h 3 min"


def test_a_count_has_its_noun_in_the_right_number() -> None:
    assert numbers.count(1, "event") == "1 event"
    assert numbers.count(5_000, "person", "people") == "5,000 people"


def test_a_difference_has_a_sign_and_none_at_zero() -> None:
    assert [numbers.signed(value) for value in (0.52, -3.1, 0.0)] == ["+0.520", "−3.10", "0"]


@given(FINITE, FINITE, FINITE)
def test_an_estimate_always_reads_value_low_high(value: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    text = numbers.estimate(value, low, high)
    head, _, interval = text.partition(" [")
    assert head
    assert interval.endswith("]")
