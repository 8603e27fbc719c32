"""Rules of accuracies: intervals by Wilson, differences in pairs."""

import numpy as np
import pytest

from models.evaluation.accuracy import accuracy, difference


def rows(pattern: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([sign == "1" for sign in pattern])


def test_the_interval_is_wilsons() -> None:
    found = accuracy(rows("1" * 81 + "0" * 182))
    # 81 of 263: Newcombe 1998, Statistics in Medicine 17, table I, method 3
    assert found.ci_low == pytest.approx(0.2553, abs=5e-5)
    assert found.ci_high == pytest.approx(0.3662, abs=5e-5)


def test_a_difference_counts_the_rows_that_one_alone_has_right() -> None:
    found = difference(rows("1111110"), rows("1100001"), seed=1)
    assert (found.only_first, found.only_second) == (4, 1)
    assert found.value == pytest.approx(3 / 7)
    assert found.p_value == pytest.approx(2 * (1 + 5) / 2**5)
    assert found.ci_low < found.value < found.ci_high


def test_equal_classifiers_differ_by_nothing() -> None:
    found = difference(rows("1010"), rows("1010"), seed=1)
    assert (found.value, found.ci_low, found.ci_high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
