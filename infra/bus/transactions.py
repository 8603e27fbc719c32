"""Consume, transform, produce and commit offsets as one, where the broker does it right.

Outside readers with `read_committed` then see each thing once. Lanes recognise repeats by lineage on any broker; this
is the second layer, for readers who do not.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from infra.bus.clients import DELIVERY_TIMEOUT_MS, REQUEST_TIMEOUT_MS, broker_failed
from infra.bus.consumer import FrameConsumer
from infra.bus.kafka_library import KafkaError, OffsetAndMetadata
from infra.bus.kafka_library import TopicPartition as KafkaPartition
from infra.bus.messages import TopicPartition
from infra.bus.producer import FrameProducer
from infra.bus.ticks import TickBatch
from infra.contracts.errors import EnvironmentFailed

_PATIENCE_S = (DELIVERY_TIMEOUT_MS + REQUEST_TIMEOUT_MS) / 1000 / 2 + 3
"""Twelve seconds: longer than a request may take, so that a broker that answers with an error is heard first."""


class Transactions:
    """The transactions of one lane: one fixed transactional id, the ticks that are ready together in one transaction.

    After an error the outcome is unknown. The lane then ends and a new one, with a new producer under the same id,
    fences this one: the protocol loses or tears transactions otherwise. By the committed offsets a new lane knows which
    ticks it must go through for its state's sake but not write again.
    """

    def __init__(self, bootstrap: str, producer: FrameProducer, consumer: FrameConsumer) -> None:
        self._bootstrap = bootstrap
        self._producer = producer
        self._consumer = consumer

    def open(self) -> None:
        """Take the transactional id over and end what an earlier holder left open; raises EnvironmentFailed."""
        self._bounded("taking over the transactional id", self._producer.kafka.init_transactions)

    def committed(self, inputs: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The committed offset of each input, 0 where there is none; raises EnvironmentFailed."""
        offsets: dict[TopicPartition, int] = {}

        def ask() -> None:
            for where in inputs:
                found = self._consumer.kafka.committed(KafkaPartition(*where), timeout_ms=REQUEST_TIMEOUT_MS)
                offsets[where] = found or 0

        self._bounded("reading committed offsets", ask)
        return offsets

    @contextmanager
    def ticks(self) -> Iterator[list[TickBatch]]:
        """What is sent inside becomes visible together with the offsets of the last tick put in, or not at all."""
        done: list[TickBatch] = []
        with self._transaction():
            yield done
            last = done[-1].offsets
            offsets = {KafkaPartition(*where): OffsetAndMetadata(offset, "", -1) for where, offset in last.items()}
            group = self._consumer.kafka.group_metadata()
            self._bounded(
                "adding offsets to a transaction",
                lambda: self._producer.kafka.send_offsets_to_transaction(offsets, group),
            )

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is sent inside belongs to no tick (dead letters)."""
        with self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        kafka = self._producer.kafka
        self._bounded("beginning a transaction", kafka.begin_transaction)
        try:
            yield
            self._producer.flush()
            self._bounded("committing a transaction", kafka.commit_transaction)
        except EnvironmentFailed:
            raise  # the outcome is unknown, and the next holder of the id ends it
        except BaseException:
            self._bounded("aborting a transaction", kafka.abort_transaction)
            raise

    def _bounded(self, doing: str, call: Callable[[], object]) -> None:
        """Run a call that has no timeout of its own; raises EnvironmentFailed when it fails or takes too long."""
        failures: list[BaseException] = []

        def attempt() -> None:
            try:
                call()
            except BaseException as problem:  # noqa: BLE001 - raised again below, in the thread that asked
                failures.append(problem)

        worker = threading.Thread(target=attempt, name="transaction", daemon=True)
        worker.start()
        worker.join(_PATIENCE_S)
        if worker.is_alive():
            raise broker_failed(self._bootstrap, doing, f"no answer within {_PATIENCE_S:.0f} s, the outcome is unknown")
        if failures and isinstance(failures[0], KafkaError):
            raise broker_failed(self._bootstrap, doing, failures[0]) from failures[0]
        if failures:
            raise failures[0]
