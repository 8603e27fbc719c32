"""The time of day runs on evenly, whatever is done to the machine's clock."""

import time

import pytest

from infra.contracts.time import clock_anchor_us, keep_time_with, wall_us

HOUR_NS = 3_600_000_000_000


def test_the_time_of_day_is_that_of_the_machine() -> None:
    assert abs(wall_us() - time.time_ns() // 1000) < 60_000_000


@pytest.mark.parametrize("step_ns", [HOUR_NS, -HOUR_NS])
def test_a_step_of_the_machines_clock_moves_no_latency(monkeypatch: pytest.MonkeyPatch, step_ns: int) -> None:
    intended_at = wall_us()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + step_ns)
    assert 0 <= wall_us() - intended_at < 60_000_000


def test_a_process_keeps_time_with_another() -> None:
    own = clock_anchor_us()
    try:
        keep_time_with(own - HOUR_NS // 1000)
        assert abs(wall_us() + HOUR_NS // 1000 - time.time_ns() // 1000) < 60_000_000
    finally:
        keep_time_with(own)
    assert clock_anchor_us() == own
