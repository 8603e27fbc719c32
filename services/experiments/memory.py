"""How much memory a run takes: of this process and all it has started, the broker apart."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

_EVERY_S = 1.0


@dataclass
class MemoryPeak:
    """Samples resident memory, at most once a second; shared pages count in every process that has them (too much)."""

    broker_pids: Sequence[int] = ()
    ours: int = 0
    broker: int = 0
    _next: float = 0.0

    def sample(self) -> None:
        """Look now, unless that was done within the last second."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        own = psutil.Process()
        broker = {*self.broker_pids} | {child.pid for pid in self.broker_pids for child in self._children(pid)}
        processes = [own, *self._children(own.pid)]
        self.ours = max(self.ours, sum(_resident(each) for each in processes if each.pid not in broker))
        self.broker = max(self.broker, sum(_resident(each) for each in processes if each.pid in broker))

    @staticmethod
    def _children(pid: int) -> list[psutil.Process]:
        try:
            return psutil.Process(pid).children(recursive=True)
        except psutil.Error:
            return []


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended meanwhile
        return 0
