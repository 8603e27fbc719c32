"""From valid events to acknowledged frames: once each, in order, and never forgotten half-way (see outbox)."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Protocol

from infra.contracts.errors import CalmverseError, EnvironmentFailed
from infra.contracts.frames import Frame
from infra.telemetry import names
from infra.telemetry.propagation import links_of
from infra.telemetry.setup import Telemetry
from services.gateway.domain import OutsideEvent
from services.gateway.limits import GatewayConfig
from services.gateway.outbox import Outbox, Receipt

GATHER_SECONDS: Final = 0.005  # how long a request waits for others to share its frames
GROUP_EVENTS: Final = 2_000  # events that share one transaction and one flush
RETRY_SECONDS: Final = 2.0  # between attempts to reach a broker that is gone


class Overloaded(EnvironmentFailed):
    """More requests wait than the gateway keeps: come back later."""


class Sender(Protocol):
    """What the intake needs of `FrameProducer`."""

    def send(self, topic: str, partition: int, frame: Frame, traceparent: str | None = None) -> None:
        """Queue a frame."""
        ...

    def flush(self) -> None:
        """Wait until the broker has acknowledged everything; EnvironmentFailed when it does not."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


@dataclass(eq=False)
class _Request:
    events: Sequence[OutsideEvent]
    traceparent: str | None
    receipt: "Future[Receipt]" = field(default_factory=Future)


class Intake:
    """Takes requests from any thread; one thread runs `run`, which is the only one that touches store and broker."""

    def __init__(
        self,
        outbox: Outbox,
        topic: str,
        connect: Callable[[], Sender],
        telemetry: Telemetry,
        waiting: int = GatewayConfig().waiting_requests,
    ) -> None:
        """`waiting` is how many requests may wait; more are told to come back."""
        self._outbox, self._topic, self._connect, self._telemetry = outbox, topic, connect, telemetry
        self._queue: queue.Queue[_Request] = queue.Queue(maxsize=waiting)
        self._sender: Sender | None = None
        self._held: _Request | None = None
        self._stop = threading.Event()

    @property
    def ready(self) -> bool:
        """True while the broker is connected."""
        return self._sender is not None

    @property
    def stopping(self) -> bool:
        """True once it was told to stop: who waits for a receipt need not wait on."""
        return self._stop.is_set()

    def submit(self, events: Sequence[OutsideEvent], traceparent: str | None = None) -> "Future[Receipt]":
        """Hand in the events of one request; the receipt comes when the broker has them, or EnvironmentFailed.

        After EnvironmentFailed the events may or may not go out later: sending them again is safe. Raises Overloaded.
        """
        request = _Request(events, traceparent)
        try:
            self._queue.put_nowait(request)
        except queue.Full:
            raise Overloaded(f"{self._queue.maxsize} requests are waiting: come back later") from None
        return request.receipt

    def run(self, stop: threading.Event) -> None:
        """Serve requests until `stop` is set; what waits then is refused."""
        self._stop = stop
        try:
            while not stop.is_set():
                group = self._gather()
                if group:
                    self._serve(group)
                elif not self.ready:
                    self._try_again()
        finally:
            self._refuse_waiting()
            self._disconnect()

    def _gather(self) -> list[_Request]:
        """Return requests that share a transaction: those that come within GATHER_SECONDS of the first."""
        first = self._held or self._next(0.1 if self.ready else 0.0)
        self._held = None
        group = [first] if first else []
        deadline = time.monotonic() + GATHER_SECONDS
        count = len(first.events) if first else 0
        while group and count < GROUP_EVENTS:
            request = self._next(max(0.0, deadline - time.monotonic()))
            if request is None:
                break
            count += len(request.events)
            group.append(request)
        return group

    def _next(self, timeout: float) -> _Request | None:
        with contextlib.suppress(queue.Empty):
            return self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait()
        return None

    def _serve(self, requests: list[_Request]) -> None:
        # False where the client has given up; after this call nobody can give up any more
        group = [request for request in requests if request.receipt.set_running_or_notify_cancel()]
        try:
            self._deliver()  # connects, and sends what an earlier failure left behind
            with self._span(group):
                receipts = self._outbox.accept([request.events for request in group])
                self._deliver()
        except CalmverseError as error:
            self._disconnect()
            for request in group:
                request.receipt.set_exception(EnvironmentFailed(str(error)))
            return
        except BaseException as error:
            for request in group:
                request.receipt.set_exception(EnvironmentFailed(f"the gateway failed: {error}"))
            raise
        for request, receipt in zip(group, receipts, strict=True):
            request.receipt.set_result(receipt)

    def _deliver(self) -> None:
        """Connect if need be, send every frame of the outbox in order, and forget what was acknowledged."""
        if self._sender is None:
            self._sender = self._connect()
        frames = self._outbox.frames()
        if not frames:
            return
        for _, partition, frame in frames:
            self._sender.send(self._topic, partition, frame)
        self._sender.flush()
        self._outbox.forget(number for number, _, _ in frames)
        self._telemetry.measures.add(names.METRIC_FRAMES_SENT, len(frames))

    def _span(self, group: Sequence[_Request]) -> "contextlib.AbstractContextManager[object]":
        return self._telemetry.tracer.start_as_current_span(
            names.ACCEPT_EVENTS,
            links=links_of(request.traceparent for request in group),
            attributes={names.CALM_ROWS: sum(len(request.events) for request in group)},
        )

    def _try_again(self) -> None:
        try:
            self._deliver()
        except CalmverseError:  # the requests that meet it say so; nobody else is waiting
            self._disconnect()
            self._held = self._next(RETRY_SECONDS)

    def _disconnect(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    def _refuse_waiting(self) -> None:
        waiting = [self._held] if self._held else []
        while (request := self._next(0.0)) is not None:
            waiting.append(request)
        for request in waiting:
            if request.receipt.set_running_or_notify_cancel():
                request.receipt.set_exception(EnvironmentFailed("the gateway is stopping: send the events again"))
