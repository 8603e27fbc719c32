"""The system under test: one process, `calmverse up`, that starts everything else and stops it again."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil

from infra.contracts.errors import BadInput, CalmverseError, EnvironmentFailed

READY_SECONDS: Final = 300.0
STOP_SECONDS: Final = 60.0
_KILL_SECONDS: Final = 5.0
_LOOK_EVERY_S: Final = 0.05
_LIVE: Final = "live.json"


@dataclass(frozen=True, kw_only=True)
class Live:
    """Where a running system is, as its live.json says."""

    bootstrap: str
    namespace: str
    pid: int
    pids: Mapping[str, int]
    services: Mapping[str, str]
    fetch_wait_ms: int
    model_version: str
    policy: str
    transactions: bool = False
    kafka_security: str | None = None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What the file says; None while it is not there or does not say everything (the system is still starting)."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            document = json.loads(path.read_text())
            optional = {name: document[name] for name in ("transactions", "kafka_security") if name in document}
            needed = cls.__dataclass_fields__.keys() - {"transactions", "kafka_security"}
            return cls(**{name: document[name] for name in needed}, **optional)
        return None


@dataclass(frozen=True, kw_only=True)
class SystemOptions:
    """What to start, and where its files go. `model` None: the system finds or makes one by its own rule.

    `broker`: the options of the command that say which broker, as they are typed.
    """

    run_dir: Path
    namespace: str
    model: Path | None = None
    policy: str = "threshold"
    broker: Sequence[str] = ()
    program: Sequence[str] = field(default=(sys.executable, "-P", "-m", "calmverse", "up"))

    def command(self) -> list[str]:
        """The whole command line."""
        model = [] if self.model is None else ["--model", str(self.model.resolve())]
        where = ["--run-dir", str(self.run_dir), "--namespace", self.namespace]
        return [*self.program, *where, *model, "--policy", self.policy, *self.broker]


class System:
    """Starts the system, waits until it is ready, stops it; a context manager that leaves no process behind."""

    def __init__(self, options: SystemOptions) -> None:
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0  # s since the epoch
        self._log = options.run_dir / "logs" / "up.log"
        self.leftovers: list[int] = []
        """Processes that the system left behind when it was stopped, and that were killed."""

    def start(self) -> None:
        """Start the process, in a session of its own, so that Ctrl-C reaches the load test alone, which stops it."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        (self._options.run_dir / _LIVE).unlink(missing_ok=True)
        self._started = time.time() - 1.0  # create times are rounded
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._options.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self, stopped: Callable[[], bool], seconds: float = READY_SECONDS) -> Live | None:
        """Where the system is once everything in it is ready; None when `stopped()` says so first.

        Raises what the system's own exit code says when it ends, and EnvironmentFailed when it takes too long.
        """
        deadline = time.monotonic() + seconds
        while not stopped():
            self.check()
            live = Live.read(self._options.run_dir / _LIVE)
            if live is not None:
                return live
            if time.monotonic() > deadline:
                raise EnvironmentFailed(
                    f"the system was not ready after {seconds:.0f} s: {self._words()} ({self._log})"
                )
            time.sleep(_LOOK_EVERY_S)
        return None

    def check(self) -> None:
        """Raise the system's own failure when its process has ended: its last line, under its exit code."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return
        words = self._words()
        known: dict[int, type[CalmverseError]] = {BadInput.exit_code: BadInput}
        if code in known or words.startswith("error: "):
            raise known.get(code, EnvironmentFailed)(words.removeprefix("error: "))
        raise EnvironmentFailed(f"the system ended with exit code {code}: {words} (see {self._log})")

    def stop(self) -> None:
        """Stop it politely, then by force, and end whatever of it is left, each process by its own id."""
        process = self._process
        if process is None:
            return
        family = self._family(process.pid)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.leftovers = _end(family)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _family(self, pid: int) -> list[psutil.Process]:
        """The processes of the system: those it has started, and those that live.json names."""
        found: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):
            found = {child.pid: child for child in psutil.Process(pid).children(recursive=True)}
        live = Live.read(self._options.run_dir / _LIVE)
        for named in live.pids.values() if live else ():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(named)
                # Its number may be somebody else's by now: what is older than the system is not the system's.
                if process.create_time() >= self._started:
                    found[named] = process
        return list(found.values())

    def _words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.is_file() else []
        errors = [line for line in lines if line.startswith("error: ")]
        return (errors or lines or ["it said nothing"])[-1][:1000]


def _end(processes: Sequence[psutil.Process]) -> list[int]:
    """Kill those of these processes that still run; their ids."""
    _, alive = psutil.wait_procs(processes, timeout=_KILL_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_KILL_SECONDS)
    return [process.pid for process in alive]


def describe(live: Live) -> dict[str, Any]:
    """What of a running system belongs into a summary."""
    return {"model_version": live.model_version, "policy": live.policy, "fetch_wait_ms": live.fetch_wait_ms}
