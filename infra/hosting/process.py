"""The life of a service process: settings, logs, telemetry, HTTP, the loop, signals, and an exit code.

    def build(settings: Settings, telemetry: Telemetry) -> Service: ...
    if __name__ == "__main__":
        sys.exit(run_service("archiver", build))

Exit code 0 after SIGTERM, SIGINT or the death of the parent; the code of the CalmverseError that ended it; 3 for
any other crash. Shutdown is bounded: what has not ended by then is left behind, and the log says so.
"""

import contextlib
import errno
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

import uvicorn

from infra.bus import security
from infra.bus.security import Security
from infra.contracts.errors import CalmverseError, EnvironmentFailed
from infra.contracts.time import keep_time_with
from infra.hosting import logs
from infra.hosting.app import create_app
from infra.hosting.endpoints import Endpoint, remove_endpoint, write_endpoint
from infra.hosting.service import Service
from infra.settings import Settings
from infra.telemetry.setup import Telemetry

Build = Callable[[Settings, Telemetry], Service]

LOOP_SECONDS: Final = 8.0  # how long the loop may take to end after it was asked to
HTTP_SECONDS: Final = 2  # how long open requests may take to end
EXIT_SECONDS: Final = 14.0  # after this the process ends without asking anybody
PARENT_SECONDS: Final = 0.25  # how often the parent is looked for
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0  # between two attempts of a loop
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run_service(name: str, build: Build, settings: Settings | None = None) -> int:
    """Run the service `name` until it is told to stop or fails; return the exit code. Main thread only."""
    log = logs.configure(name, "INFO")
    try:
        own = settings or Settings.from_environment()
        log = logs.configure(name, own.log_level)
        if own.clock_anchor_us:
            keep_time_with(own.clock_anchor_us)
        if own.kafka_security is not None:
            security.use(own.bootstrap, Security.from_file(own.kafka_security, own.kafka_password))
        with Telemetry(name, own.spans, own.otlp_endpoint) as telemetry:
            return Host(name, own, telemetry, log).run(build)
    except CalmverseError as error:
        log.error("%s", error)  # noqa: TRY400 - its message is written to be enough without a traceback
        return error.exit_code
    except Exception:
        log.exception("the service %s failed", name)
        return EnvironmentFailed.exit_code


class Host:
    """Runs one service in this process."""

    def __init__(self, name: str, settings: Settings, telemetry: Telemetry, log: logging.Logger) -> None:
        self._name, self._settings, self._telemetry, self._log = name, settings, telemetry, log
        self._stop = threading.Event()
        self._server: uvicorn.Server | None = None
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def run(self, build: Build) -> int:
        """Build the service, serve until told to stop, and shut down in order; raise what ended the loop."""
        with self._signals():
            self._watch_parent()
            service = build(self._settings, self._telemetry)
            self._take_signals()  # again: importing ray puts its own SIGTERM handler in place
            try:
                self._serve(service)
            finally:
                self._stop.set()
                self._join()
                service.close()
        if self._failure is not None:
            raise self._failure
        self._log.info("stopped")
        return 0

    def _serve(self, service: Service) -> None:
        with _listen(self._settings.host, self._settings.port) as listener:
            app = create_app(service, self._telemetry, self._alive)
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                ws="none",
                lifespan="off",
                timeout_graceful_shutdown=HTTP_SECONDS,
            )
            self._server = _QuietServer(config)
            self._start(service)
            endpoint = Endpoint(self._name, self._settings.host, listener.getsockname()[1], os.getpid())
            write_endpoint(self._settings.run_dir, endpoint)
            self._log.info("listening on %s", endpoint.url)
            try:
                if not self._stop.is_set():
                    self._server.run(sockets=[listener])
            finally:
                remove_endpoint(self._settings.run_dir, self._name, os.getpid())

    def _start(self, service: Service) -> None:
        if service.loop is not None:
            self._thread = threading.Thread(target=self._work, args=(service.loop,), name="loop", daemon=True)
            self._thread.start()

    def _work(self, loop: Callable[[threading.Event], None]) -> None:
        again = Attempts(self._settings.patience_s)
        try:
            while not self._stop.is_set():
                try:
                    loop(self._stop)
                    break
                except EnvironmentFailed as error:
                    pause = again.pause_after(time.monotonic())
                    if pause is None or self._stop.is_set():
                        raise
                    self._log.warning("%s; beginning anew in %.1f s", error, pause)
                    self._stop.wait(pause)
        except BaseException as error:  # noqa: BLE001 - kept, and raised again in the main thread
            self._failure = error
        else:
            if not self._stop.is_set():
                self._failure = EnvironmentFailed(f"the loop of {self._name} ended without being asked to")
        finally:
            self._request_stop()

    def _alive(self) -> bool:
        return self._failure is None and (self._thread is None or self._thread.is_alive())

    def _join(self) -> None:
        if self._thread is None:
            return
        self._thread.join(LOOP_SECONDS)
        if self._thread.is_alive() and self._failure is None:
            self._failure = EnvironmentFailed(f"the loop of {self._name} did not end within {LOOP_SECONDS:.0f} s")

    def _request_stop(self) -> None:
        if not self._stop.is_set():
            self._stop.set()
            _exit_after(EXIT_SECONDS, self._log)
        if self._server is not None:
            self._server.should_exit = True

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Have SIGTERM and SIGINT end the service in order; while it is being built they end it at once."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        self._take_signals()
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take_signals(self) -> None:
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._log.info("told to stop by %s", signal.Signals(number).name)
        self._request_stop()
        if self._server is None:
            raise SystemExit(0)

    def _watch_parent(self) -> None:
        """Stop when the parent is gone.

        Asked for, not signalled: PR_SET_PDEATHSIG fires when the *thread* that started us ends, and supervisors
        restart services from threads that come and go.
        """
        parent = self._settings.parent_pid
        if parent == 0:
            return

        def watch() -> None:
            while not self._stop.wait(PARENT_SECONDS):
                if os.getppid() != parent:
                    self._log.warning("the parent %d is gone: stopping", parent)
                    if self._server is None:
                        os.kill(os.getpid(), signal.SIGTERM)
                        return
                    self._request_stop()

        threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class Attempts:
    """How often a loop is begun anew that fails for want of its environment: for `patience_s` since it last went well.

    It went well when it ran for longer than `patience_s` since the last failure. Pauses double from 0.2 s up to 5 s.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._first_failed: float | None = None
        self._last_failed = 0.0
        self._pause_s = _SHORTEST_PAUSE_S

    def pause_after(self, now: float) -> float | None:
        """A failure at `now` (monotonic seconds): how long to rest before the next attempt, None for no more."""
        if self._first_failed is None or now - self._last_failed > self._patience_s:
            self._first_failed, self._pause_s = now, _SHORTEST_PAUSE_S
        self._last_failed = now
        if now - self._first_failed >= self._patience_s:
            return None
        pause, self._pause_s = self._pause_s, min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return pause


class _QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signals to the host: its own handlers end the process by the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a listening TCP socket; EnvironmentFailed when the port is taken or not ours to open."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1024)
        except OSError as error:
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be opened: {error.strerror}"
            raise EnvironmentFailed(
                f"port {port} on {host} {reason}; set CALMVERSE_PORT to another, or to 0 for a free one"
            ) from error
        yield listener


def _exit_after(seconds: float, log: logging.Logger) -> None:
    """End the process for good when it is still there after `seconds`: shutdown is bounded."""

    def end() -> None:
        log.error("did not shut down within %.0f s: leaving", seconds)
        os._exit(EnvironmentFailed.exit_code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
