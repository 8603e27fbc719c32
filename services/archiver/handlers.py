"""What happens to each record that the archiver reads: frames to the lake, the undecodable to the dead letters."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from infra.bus.messages import Received, Undecodable
from infra.contracts.frames import Frame
from infra.contracts.topics import PARTITIONS, STREAMS, Topics
from infra.storage.lake import LakeWriter
from infra.telemetry import names
from infra.telemetry.setup import Telemetry
from services.archiver.domain import TRUTH_STREAM, FlushRule, TopicPartition, Waiting

DeadLetter = Callable[[Received, str], None]
"""Sends a record that cannot be handled, with the reason, to the dead letter topic of its topic."""


class Archive:
    """The lake writers of all partitions. For one thread; its counts may be read from others."""

    def __init__(
        self, topics: Topics, roots: tuple[Path, Path], rule: FlushRule, dead_letter: DeadLetter, telemetry: Telemetry
    ) -> None:
        """`roots` are the lake's and the truth's."""
        lake, truth = roots
        self._writers = {
            (topics.of(stream), partition): LakeWriter(truth if stream == TRUTH_STREAM else lake, stream, partition)
            for stream in STREAMS
            for partition in range(PARTITIONS)
        }
        self._waiting = {where: Waiting() for where in self._writers}
        self._rule, self._dead_letter, self._telemetry = rule, dead_letter, telemetry
        self._dead: Counter[str] = Counter()

    def positions(self) -> dict[TopicPartition, int]:
        """Return the offset to read next in every partition."""
        return {where: writer.next_offset() for where, writer in self._writers.items()}

    def handle(self, received: Received) -> None:
        """Take one record; what is due to be written is written before this returns."""
        where = received.where
        writer, waiting = self._writers[where], self._waiting[where]
        match received.item:
            case Frame() as frame:
                fresh = writer.append(frame, received.offset)
                waiting.saw(frame.tick, has_rows=fresh)
            case Undecodable(error):
                self._dead_letter(received, error)
                self._dead[writer.stream] += 1
                self._telemetry.measures.add(names.METRIC_DEAD_LETTERS, 1, {"stream": writer.stream})
                writer.cover(received.offset)
            case end:
                waiting.saw(end.tick, has_rows=False)
                writer.cover(received.offset)
        if self._rule.due(writer.pending_rows, waiting.oldest_tick, waiting.newest_tick):
            self.flush([where])

    def flush(self, partitions: Iterable[TopicPartition] | None = None) -> None:
        """Write what these partitions (all, by default) hold in memory."""
        for where in self._writers if partitions is None else partitions:
            writer = self._writers[where]
            rows = writer.pending_rows
            if rows:
                with self._telemetry.tracer.start_as_current_span(names.FLUSH_LAKE) as span:
                    span.set_attributes({names.CALM_STREAM: writer.stream, names.CALM_ROWS: rows})
                    writer.flush()
                self._telemetry.measures.add(names.METRIC_LAKE_ROWS, rows, {"stream": writer.stream})
                self._telemetry.measures.add(names.METRIC_LAKE_FILES, 1, {"stream": writer.stream})
            self._waiting[where].flushed()

    def counts(self) -> dict[str, dict[str, object]]:
        """Return for each stream: rows on disk and pending, files, repeats dropped, dead letters, next offsets."""
        return {stream: self._counts_of(stream) for stream in STREAMS}

    def _counts_of(self, stream: str) -> dict[str, object]:
        writers = [writer for writer in self._writers.values() if writer.stream == stream]
        return {
            "rows": sum(writer.rows_on_disk for writer in writers),
            "pending": sum(writer.pending_rows for writer in writers),
            "files": sum(writer.files_on_disk for writer in writers),
            "repeats": sum(writer.repeats for writer in writers),
            "undecodable": self._dead[stream],
            "next_offsets": {str(writer.partition): writer.next_offset() for writer in writers},
        }
