"""The shapes that parts of the system agree on without importing each other."""

from typing import Protocol, runtime_checkable

import pyarrow as pa


@runtime_checkable
class Snapshotting(Protocol):
    """State that survives a restart: bytes out, bytes in, exactly."""

    def snapshot(self) -> bytes:
        """The whole state as bytes."""
        ...

    def restore(self, state: bytes) -> None:
        """Replace the state by one that `snapshot` gave."""
        ...


class EventScorer(Snapshotting, Protocol):
    """Scores every event it is given, and owns the state behind the scores."""

    def step(self, events: pa.RecordBatch) -> pa.RecordBatch:
        """One SCORE row for each EVENT row, in the same order; rows sorted by (person, seq)."""
        ...

    def ingest(self, events: pa.RecordBatch) -> None:
        """Advance the state without scoring."""
        ...
