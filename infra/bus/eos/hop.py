"""One hop as a process of its own: a lane that passes frames on. `python -m infra.bus.eos.hop JSON`.

It says `ready` when its lane is open, starts at the first line on stdin, and ends with the last tick. Exit code 3 when
the broker failed it.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.bus.broker import Capabilities
from infra.bus.lanes import Lane, LaneConfig, Output
from infra.bus.snapshots import SnapshotStore
from infra.bus.ticks import TickBatch
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame
from infra.contracts.topics import PARTITIONS, Topics

_FETCH_WAIT_MS = 500


@dataclass(frozen=True, kw_only=True)
class Hop:
    """From a stream of one namespace to that of another, `ticks` ticks of these partitions.

    `name` is of its lane, `folder` for its snapshots: a new process of the same hop goes on where the last one ended.
    """

    bootstrap: str
    source: str
    target: str
    ticks: int
    transactions: bool
    folder: str
    name: str = "hop"
    stream: str = "events"
    partitions: tuple[int, ...] = tuple(range(PARTITIONS))
    snapshot_every: int = 240
    transaction_ticks: int = LaneConfig.transaction_ticks

    def as_text(self) -> str:
        """As `main` takes it."""
        return json.dumps(asdict(self))

    def lane(self) -> LaneConfig:
        """Its lane: all settings but `transactions` are the same both ways."""
        return LaneConfig(
            name=self.name,
            namespace=self.target,
            source=self.target,
            bootstrap=self.bootstrap,
            inputs=[(Topics(self.source).of(self.stream), number) for number in self.partitions],
            outputs=[(Topics(self.target).of(self.stream), number) for number in self.partitions],
            capabilities=Capabilities(transactions=self.transactions, fetch_wait_ms=_FETCH_WAIT_MS),
            first_tick=0,
            snapshot_every=self.snapshot_every,
            transaction_ticks=self.transaction_ticks,
        )


class Relay:
    """Writes the rows of every frame again, in frames of its own; its state is how many rows it has seen."""

    def __init__(self, hop: Hop) -> None:
        self._source = hop.target
        self._topic = Topics(hop.target).of(hop.stream)
        self._rows = 0

    def handle(self, batch: TickBatch) -> Sequence[Output]:
        """The same rows in the same partitions."""
        return [self._pass_on(each.partition, each.item) for each in batch.frames]

    def _pass_on(self, partition: int, frame: object) -> Output:
        assert isinstance(frame, Frame)  # noqa: S101 - a batch has frames only
        self._rows += frame.batch.num_rows
        own = Frame(stream=frame.stream, tick=frame.tick, source=self._source, batch=frame.batch)
        return Output(self._topic, partition, own)

    def snapshot(self) -> bytes:
        """Rows seen."""
        return str(self._rows).encode()

    def restore(self, state: bytes) -> None:
        """Rows seen before."""
        self._rows = int(state)


def run(hop: Hop) -> None:
    """Pass on until the last tick; raises EnvironmentFailed."""
    with Lane(hop.lane(), Relay(hop), SnapshotStore(Path(hop.folder))) as lane:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        while lane.tick is None or lane.tick < hop.ticks - 1:
            lane.step(0.2)
        lane.save()


if __name__ == "__main__":
    document = json.loads(sys.argv[1])
    try:
        run(Hop(**document | {"partitions": tuple(document["partitions"])}))
    except EnvironmentFailed as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(3)
