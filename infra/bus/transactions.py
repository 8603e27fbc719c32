"""Consume, transform, produce and commit offsets as one, where the broker does it right.

Outside readers with `read_committed` then see each thing once. Lanes recognise repeats by lineage on any broker; this
is the second layer, for readers who do not.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from infra.bus.clients import DELIVERY_TIMEOUT_MS, REQUEST_TIMEOUT_MS, broker_errors
from infra.bus.consumer import FrameConsumer
from infra.bus.kafka_library import OffsetAndMetadata
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
        with self._errors("taking over the transactional id"):
            self._producer.kafka.take_over(_PATIENCE_S)

    def committed(self, inputs: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The committed offset of each input, 0 where there is none; raises EnvironmentFailed."""
        offsets: dict[TopicPartition, int] = {}
        with self._errors("reading committed offsets"):
            for where in inputs:
                found = self._consumer.kafka.committed(KafkaPartition(*where), timeout_ms=REQUEST_TIMEOUT_MS)
                offsets[where] = found or 0
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
            with self._errors("adding offsets to a transaction"):
                self._producer.kafka.add_offsets(offsets, group, _PATIENCE_S)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is sent inside belongs to no tick (dead letters)."""
        with self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        kafka = self._producer.kafka
        with self._errors("beginning a transaction"):
            kafka.begin_transaction()
        try:
            yield
            self._producer.flush()
            with self._errors("committing a transaction"):
                kafka.commit(_PATIENCE_S)
        except EnvironmentFailed:
            raise  # the outcome is unknown, and the next holder of the id ends it
        except BaseException:
            with self._errors("aborting a transaction"):
                kafka.abort(_PATIENCE_S)
            raise

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return broker_errors(self._bootstrap, doing)
