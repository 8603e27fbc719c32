"""What a shard does with its rows in a run without services: into Kafka frames, counted and digested as they leave."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from infra.bus import security
from infra.bus.producer import FrameProducer, TickMark
from infra.bus.security import NONE, Security
from infra.contracts.digest import Digest
from infra.contracts.frames import Frame
from infra.contracts.worlds import World
from services.experiments.course import Course
from services.experiments.segments import STREAMS, Segments
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput

_LINGER_MS = 20
_IN_FLIGHT = 32
"""Records under way of one shard: some 20 MB at most."""
_ID_OF = {"events": "event_id", "outcomes": "event_id", "truth": "ref"}


@dataclass
class Tally:
    """Rows by stream, the sum of their ids by stream (modulo 2^64: tells which rows, whatever their order), events by
    world."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    identity: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    worlds: np.ndarray[tuple[int], np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros(max(World) + 1, np.int64)
    )

    def add(self, stream: str, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        self.rows[stream] += batch.num_rows
        ids = batch.column(_ID_OF[stream]).to_numpy()
        self.identity[stream] = (self.identity[stream] + int(ids.sum(dtype=np.uint64))) % 2**64
        if stream == "events":
            self.worlds += np.bincount(batch.column("world").to_numpy(), minlength=len(self.worlds))

    def merge(self, other: "Tally") -> None:
        """Add what another one has counted."""
        for stream in STREAMS:
            self.rows[stream] += other.rows[stream]
            self.identity[stream] = (self.identity[stream] + other.identity[stream]) % 2**64
        self.worlds += other.worlds


@dataclass(frozen=True)
class Published:
    """What a shard has sent."""

    tally: Tally
    digest: Digest
    course: Course


@dataclass(frozen=True, kw_only=True)
class PublishTo:
    """Makes the outlet of a shard, in its process."""

    bootstrap: str
    segments: Segments
    security: Security = NONE

    def __call__(self, index: int) -> "PublishingOutlet":
        """The outlet of the shard with this index."""
        security.use(self.bootstrap, self.security)
        return PublishingOutlet(self, index)


class PublishingOutlet:
    """Sends a tick's rows by partition with tick-ends, into the topics of the tick's segment.

    The only writer of its partitions. Each segment has a producer of its own: one that knew a topic keeps asking for it
    after it is gone.
    """

    def __init__(self, target: PublishTo, index: int) -> None:
        self._target = target
        self._source = f"simulation-{index}"
        self._tally, self._digest, self._course = Tally(), Digest(), Course()
        self._segment = -1
        self._topics: dict[str, str] = {}
        self._producer: FrameProducer | None = None

    def take(self, parts: dict[int, TickOutput], population: Metaverse) -> None:
        """Send one tick, and note how the people are."""
        tick = next(iter(parts.values())).tick
        self._course.add(tick, list(parts.values()), population)
        producer = self._producer_for(self._target.segments.of(tick))
        for partition, output in parts.items():
            self._digest.add_events(output.events)
            for stream, topic in self._topics.items():
                batch: pa.RecordBatch = getattr(output, stream)
                if batch.num_rows:
                    self._tally.add(stream, batch)
                    frame = Frame(stream=stream, tick=tick, source=self._source, batch=batch)
                    producer.send(topic, partition, frame)
                producer.end_tick(topic, partition, TickMark(tick=tick, source=self._source))

    def close(self) -> Published:
        """Everything is with the broker."""
        if self._producer is not None:
            self._producer.flush()
            self._producer.close()
        return Published(self._tally, self._digest, self._course)

    def _producer_for(self, segment: int) -> FrameProducer:
        if self._producer is not None and segment == self._segment:
            return self._producer
        self.close()
        self._segment, self._topics = segment, self._target.segments.topics(segment)
        self._producer = FrameProducer(
            self._target.bootstrap,
            namespace=self._target.segments.namespace,
            client_id=self._source,
            max_in_flight=_IN_FLIGHT,
            linger_ms=_LINGER_MS,
        )
        return self._producer
