"""Rotating topics: a stretch of ticks has topics of its own, which go when they have been read.

The embedded broker keeps everything in memory until a topic is deleted, and a fetch gets slower with every batch that a
topic holds. Many short-lived topics keep both bounded, however long the run.
"""

from dataclasses import dataclass

from infra.contracts.topics import Topics

STREAMS = ("events", "outcomes", "truth")
"""What a population writes by itself."""


@dataclass(frozen=True, kw_only=True)
class Segments:
    """How the ticks of a run are cut: `each` ticks to a segment, from `first_tick` on, `ticks` altogether."""

    namespace: str
    first_tick: int
    ticks: int
    each: int

    @property
    def count(self) -> int:
        """How many segments there are."""
        return -(-self.ticks // self.each)

    def of(self, tick: int) -> int:
        """The segment of a tick."""
        return (tick - self.first_tick) // self.each

    def ticks_of(self, segment: int) -> range:
        """The ticks of a segment."""
        first = self.first_tick + segment * self.each
        return range(first, min(first + self.each, self.first_tick + self.ticks))

    def topics(self, segment: int) -> dict[str, str]:
        """Topic of each stream in a segment."""
        topics = Topics(f"{self.namespace}-{segment:04d}")
        return {stream: topics.of(stream) for stream in STREAMS}
