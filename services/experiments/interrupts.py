"""Ctrl-C and SIGTERM: a loop ends between two ticks, anything else is broken off, and the run is closed either way."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While entered, the first signal sets `stop`; outside of `patient` it also raises KeyboardInterrupt.

    Later signals do nothing: closing is bounded in time and must not be broken off. For the main thread.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._patient = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def take(self) -> None:
        """Put our handlers in place again: Ray puts its own there when it starts and when it trains."""
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    @contextmanager
    def patient(self) -> Iterator[threading.Event]:
        """A stretch that looks at the event by itself."""
        self.take()
        self._patient = True
        try:
            yield self.stop
        finally:
            self._patient = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        first = not self.stop.is_set()
        self.stop.set()
        if first and not self._patient:
            raise KeyboardInterrupt
