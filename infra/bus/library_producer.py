"""The Kafka library's producer, with an end to every wait that the library leaves without one."""

from collections.abc import Callable, Mapping
from typing import Any

from infra.bus.kafka_library import KafkaProducer, KafkaTimeoutError, OffsetAndMetadata, TopicPartition


class LibraryProducer(KafkaProducer):  # type: ignore[misc]  # the library publishes no types
    """Can be closed while records are queued that can no longer be sent, and ends transactions in bounded time.

    The library waits without end for the answer to a request of a transaction, also when its own sender is gone; a
    thread that waits so is never let go. Here each such wait raises KafkaTimeoutError when its seconds are over: the
    outcome is unknown then, and the producer is of no use any more.
    """

    abandoned = False

    def flush(self, timeout: float | None = None) -> None:
        """Wait for what is queued, unless it is given up: `close` begins with this, and would never get further."""
        if not self.abandoned:
            super().flush(timeout)

    def take_over(self, within_s: float) -> None:
        """Initialise transactions, which fences an earlier holder of the transactional id."""
        self._answered(self._transaction_manager.initialize_transactions, within_s)

    def commit(self, within_s: float) -> None:
        """Commit the ongoing transaction."""
        self._answered(self._transaction_manager.begin_commit, within_s)

    def abort(self, within_s: float) -> None:
        """Abort the ongoing transaction."""
        self._answered(self._transaction_manager.begin_abort, within_s)

    def add_offsets(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group: object, within_s: float) -> None:
        """Commit a group's offsets with the ongoing transaction; `group` is the consumer's `group_metadata()`."""
        self._answered(lambda: self._transaction_manager.send_offsets_to_transaction(offsets, group), within_s)

    def _answered(self, ask: Callable[[], Any], within_s: float) -> None:
        result = ask()
        self._sender.wakeup()
        if not result.wait(within_s * 1000):
            raise KafkaTimeoutError(f"no answer within {within_s:.0f} s, the outcome is unknown")
