"""A deterministic handler and readers, for tests of the bus."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from infra.bus.broker import Broker, Capabilities
from infra.bus.consumer import FrameConsumer, end_offsets
from infra.bus.lanes import LaneConfig, Output
from infra.bus.messages import Received
from infra.bus.producer import FrameProducer, TickMark
from infra.bus.ticks import TickBatch, TickGate
from infra.contracts.frames import Frame
from infra.contracts.records import SCORE
from infra.contracts.topics import PARTITIONS, Topics

WITHIN_S = 180.0
EMBEDDED = Capabilities(transactions=False, fetch_wait_ms=5)


def need_transactions(broker: Broker) -> None:
    """Skip on a broker without them."""
    if not broker.capabilities.transactions:
        pytest.skip(f"THE {broker.kind.upper()} BROKER HAS NO TRANSACTIONS TO RELY ON: it runs on lineage alone")


def partitions_of(topic: str) -> list[tuple[str, int]]:
    return [(topic, partition) for partition in range(PARTITIONS)]


class Numbering:
    """Answers each row with a score whose `event_id` is the row's ordinal of all times: lost or doubled work shows."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self.seen = 0

    def handle(self, batch: TickBatch) -> Sequence[Output]:
        outputs = []
        for received in batch.frames:
            assert isinstance(received.item, Frame)
            rows = received.item.batch.num_rows
            scores = numbered(self.seen, rows)
            self.seen += rows
            frame = Frame(stream="scores", tick=batch.tick, source="numbering", batch=scores)
            outputs.append(Output(self._topics.scores, received.partition, frame))
        return outputs

    def snapshot(self) -> bytes:
        return str(self.seen).encode()

    def restore(self, state: bytes) -> None:
        self.seen = int(state)


def numbered(first: int, rows: int) -> pa.RecordBatch:
    """SCORE rows with `event_id` counting up from `first`."""
    columns = [pa.array(np.zeros(rows, dtype=field.type.to_pandas_dtype()), field.type) for field in SCORE.arrow]
    columns[0] = pa.array(np.arange(first, first + rows, dtype=np.uint64))
    return pa.RecordBatch.from_arrays(columns, schema=SCORE.arrow)


def numbering_config(topics: Topics, bootstrap: str, capabilities: Capabilities = EMBEDDED) -> LaneConfig:
    """A lane over all of events; it saves its state after every third tick."""
    return LaneConfig(
        name="numbering",
        namespace=topics.namespace,
        source="numbering",
        bootstrap=bootstrap,
        inputs=partitions_of(topics.events),
        outputs=partitions_of(topics.scores),
        capabilities=capabilities,
        snapshot_every=3,
    )


def send_tick(producer: FrameProducer, topics: Topics, tick: int, batches: Sequence[pa.RecordBatch]) -> None:
    """One frame a partition (as far as there are batches), and a tick-end in all of them."""
    for partition in range(PARTITIONS):
        if partition < len(batches):
            frame = Frame(stream="events", tick=tick, source="test", batch=batches[partition])
            producer.send(topics.events, partition, frame)
        producer.end_tick(topics.events, partition, TickMark(tick, "test"))


def read_all(bootstrap: str, topic: str, *, committed_only: bool = False) -> list[Received]:
    """Every record of a topic (or every committed one), by partition and offset."""
    ends = {(topic, partition): end for partition, end in end_offsets(bootstrap, topic).items() if end}
    with FrameConsumer(bootstrap, client_id="test-reader", committed_only=committed_only) as consumer:
        consumer.assign(dict.fromkeys(ends, 0))
        found = list(consumer.read_to(ends))
    return sorted(found, key=lambda received: (received.partition, received.offset))


def released(received: Sequence[Received], topic: str) -> list[TickBatch]:
    """What a gate makes of the records."""
    gate = TickGate(partitions_of(topic))
    for each in received:
        gate.offer(each)
    return list(gate.release())


def numbers_of(batches: Sequence[TickBatch]) -> list[int]:
    """`event_id` of every score, in the order of release."""
    frames = [received.item for batch in batches for received in batch.frames]
    return [number for frame in frames if isinstance(frame, Frame) for number in frame.batch.column(0).to_pylist()]
