"""Ctrl-C and SIGTERM as a flag: every wait of a load test is bounded and looks at it, so that nothing is torn apart."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Counts the signals that ask the load test to stop, while entered. For the main thread.

    The first ends the load, the second also the wait for what is under way; closing down is never cut short.
    """

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, Any] = {}

    def stopped(self) -> bool:
        """Whether somebody has asked to stop."""
        return self.count > 0

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.count += 1
