"""A run of a load test: start the system, load it, wait for what is under way, stop everything.

A scenario has no lifecycle; this is where the lifecycle is.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.contracts.errors import CalmverseError
from infra.contracts.time import wall_us
from load_tests.executions.worker import Worker
from load_tests.measure import Window
from load_tests.scenarios.scenario import Scenario
from load_tests.signals import StopSignals
from load_tests.system import Live, System, SystemOptions

_START_IN_S: Final = 0.5  # from the order to start to the moment that the schedule begins at
_LOOK_EVERY_S: Final = 0.05
_QUIET_S: Final = 1.0  # after the last that is missing: duplicates would come behind it
_PARTIAL_DRAIN_S: Final = 10.0
_OVERDUE_S: Final = 60.0  # how long after its last slice is due a sender may still be sending


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One run: what to load, with what, and where its files go. `drain` is the longest wait after the load, s."""

    scenario: Scenario
    system: SystemOptions
    drain: float

    @property
    def folder(self) -> Path:
        """Where the raw logs of sender and receiver go."""
        return self.system.run_dir / "load"

    @property
    def sent_file(self) -> Path:
        """The sender's log."""
        return self.folder / "sent.npz"

    @property
    def arrived_file(self) -> Path:
        """The receiver's logs."""
        return self.folder / "arrived.npz"


@dataclass
class Progress:
    """What is known so far; a run that ends early is summed up from it. `start_us` 0: the load never began."""

    phase: str = "start"
    start_us: int = 0
    live: Live | None = None
    partial: bool = False
    failure: CalmverseError | None = None
    sender: dict[str, Any] = field(default_factory=dict)
    receiver: dict[str, Any] = field(default_factory=dict)
    leftovers: list[int] = field(default_factory=list)

    @property
    def decided(self) -> bool:
        """Whether the decisions on the last tick that was sent have arrived."""
        closed = self.receiver.get("decisions_closed")
        return closed is not None and closed >= self.sender.get("last_tick", closed + 1)

    @property
    def complete(self) -> bool:
        """Whether nothing is under way any more, as far as one can tell by counting."""
        return self.decided and self.receiver.get("scored", 0) >= self.sender.get("sent", 0)

    def window(self, scenario: Scenario) -> Window:
        """The measured part of the load."""
        start = self.start_us + round(scenario.warmup * 1e6)
        return Window(start, start + round(scenario.seconds * 1e6))


def execute(execution: Execution, signals: StopSignals, show: Callable[[Progress], None]) -> Progress:
    """Run it and say how far it came. Failures are kept in the progress, not raised: there may be something to sum up.

    `show` is called several times a second.
    """
    progress = Progress()
    execution.folder.mkdir(parents=True, exist_ok=True)
    system = System(execution.system)
    try:
        with system:
            progress.live = system.wait_ready(lambda: _shown(signals, progress, show))
            if progress.live is not None:
                _Load(execution, signals, show, progress, system).run(progress.live)
    except CalmverseError as problem:
        progress.failure = problem
    progress.leftovers = system.leftovers
    progress.partial = signals.stopped() or progress.failure is not None
    return progress


def _shown(signals: StopSignals, progress: Progress, show: Callable[[Progress], None]) -> bool:
    show(progress)
    return signals.stopped()


@dataclass
class _Load:
    """The load itself, on a system that is ready."""

    execution: Execution
    signals: StopSignals
    show: Callable[[Progress], None]
    progress: Progress
    system: System

    def run(self, live: Live) -> None:
        """Receive, send, drain. The receiver writes its log also when something fails."""
        with self._receiver(live) as receiver:
            try:
                with self._sender(live) as sender:
                    for worker in (receiver, sender):
                        worker.wait_ready()
                    self._send(sender, receiver)
                self.progress.sender = sender.latest
                self._drain(receiver)
            finally:
                receiver.finish()
                self.progress.receiver = receiver.latest

    def _send(self, sender: Worker, receiver: Worker) -> None:
        scenario = self.execution.scenario
        self.progress.phase = "load"
        self.progress.start_us = wall_us() + round(_START_IN_S * 1e6)
        sender.order(f"start {self.progress.start_us}")
        deadline = time.monotonic() + _START_IN_S + scenario.warmup + scenario.seconds + _OVERDUE_S
        while not (sender.done or self.signals.stopped() or time.monotonic() > deadline):
            self._look(sender, receiver)

    def _drain(self, receiver: Worker) -> None:
        """Wait until every event has its score, every tick has its decisions, and nothing more comes; bounded."""
        self.progress.phase = "drain"
        bound = min(self.execution.drain, _PARTIAL_DRAIN_S) if self.signals.stopped() else self.execution.drain
        deadline = time.monotonic() + bound
        before, quiet_since = (-1, -1), time.monotonic()
        while self.signals.count < 2 and time.monotonic() < deadline:
            self._look(receiver)
            now = self.progress.receiver.get("scored", 0), self.progress.receiver.get("decided", 0)
            if now != before:
                before, quiet_since = now, time.monotonic()
            if self.progress.complete and time.monotonic() - quiet_since >= _QUIET_S:
                return

    def _look(self, *workers: Worker) -> None:
        """One look at everything: raise when something has died, show how far it is, wait a moment."""
        self.system.check()
        for worker in workers:
            worker.check()
            setattr(self.progress, worker.name, worker.latest)
        self.show(self.progress)
        time.sleep(_LOOK_EVERY_S)

    def _receiver(self, live: Live) -> Worker:
        config = {
            "bootstrap": live.bootstrap,
            "namespace": live.namespace,
            "fetch_wait_ms": live.fetch_wait_ms,
            "committed_only": live.transactions,
            "security": live.kafka_security,
            "log": str(self.execution.arrived_file),
        }
        return Worker("load_tests.executions.receiver", config, self.execution.folder)

    def _sender(self, live: Live) -> Worker:
        scenario = self.execution.scenario
        config = {
            "bootstrap": live.bootstrap,
            "namespace": live.namespace,
            "security": live.kafka_security,
            "scenario": scenario.name,
            "settings": settings_of(scenario),
            "log": str(self.execution.sent_file),
        }
        return Worker("load_tests.executions.sender", config, self.execution.folder)


def settings_of(scenario: Scenario) -> dict[str, Any]:
    """The scenario's settings by name, as `scenarios.scenario.make` takes them."""
    return {each.name: getattr(scenario, each.name) for each in dataclasses.fields(scenario)}  # type: ignore[arg-type]  # a Protocol cannot say "is a dataclass"
