"""The archiver's loop: read, append, write, and answer those who wait for the disk."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from infra.bus.messages import Received
from services.archiver.domain import TopicPartition, reached
from services.archiver.handlers import Archive

POLL_SECONDS: Final = 0.05  # also how long a request to flush waits to be seen
REST_SECONDS: Final = 0.5
"""Between two reads that brought something. Nobody waits for the lake but who asks for a flush, and each fetch takes
broker and cores from a loop in which somebody waits for every tick."""


class Reader(Protocol):
    """What the loop needs of `FrameConsumer`."""

    def assign(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets on."""
        ...

    def poll(self, timeout_s: float) -> Sequence[Received]:
        """Return what arrived, waiting at most `timeout_s` for the first record."""
        ...

    def positions(self) -> Mapping[TopicPartition, int]:
        """Where each partition is read on, past records that are not handed out (ends of transactions)."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


@dataclass(eq=False)
class FlushRequest:
    """Somebody waits until everything before these next offsets is on disk."""

    offsets: Mapping[TopicPartition, int]
    deadline: float  # time.monotonic()
    done: threading.Event = field(default_factory=threading.Event)


class ArchiveLoop:
    """Runs in the worker thread; `flush` is called from any other."""

    def __init__(self, archive: Archive, connect: Callable[[], Reader]) -> None:
        self._archive, self._connect = archive, connect
        self._requests: queue.SimpleQueue[FlushRequest] = queue.SimpleQueue()
        self._waiting: list[FlushRequest] = []
        self._reading = threading.Event()

    @property
    def ready(self) -> bool:
        """True while partitions are assigned and read."""
        return self._reading.is_set()

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set, then write what is in memory. Raises what the broker or the disk raise."""
        reader = self._connect()
        try:
            reader.assign(self._archive.positions())
            self._reading.set()
            while not stop.is_set():
                found = reader.poll(POLL_SECONDS)
                for received in found:
                    self._archive.handle(received)
                self._serve_requests(reader)
                if found and not self._waiting:
                    self._rest()
            self._archive.flush()
        finally:
            self._reading.clear()
            reader.close()

    def flush(self, offsets: Mapping[TopicPartition, int], timeout_seconds: float) -> bool:
        """Wait until everything before `offsets`, and all that was read, is on disk; False after the timeout."""
        request = FlushRequest(offsets, time.monotonic() + timeout_seconds)
        self._requests.put(request)
        return request.done.wait(timeout_seconds)

    def _rest(self) -> None:
        """Wait a little, or until somebody asks for a flush."""
        with suppress(queue.Empty):
            self._waiting.append(self._requests.get(timeout=REST_SECONDS))

    def _serve_requests(self, reader: Reader) -> None:
        while not self._requests.empty():
            self._waiting.append(self._requests.get())
        now = time.monotonic()
        self._waiting = [request for request in self._waiting if request.deadline > now]
        positions = reader.positions() if self._waiting else {}
        met = [request for request in self._waiting if reached(request.offsets, positions)]
        if met:
            self._archive.flush()
        for request in met:
            request.done.set()
            self._waiting.remove(request)
