"""How long a loop is begun anew that fails for want of its broker or its disk."""

import pytest

from infra.hosting.process import Attempts


def pauses(again: Attempts, begin: float = 0.0) -> list[float]:
    """The pauses of a loop that fails at once, again and again, until that is final."""
    found, now = [], begin
    while (pause := again.pause_after(now)) is not None:
        found.append(pause)
        now += pause
    return found


def test_without_patience_the_first_failure_is_final() -> None:
    assert Attempts(0).pause_after(5.0) is None


def test_pauses_grow_and_end_when_patience_does() -> None:
    found = pauses(Attempts(30))
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0.2, 5.0)
    assert 30 <= sum(found) < 36


def test_who_went_well_for_long_begins_with_new_patience() -> None:
    again = Attempts(30)
    assert again.pause_after(0.0) == pytest.approx(0.2)
    assert again.pause_after(20.0) == pytest.approx(0.4)
    assert again.pause_after(60.0) == pytest.approx(0.2)
    assert pauses(again, 60.5)


def test_who_works_now_and_then_only_is_given_up() -> None:
    again = Attempts(30)
    assert [again.pause_after(now) is None for now in (0.0, 12.0, 24.0, 36.0)] == [False, False, False, True]
