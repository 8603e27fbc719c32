"""Keeping the schedule: each slice is sent when it is due, or at once when that has passed. Nothing is ever skipped."""

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from infra.contracts.draws import U64Array
from infra.contracts.time import wall_us
from load_tests.executions.logs import SentLog
from load_tests.scenarios.scenario import Slice


class Clock(Protocol):
    """The wall clock, as the schedule needs it."""

    def now_us(self) -> int:
        """Now, µs."""
        ...

    def wait_until(self, due_us: int) -> bool:
        """Wait until then (not at all when it has passed); False when the load is to stop."""
        ...


class WallClock:
    """The machine's wall clock, whose waits end when `stopped` is set."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped

    def now_us(self) -> int:
        """Now, µs UTC."""
        return wall_us()

    def wait_until(self, due_us: int) -> bool:
        """Wait until then; False as soon as the load is to stop."""
        return not self._stopped.wait(max(0.0, (due_us - wall_us()) / 1e6))


def drive(
    slices: Iterable[Slice],
    emit: Callable[[Slice], None],
    clock: Clock,
    progress: Callable[[int], None] = lambda _: None,
) -> SentLog:
    """Emit every slice at its due time and log when it was; ends early when the clock says stop.

    Open loop: nothing here waits for an answer. A slice is built before the wait for it, so that building makes it late
    only where it takes longer than a slice lasts. `progress` gets the number of events sent so far.
    """
    times: list[tuple[int, int, int, int]] = []
    ids: list[U64Array] = []
    sent = 0
    for each in slices:
        if not clock.wait_until(each.due_us):
            break
        begun = clock.now_us()
        emit(each)
        times.append((each.due_us, begun, clock.now_us(), each.rows))
        ids.extend(batch.column("event_id").to_numpy() for batch in each.parts.values())
        sent += each.rows
        progress(sent)
    due, begun_us, handed, rows = np.array(times, dtype=np.int64).reshape(-1, 4).T
    event_id = np.concatenate(ids) if ids else np.zeros(0, dtype=np.uint64)
    return SentLog(due_us=due, begun_us=begun_us, handed_us=handed, rows=rows, event_id=event_id)
