"""When the archiver writes a file, and when a request to have everything on disk is met. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.contracts.errors import BadInput
from infra.contracts.topics import PARTITIONS, STREAMS

TopicPartition = tuple[str, int]

TRUTH_STREAM = "truth"
"""The stream that goes to a root of its own: training must not be able to see it."""


@dataclass(frozen=True, kw_only=True)
class FlushRule:
    """A file is written when one of these is reached: rows held in memory, or simulated minutes they waited."""

    rows: int = 200_000
    ticks: int = 120

    def due(self, pending_rows: int, oldest_tick: int | None, newest_tick: int | None) -> bool:
        """Tell whether a partition with these rows in memory, from these ticks, is to be written now."""
        if pending_rows == 0 or oldest_tick is None or newest_tick is None:
            return False
        return pending_rows >= self.rows or newest_tick - oldest_tick >= self.ticks


@dataclass(slots=True)
class Waiting:
    """The ticks of the rows that one partition holds in memory."""

    oldest_tick: int | None = None
    newest_tick: int | None = None

    def saw(self, tick: int, *, has_rows: bool) -> None:
        """Note a record of `tick`; one with rows (a frame) starts the waiting."""
        if has_rows and self.oldest_tick is None:
            self.oldest_tick = tick
        if self.newest_tick is None or tick > self.newest_tick:
            self.newest_tick = tick

    def flushed(self) -> None:
        """Note that nothing waits any more."""
        self.oldest_tick = None


def reached(wanted: Mapping[TopicPartition, int], positions: Mapping[TopicPartition, int]) -> bool:
    """Tell whether every wanted next offset has been read; a partition that is not read counts as reached at 0."""
    return all(positions.get(where, 0) >= offset for where, offset in wanted.items())


def parse_offsets(offsets: Mapping[str, int], known: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Read {"topic/partition": next offset} as the API takes it; BadInput for what the archiver does not read."""
    parsed = {}
    for text, offset in offsets.items():
        topic, _, partition = text.rpartition("/")
        where = (topic, int(partition)) if partition.isdigit() else None
        if where is None or where not in known:
            raise BadInput(
                f"{text!r} is no partition the archiver reads: give <topic>/<partition> with a topic of "
                f"{', '.join(STREAMS)} in its namespace and a partition below {PARTITIONS}"
            )
        parsed[where] = offset
    return parsed
