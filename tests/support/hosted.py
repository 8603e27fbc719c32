"""A service process under test: started as the run starts it, waited for, called, stopped or killed by its pid."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from infra.hosting.endpoints import read_endpoint
from infra.settings import Settings, child_environment

READY_SECONDS = 180.0
STOP_SECONDS = 60.0
_CLOCK = threading.Event()


def eventually(condition: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Wait until `condition` holds; AssertionError naming `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        _CLOCK.wait(0.02)


class HostedService:
    """One service process; a context manager that never leaves it behind."""

    def __init__(self, module: str, settings: Settings) -> None:
        self.name = module.split(".")[-2]
        self.settings = settings
        self._log = settings.run_dir / f"{self.name}.log"
        self._module = module
        self.process = self._start()
        self.client = httpx.Client(timeout=120.0, trust_env=False)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],
                env=child_environment(self.settings),
                stderr=log,
                stdout=log,
                stdin=subprocess.DEVNULL,
            )

    @property
    def log(self) -> str:
        """Everything it has logged so far."""
        return self._log.read_text()

    def url(self, path: str) -> str:
        """URL of a path of this very process, waiting until it listens."""

        def listening() -> bool:
            assert self.process.poll() is None, f"{self.name} ended: {self.log}"
            endpoint = read_endpoint(self.settings.run_dir, self.name)
            return endpoint is not None and endpoint.pid == self.process.pid

        eventually(listening, f"{self.name} listening", READY_SECONDS)
        endpoint = read_endpoint(self.settings.run_dir, self.name)
        assert endpoint is not None
        return endpoint.url + path

    def wait_ready(self) -> Self:
        """Wait until /readyz says yes."""
        url = self.url("/readyz")
        eventually(lambda: self.client.get(url).status_code == 200, f"{self.name} being ready", READY_SECONDS)
        return self

    def kill(self) -> None:
        """kill -9, as a crash of the machine would."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def restart(self) -> Self:
        """Start it again after it has ended."""
        self.process = self._start()
        return self

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.kill()


def settings_for(directory: Path, bootstrap: str, namespace: str = "test") -> Settings:
    """Settings of a service whose run folder is `directory`."""
    return Settings(bootstrap=bootstrap, namespace=namespace, run_dir=directory)
