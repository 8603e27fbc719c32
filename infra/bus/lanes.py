"""A lane: one handler, fed tick by tick, its outputs written with their lineage, its state kept with its offsets."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from types import TracebackType
from typing import Protocol, Self

from opentelemetry.trace import Tracer

from infra.bus.broker import Capabilities
from infra.bus.consumer import FrameConsumer
from infra.bus.deadletters import DeadLetters
from infra.bus.messages import Received, TopicPartition, Undecodable
from infra.bus.producer import FrameProducer, TickMark
from infra.bus.snapshots import Snapshot, SnapshotStore
from infra.bus.ticks import TickBatch, TickGate
from infra.bus.tracing import process_span
from infra.bus.transactions import Transactions
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame
from infra.contracts.ports import Snapshotting

_TRANSACTION_S = 0.5
"""A transaction costs about the same however much is in it, on three nodes some ten times a tick's frames; but readers
wait for its end."""


@dataclass(frozen=True)
class Output:
    """A frame to write. Its lineage, where empty, is filled in by the lane: everything of the tick."""

    topic: str
    partition: int
    frame: Frame


_Done = tuple[TickBatch, Sequence[Output]]


class Handler(Snapshotting, Protocol):
    """What a lane hosts: deterministic in its state and the ticks it is given, in order, each once."""

    def handle(self, batch: TickBatch) -> Sequence[Output]:
        """Work on one tick; the frames to write for it."""
        ...


@dataclass(frozen=True, kw_only=True)
class LaneConfig:
    """Which partitions a lane reads and writes, and how.

    `name` is fixed for ever within a namespace: snapshots, consumer group and transactional id carry it. `outputs` are
    the partitions this lane is the only writer of; each gets a tick-end of `source` for every tick. `start` holds the
    offsets to begin at where there is no snapshot (0 by default), `first_tick` the tick expected there (default: any).
    Ticks before `silent_before` only build state: nothing is written of them, not even their end. Of the ticks that are
    ready together, up to `transaction_ticks` go into one transaction.
    """

    name: str
    namespace: str
    source: str
    bootstrap: str
    inputs: Sequence[TopicPartition]
    outputs: Sequence[TopicPartition] = ()
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(transactions=False, fetch_wait_ms=5))
    start: Mapping[TopicPartition, int] = field(default_factory=dict)
    first_tick: int | None = None
    silent_before: int | None = None
    snapshot_every: int = 60
    transaction_ticks: int = 200
    stalled_after_s: float = 60.0

    @property
    def client_id(self) -> str:
        """Name of the lane on the broker: client, group and transactional id."""
        return f"calm.{self.namespace}.{self.name}"


@dataclass(frozen=True, kw_only=True)
class LaneHooks:
    """What a host may add: a tracer, a screen that says why a frame cannot be handled, a call after every tick."""

    tracer: Tracer | None = None
    screen: Callable[[Received], str | None] | None = None
    after_tick: Callable[[TickBatch, Sequence[Output]], None] | None = None


class Lane:
    """Runs a handler over its inputs; a context manager, for one thread.

    Opening restores the last snapshot and reads on from its offsets. What was written after it is written again, equal
    in source, tick and frame id: readers recognise it. With a broker that does transactions right, outputs and offsets
    are committed as one, and nothing is written again.

    Raises EnvironmentFailed when the broker is gone (within about ten seconds) or when a tick cannot be completed for
    `stalled_after_s`; whatever the handler raises goes through. A lane that raised is closed, and a new one is made.
    """

    def __init__(
        self,
        config: LaneConfig,
        handler: Handler,
        snapshots: SnapshotStore | None = None,
        hooks: LaneHooks | None = None,
    ) -> None:
        self._config = config
        self._handler = handler
        self._snapshots = snapshots
        self._hooks = hooks or LaneHooks()
        self._gate = TickGate(config.inputs, first_tick=config.first_tick)
        self._unsaved = 0
        self._written: dict[TopicPartition, int] = {}
        self._well_at = time.monotonic()

    @property
    def tick(self) -> int | None:
        """The last tick worked on; None before the first."""
        return self._gate.tick

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many records were dropped, by reason (see TickGate)."""
        return self._gate.dropped

    @property
    def dead_letters(self) -> int:
        """How many records were put aside since the lane was opened."""
        return self._letters.written

    def __enter__(self) -> Self:
        config, transactional = self._config, self._config.capabilities.transactions
        group = config.client_id if transactional else None
        self._producer = FrameProducer(
            config.bootstrap,
            namespace=config.namespace,
            client_id=config.client_id,
            tracer=self._hooks.tracer,
            transactional_id=group,
        )
        try:
            self._consumer = FrameConsumer(
                config.bootstrap,
                client_id=config.client_id,
                fetch_max_wait_ms=config.capabilities.fetch_wait_ms,
                group_id=group,
            )
        except BaseException:
            self._producer.close()
            raise
        try:
            self._open(transactional)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then save a snapshot."""
        while not stop.is_set():
            self.step(0.2)
        self.save()

    def step(self, timeout_s: float) -> int:
        """Read once, waiting up to `timeout_s`, and work on the ticks that are complete; how many."""
        received = [self._screened(each) for each in self._consumer.poll(timeout_s)]
        self._bury([each for each in received if isinstance(each.item, Undecodable)])
        for each in received:
            self._gate.offer(each)
        done, ready = 0, self._gate.release()
        while worked := self._work(ready):
            done += worked
        self._producer.check()
        self._require_progress()
        return done

    def save(self) -> None:
        """Save state and offsets, once everything written is acknowledged; raises EnvironmentFailed."""
        if self._snapshots is None:
            self._unsaved = 0
        if self._snapshots is None or self._unsaved == 0:
            return
        self._producer.flush()
        snapshot = Snapshot(namespace=self._config.namespace, gate=self._gate.state(), state=self._handler.snapshot())
        self._snapshots.save(self._config.name, snapshot)
        self._unsaved = 0

    def close(self) -> None:
        """Close the connections; saves nothing."""
        self._consumer.close()
        self._producer.close()

    def _open(self, transactional: bool) -> None:
        self._letters = DeadLetters(self._producer)
        self._restore()
        self._transactions = None
        if transactional:
            self._transactions = Transactions(self._config.bootstrap, self._producer, self._consumer)
            self._transactions.open()
            self._written = self._transactions.committed(self._config.inputs)
        self._consumer.assign(self._gate.offsets())

    def _restore(self) -> None:
        snapshot = self._snapshots.load(self._config.name, self._config.namespace) if self._snapshots else None
        if snapshot is None:
            self._gate.start_at(self._config.start)
            return
        try:
            self._gate.restore(snapshot.gate)
        except ValueError as problem:
            raise EnvironmentFailed(
                f"the snapshot of lane {self._config.name} does not fit: {problem}. Remove it to start afresh"
            ) from problem
        self._handler.restore(snapshot.state)

    def _screened(self, received: Received) -> Received:
        screen, item = self._hooks.screen, received.item
        if screen is None or not isinstance(item, Frame):
            return received
        error = screen(received)
        if error is None:
            return received
        return replace(received, item=Undecodable(error, item.source, item.tick, item.frame_id, item.batch.num_rows))

    def _bury(self, received: Sequence[Received]) -> None:
        if not received:
            return
        with self._transactions.apart() if self._transactions else _nothing():
            for each in received:
                assert isinstance(each.item, Undecodable)  # noqa: S101 - filtered by the caller
                self._letters.bury(each, each.item.error)

    def _work(self, ready: Iterator[TickBatch]) -> int:
        """Work on the next tick, or on as many of those that are ready as one transaction takes; how many."""
        first = next(ready, None)
        if first is None:
            return 0
        write = not self._is_silent(first) and not self._is_written(first)
        if self._transactions and write:
            with self._transactions.ticks() as written:
                done = list(self._in_one(chain([first], ready), written))
        else:
            done = [(first, self._handle(first, write=write))]
        if self._hooks.after_tick is not None:
            for batch, outputs in done:
                self._hooks.after_tick(batch, outputs)
        self._unsaved += len(done)
        if self._unsaved >= self._config.snapshot_every:
            self.save()
        return len(done)

    def _in_one(self, ready: Iterable[TickBatch], written: list[TickBatch]) -> Iterator[_Done]:
        """Work on and write ticks until a transaction has enough of them, or a snapshot is due."""
        room = min(self._config.transaction_ticks, self._config.snapshot_every - self._unsaved)
        until = time.monotonic() + _TRANSACTION_S
        for batch in ready:
            yield batch, self._handle(batch, write=True)
            written.append(batch)
            if len(written) >= room or time.monotonic() > until:
                return

    def _handle(self, batch: TickBatch, *, write: bool) -> Sequence[Output]:
        config = self._config
        with process_span(self._hooks.tracer, config.inputs[0][0], batch.tick, batch.frames, config.client_id):
            outputs = self._handler.handle(batch)
            if write:
                self._write(batch, outputs)
        return outputs

    def _is_silent(self, batch: TickBatch) -> bool:
        before = self._config.silent_before
        return before is not None and batch.tick < before

    def _is_written(self, batch: TickBatch) -> bool:
        """Whether an earlier life of this lane has committed the tick."""
        return bool(self._written) and all(offset <= self._written[where] for where, offset in batch.offsets.items())

    def _write(self, batch: TickBatch, outputs: Sequence[Output]) -> None:
        lineage = batch.lineage()
        mark = TickMark(batch.tick, self._config.source, lineage)
        for output in outputs:
            frame = output.frame if output.frame.lineage else replace(output.frame, lineage=lineage)
            self._producer.send(output.topic, output.partition, frame)
        for topic, partition in self._config.outputs:
            self._producer.end_tick(topic, partition, mark)

    def _require_progress(self) -> None:
        now = time.monotonic()
        problems = self._gate.problems()
        if not problems:
            self._well_at = now
        elif now - self._well_at > self._config.stalled_after_s:
            raise EnvironmentFailed(
                f"lane {self._config.name} cannot go on since {self._config.stalled_after_s:.0f} s: "
                f"{'; '.join(problems)}. Restart what writes there: it repeats its last ticks"
            )


@contextmanager
def _nothing() -> Iterator[None]:
    yield
