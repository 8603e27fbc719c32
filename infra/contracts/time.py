"""Time on the wire: int64 microseconds since the epoch, UTC. Simulated time runs in ticks of one minute."""

import time
from datetime import UTC, datetime

TICK_US = 60_000_000
"""Length of a tick in simulated microseconds (60 s)."""


def tick_of(occurred_at_us: int) -> int:
    """Tick that a simulated time (µs UTC) falls in, counted from the epoch."""
    return occurred_at_us // TICK_US


def wall_us() -> int:
    """The wall clock now, in µs UTC: what `intended_at` is measured on."""
    return time.time_ns() // 1000


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
