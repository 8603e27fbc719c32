"""Rules of the schedule: open loop, nothing skipped, latency counted from when it was due."""

from dataclasses import dataclass

import numpy as np
import pytest

from load_tests.executions.logs import ArrivedLog, SentLog
from load_tests.executions.pace import drive
from load_tests.measure import Latencies, Window
from load_tests.scenarios.scenario import Slice, make

START_US = 1_000_000
SLICE_US = 50_000


@dataclass
class FakeClock:
    """A clock that only waits move; it says stop from `stop_at_us` on."""

    now: int = 0
    stop_at_us: int = 10**12

    def now_us(self) -> int:
        return self.now

    def wait_until(self, due_us: int) -> bool:
        self.now = max(self.now, due_us)
        return self.now < self.stop_at_us


def slices() -> list[Slice]:
    return list(make("pipeline", {"rate": 200, "seconds": 1, "warmup": 0, "people": 10}).slices(START_US))


def sent_with_a_stall(stall_us: int) -> tuple[SentLog, FakeClock]:
    """A sender that is held up once, in its fifth slice, as by a broker that takes nothing."""
    clock = FakeClock()

    def emit(each: Slice) -> None:
        clock.now += stall_us if each.due_us == START_US + 5 * SLICE_US else 100

    return drive(slices(), emit, clock), clock


def test_every_slice_is_sent_when_it_is_due_and_not_before() -> None:
    sent, _ = sent_with_a_stall(100)
    assert (sent.late_us == 0).all()
    assert (sent.due_us == START_US + SLICE_US * np.arange(1, 21)).all()


def test_a_stalled_sender_skips_nothing_and_keeps_the_schedule_it_was_given() -> None:
    sent, _ = sent_with_a_stall(320_000)
    assert (sent.due_us == START_US + SLICE_US * np.arange(1, 21)).all()
    assert sent.rows.sum() == 200 == len(np.unique(sent.event_id))
    assert sent.late_us[:5].max() == 0
    assert sent.late_us[5:11].tolist() == [270_000 - 49_900 * turn for turn in range(6)]
    assert sent.late_us[11:].max() == 0


def test_a_stalled_sender_shows_in_the_latency_although_every_event_was_answered_at_once() -> None:
    stall_us = 320_000
    sent, _ = sent_with_a_stall(stall_us)
    intended = sent.per_event(sent.due_us)
    at_once = ArrivedLog(row_id=sent.event_id, intended_us=intended, arrived_us=sent.per_event(sent.handed_us))
    latencies = Latencies.of(at_once, Window(START_US, START_US + 1_000_000))
    assert latencies.named_ms("max") == pytest.approx(stall_us / 1000)
    assert (latencies.named_ms("p50") or 0) < 1


def test_told_to_stop_it_sends_nothing_more() -> None:
    emitted: list[Slice] = []
    clock = FakeClock(stop_at_us=START_US + 8 * SLICE_US)
    sent = drive(slices(), emitted.append, clock)
    assert len(emitted) == len(sent.due_us) == 7
    assert len(sent.event_id) == 70


def test_a_load_stopped_before_its_first_slice_has_an_empty_log() -> None:
    sent = drive(slices(), lambda _: None, FakeClock(stop_at_us=0))
    assert len(sent.due_us) == len(sent.event_id) == 0


def test_the_progress_is_the_number_of_events_sent() -> None:
    seen: list[int] = []
    drive(slices(), lambda _: None, FakeClock(), seen.append)
    assert seen == list(range(10, 201, 10))
