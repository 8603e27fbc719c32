"""The thread in which a watched population lives, at the pace that the page asks for."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from services.experiments.inprocess import Mind, run_closed
from services.experiments.watch.picture import look
from simulation.core.model import Metaverse

LOOK_SECONDS: Final = 0.5
KEPT: Final = 1_440
"""Looks that are kept for a page that is opened later."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Simulated minutes a second; 0 stands still, None is as fast as it goes."""

    minutes_per_second: float | None = 30.0


class WatchedPopulation:
    """Lives until `stop` is set or `ticks` are over; `since`, `pace` and `change` are for any other thread."""

    def __init__(self, population: Metaverse, mind: Mind, ticks: int, pace: Pace) -> None:
        self._population, self._mind, self._ticks = population, mind, ticks
        self._pace = pace
        self._changed = threading.Condition()
        self._stopped = False
        self._looks: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._offers = 0
        self._speed = 0.0
        self.failure: BaseException | None = None

    @property
    def pace(self) -> Pace:
        """How fast it is meant to run."""
        return self._pace

    def change(self, pace: Pace) -> None:
        """Run at another pace from now on."""
        with self._changed:
            self._pace = pace
            self._changed.notify_all()

    def stop(self) -> None:
        """End after the minute that is being lived."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def since(self, tick: int) -> dict[str, Any]:
        """The looks after a tick, oldest first, the pace it keeps, and whether the days are over."""
        looks = [each for each in list(self._looks) if each["tick"] > tick]
        return {
            "looks": looks,
            "minutes_per_second": round(self._speed, 1),
            "pace": self._pace.minutes_per_second,
            "over": self._ticks == 0,
        }

    def run(self) -> None:
        """Live minute after minute; what goes wrong is kept in `failure`."""
        try:
            self._live()
        except BaseException as error:  # noqa: BLE001 - kept, for the main thread to raise
            self.failure = error

    def _live(self) -> None:
        looked, lived = time.perf_counter(), 0
        due = looked
        while self._ticks and self._wait_until(due):
            self._offers += run_closed(self._population, self._mind, 1)
            self._ticks -= 1
            lived += 1
            now = time.perf_counter()
            due = self._next(due, now)
            if now - looked >= LOOK_SECONDS or self._ticks == 0:
                self._speed = lived / (now - looked)
                self._looks.append(look(self._population, self._offers))
                looked, lived = time.perf_counter(), 0

    def _next(self, due: float, now: float) -> float:
        rate = self._pace.minutes_per_second
        # A minute that took too long is not made up for: a page that was paused would rush.
        return now if not rate else max(due + 1.0 / rate, now)

    def _wait_until(self, due: float) -> bool:
        """Wait for the next minute's time, and while it is paused; False when it is to stop."""
        with self._changed:
            while not self._stopped:
                paused = self._pace.minutes_per_second == 0
                remaining = due - time.perf_counter()
                if not paused and remaining <= 0:
                    return True
                self._changed.wait(None if paused else remaining)
        return False
