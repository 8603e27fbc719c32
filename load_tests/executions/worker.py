"""The outside of a load-test process: started, listened to, ordered, stopped by its own id."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.contracts.errors import EnvironmentFailed

_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.02


class Worker:
    """One child process of the load test; a context manager that leaves no process behind."""

    def __init__(self, module: str, config: Mapping[str, Any], folder: Path) -> None:
        self.name = module.rpartition(".")[2]
        self.latest: dict[str, Any] = {}
        self._config = folder / f"{self.name}.json"
        self._config.write_text(json.dumps(config, indent=1))
        self._log = folder / f"{self.name}.log"
        self._module = module
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def done(self) -> bool:
        """Whether it has said that its work is done."""
        return bool(self.latest.get("done"))

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C is for the parent alone."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module, str(self._config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._listen, args=(self._process,), name=self.name, daemon=True)
        self._reader.start()

    def wait_ready(self) -> None:
        """Return when it is ready; raises EnvironmentFailed when it ends or takes too long."""
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self.latest.get("ready"):
            self.check()
            if time.monotonic() > deadline:
                raise EnvironmentFailed(
                    f"the {self.name} was not ready within {_READY_WITHIN_S:.0f} s: {self._words()}"
                )
            time.sleep(_LOOK_EVERY_S)

    def check(self) -> None:
        """Raise EnvironmentFailed when it has ended before its work was done."""
        if self._process is not None and self._process.poll() is not None and not self._finished():
            raise EnvironmentFailed(f"the {self.name} ended with exit code {self._process.returncode}: {self._words()}")

    def order(self, text: str) -> None:
        """Send one order; one that ends is not an error here but in `check`."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ValueError):
                self._process.stdin.write(text + "\n")
                self._process.stdin.flush()

    def finish(self) -> None:
        """Ask it to stop and wait until it has written its log; by force when that takes too long."""
        self.order("stop")
        process = self._process
        if process is None:
            return
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join(_STOP_WITHIN_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def _finished(self) -> bool:
        """Whether its last words were that its work is done; they may still be on their way when it has ended."""
        if self._reader is not None:
            self._reader.join(_STOP_WITHIN_S)
        return self.done

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None  # noqa: S101 - it was opened with a pipe
        with contextlib.suppress(ValueError):  # closed under us by `finish`
            for line in process.stdout:
                with contextlib.suppress(json.JSONDecodeError):
                    self.latest = {**self.latest, **json.loads(line)}

    def _words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.is_file() else []
        return lines[-1].removeprefix("error: ")[:500] if lines else "it said nothing"
