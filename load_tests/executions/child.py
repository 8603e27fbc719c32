"""The inside of a load-test process: a JSON configuration, orders on stdin, reports as JSON lines on stdout.

Orders are lines: `start <µs>` and `stop`. The end of stdin is `stop` too: the parent is gone.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.contracts.errors import CalmverseError

_REPORT_EVERY_S = 0.2


class Orders:
    """What the parent has asked for, read by a thread."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._started = threading.Event()
        self.start_us = 0
        # Daemon: a thread that waits for a line cannot be told to end.
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def wait_start(self) -> bool:
        """Wait for `start`; False when `stop` came instead."""
        self._started.wait()
        return not self.stopped.is_set()

    def _read(self) -> None:
        for line in sys.stdin:
            order, _, argument = line.strip().partition(" ")
            if order == "start":
                self.start_us = int(argument)
                self._started.set()
            else:
                break
        self.stopped.set()
        self._started.set()


class Reports:
    """Sends JSON lines to the parent, a few a second."""

    def __init__(self) -> None:
        self._last = 0.0

    def now(self, **values: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Send at once."""
        self._last = time.monotonic()
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()

    def due(self) -> bool:
        """Whether the last report is old enough for a next one."""
        return time.monotonic() - self._last >= _REPORT_EVERY_S


def run(work: Callable[[dict[str, Any], Orders, Reports], None]) -> int:
    """Run `work` with the configuration named on the command line; its exit code. A known failure is one line."""
    config = json.loads(Path(sys.argv[1]).read_text())
    try:
        work(config, Orders(), Reports())
    except CalmverseError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return problem.exit_code
    except BrokenPipeError:  # the parent is gone, and with it whoever would read a message
        return 3
    return 0
