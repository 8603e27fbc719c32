"""What a person sees while a run goes on: one bar a phase on a terminal, one line a phase elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from infra.console import say


class Display:
    """Phases with their progress, and how long each took (seconds, by name)."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A phase of `total` steps (None: not known); yields what advances it."""
        task = self._progress.add_task(name, total=total)
        started = time.perf_counter()
        try:
            yield lambda steps: self._progress.advance(task, steps)
        finally:
            self.seconds[name] = round(time.perf_counter() - started, 2)
            self._progress.remove_task(task)
            say(f"{name:<12} {self.seconds[name]:7.1f} s")
