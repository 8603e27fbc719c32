"""When the monitor scores, and what it can say about how it is doing. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Ticks before `score_from_tick` only build people's state (a warm-up); from it on every event is scored."""

    score_from_tick: int = 0

    def scores(self, tick: int) -> bool:
        """Whether the events of a tick are scored."""
        return tick >= self.score_from_tick


@dataclass(frozen=True, kw_only=True)
class Status:
    """How the monitor is doing: the last tick worked on (None before the first), and what it has met so far."""

    tick: int | None
    people: int
    model_version: str
    events_scored: int
    events_ingested: int
    events_refused: int
    events_missing: int
    dropped: Mapping[str, int]


def lag(ends: Mapping[int, int], read: Mapping[int, int]) -> int:
    """Records written but not worked on, from end offsets and next offsets by partition."""
    return sum(max(0, end - read.get(partition, 0)) for partition, end in ends.items())
