"""Rules of counting and of latency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.executions.logs import ArrivedLog, SentLog, load_arrived, load_sent, save
from load_tests.measure import Census, Latencies, Window, census, first_arrivals, series

S = 1_000_000


def sent_log(ids: list[int], per_slice: int = 1) -> SentLog:
    """Slices of `per_slice` events, one each 100 ms from 1.1 s on, begun on time and handed over 1 ms later."""
    count = -(-len(ids) // per_slice)
    due = S + 100_000 * np.arange(1, count + 1, dtype=np.int64)
    rows = np.full(count, per_slice, dtype=np.int64)
    return SentLog(due_us=due, begun_us=due, handed_us=due + 1_000, rows=rows, event_id=np.array(ids, dtype=np.uint64))


def arrived_log(rows: list[tuple[int, int, int]]) -> ArrivedLog:
    ids, intended, arrived = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return ArrivedLog(row_id=ids.astype(np.uint64), intended_us=intended, arrived_us=arrived)


def answered(sent: SentLog, after_us: int) -> ArrivedLog:
    due = sent.per_event(sent.due_us)
    return ArrivedLog(row_id=sent.event_id, intended_us=due, arrived_us=due + after_us)


def test_each_event_scored_once_is_neither_lost_nor_duplicated() -> None:
    sent = sent_log([5, 6, 7])
    assert census(sent, answered(sent, 10)) == Census(sent=3, scored=3, lost=0, duplicated=0, unknown=0)


def test_a_duplicate_does_not_make_up_for_a_lost_event() -> None:
    scores = arrived_log([(5, S, S), (5, S, S), (6, S, S), (99, S, S), (99, S, S)])
    assert census(sent_log([5, 6, 7]), scores) == Census(sent=3, scored=2, lost=1, duplicated=1, unknown=1)


def test_nothing_sent_is_nothing_lost() -> None:
    assert census(SentLog.empty(), ArrivedLog.empty()) == Census(sent=0, scored=0, lost=0, duplicated=0, unknown=0)


def test_the_latency_of_an_event_is_that_of_its_first_score() -> None:
    log = arrived_log([(5, 2 * S, 2 * S + 900), (6, 2 * S, 2 * S + 500), (5, 2 * S, 2 * S + 300)])
    first = first_arrivals(log)
    assert dict(zip(first.row_id.tolist(), (first.arrived_us - 2 * S).tolist(), strict=True)) == {5: 300, 6: 500}


def test_only_events_intended_within_the_window_are_measured_whenever_they_arrive() -> None:
    log = arrived_log([(1, 2 * S, 2 * S + 1), (2, 2 * S + 1, 9 * S), (3, 3 * S, 3 * S + 3), (4, 3 * S + 1, 4 * S)])
    assert Latencies.of(log, Window(2 * S, 3 * S)).sorted_us.tolist() == [3, 7 * S - 1]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=200), st.floats(0.1, 100))
def test_a_percentile_is_the_smallest_observed_value_that_so_many_do_not_exceed(
    values: list[int], share: float
) -> None:
    latencies = Latencies(np.sort(np.array(values, dtype=np.int64)))
    found = (latencies.percentile_ms(share) or 0.0) * 1000
    below = sum(value < round(found) for value in values)
    upto = sum(value <= round(found) for value in values)
    assert round(found) in values
    assert upto >= share / 100 * len(values) - 1e-6
    assert below < share / 100 * len(values) + 1e-6


def test_without_observations_there_is_no_percentile() -> None:
    nothing = Latencies(np.zeros(0, dtype=np.int64))
    assert nothing.document() == {"count": 0, "p50": None, "p95": None, "p99": None, "p99.9": None, "max": None}


def test_the_series_has_each_measured_second_with_its_latency_lag_and_counts() -> None:
    sent = sent_log(list(range(1, 61)), per_slice=2)  # 20 events/s for 3 s
    found = series(sent, answered(sent, 51_000), Window(2 * S, 4 * S))
    assert [entry["second"] for entry in found] == [0, 1]
    for entry in found:
        assert entry["p50"] == entry["p99"] == 51.0
        assert entry["sent"] == entry["received"] == 20
        assert entry["lag"] == pytest.approx(20 * 0.050, abs=0.05)


def test_a_second_in_which_nothing_arrives_still_stands_in_the_series() -> None:
    found = series(sent_log(list(range(1, 31))), ArrivedLog.empty(), Window(S, 4 * S))
    assert [(entry["p99"], entry["received"]) for entry in found] == [(None, 0)] * 3
    assert found[-1]["lag"] > found[0]["lag"]


def test_logs_come_back_from_disk_as_they_were(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("logs") / "load.npz"
    sent = sent_log([1, 2, 3])
    save(path, {"sent": sent, "scores": answered(sent, 7)})
    assert all(np.array_equal(getattr(load_sent(path), name), values) for name, values in vars(sent).items())
    assert load_arrived(path, "scores").arrived_us.tolist() == (sent.due_us + 7).tolist()


def test_a_log_that_was_never_written_is_empty(tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = tmp_path_factory.mktemp("logs") / "nothing.npz"
    assert len(load_sent(missing).due_us) == len(load_arrived(missing, "scores").row_id) == 0
