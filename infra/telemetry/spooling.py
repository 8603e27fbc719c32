"""A bounded queue of finished spans and the thread that writes them: drops are counted, never silent.

The SDK's own batch processor drops without a word when its queue of 2,048 is full. Here the queue holds
`QUEUE_SPANS`, a full queue makes the caller wait up to `BLOCK_SECONDS` (back-pressure), and only then is a
span dropped and counted. Every count is written beside the spans, so that a reader knows what is missing.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

import orjson
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from infra.telemetry.otlp import encode_line

QUEUE_SPANS: Final = 65_536  # a whole demo run of one process, about 60 MB of span objects at worst
BLOCK_SECONDS: Final = 0.25  # how long the caller may be held back before a span is dropped
BATCH_SPANS: Final = 256  # one line; short enough not to hold the interpreter for more than 2 ms
IDLE_SECONDS: Final = 0.2  # how long the writer waits before it looks whether it is to close
GATHER_SECONDS: Final = 0.05  # how long a span waits for others to share its line
CLOSE_SECONDS: Final = 20.0  # bound of the last flush

Sink = Callable[[Sequence[ReadableSpan]], bool]
"""Where a batch also goes, besides the file: returns False when the batch was lost there."""


@dataclass(slots=True)
class SpanCounts:
    """What happened to the spans of one process."""

    written: int = 0
    dropped: int = 0  # not in the file: the queue was full, or the disk refused
    sent: int = 0  # also delivered to the OTLP endpoint
    unsent: int = 0  # refused by the OTLP endpoint; still in the file


class SpoolingProcessor(SpanProcessor):
    """Span processor that appends OTLP JSON lines to `path` from a thread of its own.

    `counts_path` receives the counts as JSON whenever something was dropped, and at shutdown with
    `"closed": true`. `sink` additionally gets every batch (the OTLP endpoint).
    """

    def __init__(
        self,
        path: Path,
        counts_path: Path,
        resource: Resource,
        *,
        sink: Sink | None = None,
        queue_spans: int = QUEUE_SPANS,
        block_seconds: float = BLOCK_SECONDS,
    ) -> None:
        self.counts = SpanCounts()
        self._path, self._counts_path, self._resource, self._sink = path, counts_path, resource, sink
        self._block_seconds = block_seconds
        self._queue: queue.Queue[ReadableSpan] = queue.Queue(maxsize=queue_spans)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._stream: IO[bytes] = path.open("ab")
        self._thread = threading.Thread(target=self._run, name="span-writer", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a finished span; when the queue is full wait `block_seconds`, then drop and count it."""
        if self._closing.is_set():
            self._drop(1)
            return
        try:
            self._queue.put(span, timeout=self._block_seconds)
        except queue.Full:
            self._drop(1)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until everything queued so far is written; False after `timeout_millis`."""
        done = self._queue.all_tasks_done
        with done:
            return done.wait_for(lambda: self._queue.unfinished_tasks == 0, timeout_millis / 1000)

    def shutdown(self) -> None:
        """Write what is queued, within `CLOSE_SECONDS`, count the rest as dropped, and close the file."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        self._drop(self._queue.qsize())
        self._write_counts(closed=True)
        if not self._thread.is_alive():
            self._stream.close()

    def _drop(self, spans: int) -> None:
        with self._lock:
            self.counts.dropped += spans

    def _run(self) -> None:
        reported = 0
        while True:
            batch = self._take()
            if batch:
                self._write(batch)
            if self.counts.dropped != reported:
                reported = self.counts.dropped
                self._write_counts(closed=False)
            if not batch and self._closing.is_set():
                return

    def _take(self) -> list[ReadableSpan]:
        """Return up to `BATCH_SPANS` spans, waiting at most `IDLE_SECONDS` for the first."""
        try:
            first = self._queue.get(timeout=0.01 if self._closing.is_set() else IDLE_SECONDS)
        except queue.Empty:
            return []
        if self._queue.qsize() < BATCH_SPANS:
            self._closing.wait(GATHER_SECONDS)  # fuller lines: the resource is written once a line
        batch = [first]
        while len(batch) < BATCH_SPANS:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _write(self, batch: list[ReadableSpan]) -> None:
        try:
            for scope, spans in _by_scope(batch).items():
                self._stream.write(encode_line(self._resource, scope, spans))
            self._stream.flush()
        except (OSError, TypeError, ValueError):  # a full disk, text that is no UTF-8: no reason to stop, but
            self._drop(len(batch))  # it has to show
        else:
            self.counts.written += len(batch)
        if self._sink is not None:
            self._count_sent(self._sink(batch), len(batch))
        for _ in batch:
            self._queue.task_done()

    def _count_sent(self, delivered: bool, spans: int) -> None:
        if delivered:
            self.counts.sent += spans
        else:
            self.counts.unsent += spans

    def _write_counts(self, *, closed: bool) -> None:
        record = {**asdict(self.counts), "file": self._path.name, "closed": closed}
        temporary = self._counts_path.with_suffix(".tmp")
        try:
            temporary.write_bytes(orjson.dumps(record))
            temporary.replace(self._counts_path)
        except OSError:  # the same full disk; the counts are still shown by /healthz
            return


def _by_scope(batch: Sequence[ReadableSpan]) -> dict[str, list[ReadableSpan]]:
    groups: dict[str, list[ReadableSpan]] = {}
    for span in batch:
        scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
        groups.setdefault(scope, []).append(span)
    return groups
