"""The services of a run as processes: started, waited for, restarted when they die, stopped by their ids."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from infra.contracts.errors import EnvironmentFailed

READY_SECONDS = 180.0
STOP_SECONDS = 15.0
MAX_RESTARTS = 5
_POLL_SECONDS = 0.05


@dataclass(kw_only=True)
class ServiceProcess:
    """One service process.

    `environment` is the whole environment it is started with, `killed` how often it was killed on purpose.
    """

    name: str
    module: str
    environment: Mapping[str, str]
    run_dir: Path
    restarts: int = 0
    killed: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address_file(self) -> Path:
        """Where the service writes {port, pid} once it listens."""
        return self.run_dir / "services" / f"{self.name}.json"

    @property
    def log_file(self) -> Path:
        """Where its standard error goes."""
        return self.run_dir / "logs" / f"{self.name}.log"

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches the run alone, which stops it.

        `-P` keeps the working folder off the import path: a folder named like one of our packages must not shadow it.
        """
        self.address_file.unlink(missing_ok=True)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", self.module],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.run_dir,
            )

    def exit_code(self) -> int | None:
        """Exit code where it has ended, None while it runs."""
        return self.process.poll() if self.process else None

    def base_url(self) -> str | None:
        """http://127.0.0.1:PORT once this very process listens, else None."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            address = json.loads(self.address_file.read_text())
            if self.process and address["pid"] == self.process.pid:
                return f"http://127.0.0.1:{address['port']}"
        return None

    def failure(self) -> EnvironmentFailed:
        """The error for a process that ended when it should not have: its code and its last words."""
        return EnvironmentFailed(
            f"{self.name} ended with exit code {self.exit_code()}: {self.last_words()} (see {self.log_file})"
        )

    def last_words(self) -> str:
        """The last line that it logged, shortened."""
        lines = self.log_file.read_text(errors="replace").strip().splitlines() if self.log_file.exists() else []
        if not lines:
            return "it said nothing"
        with contextlib.suppress(ValueError, AttributeError):
            return str(json.loads(lines[-1]).get("message", lines[-1]))[:300]
        return lines[-1][:300]

    def stop(self, deadline: float) -> None:
        """SIGTERM, then SIGKILL at the deadline (monotonic seconds); returns when it has ended."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Services:
    """The service processes of one run."""

    def __init__(self, run_dir: Path, token: str) -> None:
        self.run_dir = run_dir
        self.members: dict[str, ServiceProcess] = {}
        self.client = httpx.Client(timeout=60.0, headers={"Authorization": f"Bearer {token}"}, trust_env=False)

    def start(self, name: str, environment: Mapping[str, str]) -> None:
        """Start services/<name>/main.py."""
        member = ServiceProcess(
            name=name, module=f"services.{name}.main", environment=environment, run_dir=self.run_dir
        )
        self.members[name] = member
        member.start()

    def wait_ready(self, name: str, seconds: float = READY_SECONDS) -> None:
        """Return when /readyz of the service answers 200; EnvironmentFailed when it ends or takes too long."""
        member = self.members[name]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if member.exit_code() is not None:
                raise member.failure()
            if self._ready(member):
                return
            time.sleep(_POLL_SECONDS)
        raise EnvironmentFailed(
            f"{name} was not ready after {seconds:.0f} s: {member.last_words()} (see {member.log_file})"
        )

    def wait_for(
        self, name: str, path: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = READY_SECONDS
    ) -> None:
        """Return when what the service answers to GET is `wanted`; EnvironmentFailed when that takes too long."""
        deadline = time.monotonic() + seconds
        while not wanted(answer := self.get(name, path)):
            if time.monotonic() > deadline:
                raise EnvironmentFailed(f"{name} still answers {answer} to {path} after {seconds:.0f} s")
            time.sleep(_POLL_SECONDS)

    def restart_dead(self) -> list[str]:
        """Start again whatever has died; the names. EnvironmentFailed when one has died too often."""
        dead = [member for member in self.members.values() if member.exit_code() is not None]
        for member in dead:
            if member.restarts - member.killed >= MAX_RESTARTS:
                raise member.failure()
            member.restarts += 1
            member.start()
        return [member.name for member in dead]

    def kill(self, name: str) -> int:
        """SIGKILL to a service; its process id. It is started again as if it had died by itself."""
        member = self.members[name]
        if member.process is None:
            raise EnvironmentFailed(f"{name} was never started")
        member.killed += 1
        member.process.kill()
        return member.process.pid

    def is_ready(self, name: str) -> bool:
        """Whether the service answers that it is ready."""
        return self._ready(self.members[name])

    def get(self, name: str, path: str) -> dict[str, Any]:
        """JSON answer of GET; EnvironmentFailed where the service does not answer 200."""
        return self._call(name, "GET", path, None)

    def post(self, name: str, path: str, body: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON can hold
        """JSON answer of POST; EnvironmentFailed where the service does not answer with success."""
        return self._call(name, "POST", path, body)

    def stop_all(self) -> None:
        """Stop all of them, the last started first, in bounded time."""
        deadline = time.monotonic() + STOP_SECONDS
        for member in self.members.values():
            if member.process is not None and member.process.poll() is None:
                member.process.terminate()
        for member in reversed(self.members.values()):
            member.stop(deadline)
        self.client.close()

    def _ready(self, member: ServiceProcess) -> bool:
        base = member.base_url()
        if base is None:
            return False
        try:
            return self.client.get(f"{base}/readyz", timeout=5.0).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _call(self, name: str, method: str, path: str, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        member = self.members[name]
        base = member.base_url()
        if base is None:
            raise member.failure()
        try:
            answer = self.client.request(method, base + path, json=body)
        except httpx.TransportError as problem:
            raise EnvironmentFailed(f"{name} did not answer {method} {path}: {problem!r}") from problem
        if answer.is_error:
            raise EnvironmentFailed(f"{name} answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        result: dict[str, Any] = answer.json()
        return result
