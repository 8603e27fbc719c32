"""Time on the wire: int64 microseconds since the epoch, UTC. Simulated time runs in ticks of one minute."""

import time
from datetime import UTC, datetime
from typing import Final

TICK_US = 60_000_000
"""Length of a tick in simulated microseconds (60 s)."""


def tick_of(occurred_at_us: int) -> int:
    """Tick that a simulated time (µs UTC) falls in, counted from the epoch."""
    return occurred_at_us // TICK_US


_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock of the machine that nobody sets, which also runs while it sleeps."""


def _steady_us() -> int:
    return time.clock_gettime_ns(_STEADY) // 1000


class _Wall:
    """What is added to the steady clock to have the time of day, µs."""

    def __init__(self) -> None:
        self.anchor_us = time.time_ns() // 1000 - _steady_us()


_wall = _Wall()


def wall_us() -> int:
    """The time of day, in µs UTC: what `intended_at` is measured on.

    Read once per process and run on by a clock that nobody sets: when the machine's time is corrected while a system
    runs, no latency jumps. Processes of one machine agree to the microsecond once they share an anchor.
    """
    return _wall.anchor_us + _steady_us()


def clock_anchor_us() -> int:
    """What this process adds to the machine's steady clock; for `keep_time_with` of the processes that it starts."""
    return _wall.anchor_us


def keep_time_with(anchor_us: int) -> None:
    """From now on `wall_us` agrees with the process (of this machine) that has this anchor."""
    _wall.anchor_us = anchor_us


def parse_us(text: str) -> int:
    """ISO 8601 text as µs UTC; a time without an offset is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def isoformat(us: int) -> str:
    """µs UTC as ISO 8601 text with microseconds."""
    seconds, micros = divmod(us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros).isoformat()
