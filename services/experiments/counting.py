"""The other end of a run without services: reads every frame back, and counts what arrived, tick by tick."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.bus.consumer import FrameConsumer
from infra.bus.messages import Received, TopicPartition
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.topics import PARTITIONS
from services.experiments.publishing import Tally
from services.experiments.segments import Segments

_POLL_S = 0.25


@dataclass
class Heard:
    """What one partition of one topic has brought in the current segment."""

    stream: str
    ended: int
    seen: set[str] = field(default_factory=set)
    open_ticks: dict[int, list[int]] = field(default_factory=dict)


@dataclass
class Counts:
    """What arrived: each frame once in `tally`; rows of frames that came again; ticks whose end does not add up."""

    tally: Tally = field(default_factory=Tally)
    repeated_rows: int = 0
    wrong_ticks: int = 0
    tick_ends: int = 0
    unreadable: int = 0
    frames: int = 0
    value_bytes: int = 0


class CountingReader:
    """Reads segment after segment in a thread of its own; `wait_for` says when one is through.

    A segment is through when each partition of each stream has ended the segment's last tick.
    """

    def __init__(self, bootstrap: str, segments: Segments, fetch_wait_ms: int) -> None:
        self.counts = Counts()
        self._segments = segments
        self._bootstrap, self._fetch_wait_ms = bootstrap, fetch_wait_ms
        self._changed = threading.Condition()
        self._opened = self._through = 0
        self._last_tick = segments.first_tick + segments.ticks - 1
        self._stopped = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="counting", daemon=True)

    @property
    def through(self) -> int:
        """How many segments have been read to their end."""
        return self._through

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def open(self, segment: int) -> None:
        """The topics of a segment exist."""
        self._update(opened=segment + 1)

    def end_at(self, tick: int) -> None:
        """The run ends with this tick, earlier than planned."""
        self._update(last_tick=tick)

    def wait_for(self, segments: int, watch: Callable[[], None]) -> None:
        """Wait until so many segments are through; `watch` is called meanwhile. Raises what ended the reader."""
        while True:
            with self._changed:
                if self._failure is not None:
                    raise self._failure
                if self._through >= segments:
                    return
                self._changed.wait(_POLL_S)
            watch()

    def check(self) -> None:
        """Raise what ended the reader, if something did."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Read no further, and wait for the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _update(self, *, opened: int | None = None, last_tick: int | None = None, through: int | None = None) -> None:
        with self._changed:
            self._opened = self._opened if opened is None else opened
            self._last_tick = self._last_tick if last_tick is None else last_tick
            self._through = self._through if through is None else through
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            with FrameConsumer(
                self._bootstrap, client_id="counting", fetch_max_wait_ms=self._fetch_wait_ms
            ) as consumer:
                for segment in range(self._segments.count):
                    if not self._await_open(segment):
                        return
                    self._read(consumer, segment)
                    self._update(through=segment + 1)
        except BaseException as error:  # noqa: BLE001 - kept, and raised again where the reader is waited for
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _await_open(self, segment: int) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._opened > segment)
            return not self._stopped

    def _read(self, consumer: FrameConsumer, segment: int) -> None:
        ticks = self._segments.ticks_of(segment)
        heard: dict[TopicPartition, Heard] = {
            (topic, partition): Heard(stream, ticks[0] - 1)
            for stream, topic in self._segments.topics(segment).items()
            for partition in range(PARTITIONS)
        }
        consumer.assign(dict.fromkeys(heard, 0))
        while not self._stopped and any(one.ended < min(ticks[-1], self._last_tick) for one in heard.values()):
            for received in consumer.poll(_POLL_S):
                self._count(heard[received.where], received)

    def _count(self, here: Heard, received: Received) -> None:
        item, counts = received.item, self.counts
        counts.value_bytes += len(received.raw.value) if received.raw else 0
        if isinstance(item, TickEnd):
            counts.tick_ends += 1
            counts.wrong_ticks += here.open_ticks.pop(item.tick, [0, 0]) != [item.frames, item.rows]
            here.ended = item.tick
        elif not isinstance(item, Frame):
            counts.unreadable += 1
        elif item.frame_id in here.seen:
            counts.repeated_rows += item.batch.num_rows
        else:
            here.seen.add(item.frame_id)
            counts.frames += 1
            counts.tally.add(here.stream, item.batch)
            so_far = here.open_ticks.setdefault(item.tick, [0, 0])
            so_far[0] += 1
            so_far[1] += item.batch.num_rows
