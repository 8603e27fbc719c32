"""The system of one run: broker, topics, Ray, and the services as processes."""

import json
import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.bus.admin import create_topics
from infra.bus.broker import Broker, Redundant
from infra.bus.brokers import BrokerOptions, open_broker
from infra.contracts.time import clock_anchor_us
from infra.contracts.topics import Topics
from infra.runs import RunDir
from infra.settings import Settings, child_environment
from services.experiments.kills import SERVICES
from services.experiments.processes import Services

PATIENT_FETCH_MS = 200
"""How long a fetch of a service outside the loop may wait: it has time, and asking often costs the others theirs."""

NODE = "broker node"
"""What a node of the broker is called among those that may be killed."""

PATIENCE_S = 90
"""How long a service may be without its broker or its disk before it gives up."""

BROKER_FOLDER = "broker"
"""Where in the run folder a broker keeps its data, where it has any."""

_IN_THE_LOOP = ("monitor", "interventions")
RAY_CPUS = 4
"""Logical CPUs given to Ray: with as many as there are, training workers leave none to Ray Data, and nothing moves."""


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """Where the broker comes from and where spans go."""

    broker: BrokerOptions = field(default_factory=BrokerOptions)
    otlp: str | None = None

    def open(self, run: RunDir) -> Broker:
        """The broker, not started; what it keeps on disk is in the run folder unless it was told where."""
        return open_broker(replace(self.broker, data=self.broker.data or run.path / BROKER_FOLDER))


class Stack:
    """Starts parts when asked, stops everything in the end, the last started first. A context manager."""

    def __init__(self, run: RunDir, options: StackOptions, namespace: str | None = None) -> None:
        self.run = run
        self.namespace = namespace or run.run_id
        self.token = secrets.token_urlsafe(24)
        self.broker = options.open(run)
        self.services = Services(run.path, self.token)
        self._options = options
        self._closing = ExitStack()
        self._ray_address: str | None = None
        self._facts: dict[str, object] = {}
        self._node = 0

    def __enter__(self) -> Self:
        self._closing.enter_context(self.broker)
        create_topics(self.broker.bootstrap, Topics(self.namespace).all())
        self._closing.callback(self.services.stop_all)
        self.write_live()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        (self.run.path / "live.json").unlink(missing_ok=True)
        self._closing.close()

    @property
    def fetch_wait_ms(self) -> int:
        """How long a fetch may wait at this broker."""
        return self.broker.capabilities.fetch_wait_ms

    def start_ray(self) -> None:
        """Start Ray in this process; it ends with the stack."""
        import ray  # noqa: PLC0415 - heavy

        from infra.hosting.ray_session import ray_session  # noqa: PLC0415 - as above

        self._closing.enter_context(ray_session(RAY_CPUS))
        self._ray_address = ray.get_runtime_context().gcs_address
        self._closing.callback(_stop_serving)

    def start_service(self, name: str, config: dict[str, Any] | None = None) -> None:
        """Start one service with its own configuration; `services.wait_ready` says when it is up."""
        settings = Settings(
            bootstrap=self.broker.bootstrap,
            namespace=self.namespace,
            run_dir=self.run.path,
            api_token=self.token,
            otlp_endpoint=self._options.otlp,
            config_file=self._config_file(name, config),
            fetch_max_wait_ms=self.fetch_wait_ms if name in _IN_THE_LOOP else PATIENT_FETCH_MS,
            transactions=self.broker.capabilities.transactions,
            kafka_security=self._options.broker.security_file,
            kafka_password=self._options.broker.security.password,
            ray_address=self._ray_address,
            clock_anchor_us=clock_anchor_us(),
            patience_s=PATIENCE_S,
            parent_pid=os.getpid(),
        )
        self.services.start(name, child_environment(settings))
        self.write_live()

    def watch(self) -> None:
        """Start again what has died; EnvironmentFailed where that cannot help."""
        revived = self.broker.revive()
        if self.services.restart_dead() or revived:
            self.write_live()

    def victims(self) -> list[str]:
        """Services that run, and a place for the broker's nodes where one may be gone: each in its turn."""
        services = [name for name in SERVICES if name in self.services.members]
        return services + [NODE] * self._has_spare

    def kill(self, victim: str) -> int:
        """SIGKILL to a service or, nodes in turn, to one of the broker; the process id that it had."""
        if victim != NODE:
            return self.services.kill(victim)
        broker = self.broker
        assert isinstance(broker, Redundant)  # noqa: S101  it is a victim only then
        self._node = self._node % broker.nodes + 1
        pid = broker.pids[f"broker-{self._node}"]
        broker.kill(self._node)
        return pid

    def is_back(self, victim: str, killed: int) -> bool:
        """Whether another process than `killed` does the victim's work; of nodes, whether the broker is whole."""
        broker = self.broker
        if victim == NODE and isinstance(broker, Redundant):
            return killed not in broker.pids.values() and broker.is_whole()
        member = self.services.members[victim]
        return member.process is not None and member.process.pid != killed and self.services.is_ready(victim)

    @property
    def _has_spare(self) -> bool:
        return isinstance(self.broker, Redundant) and self.broker.spare > 0

    def write_live(self, **facts: object) -> None:
        """Write live.json: where the running system is, for `calmverse tail`; and `facts`, which stay in it."""
        self._facts |= facts
        security = self._options.broker.security_file
        members = self.services.members.values()
        self.run.write_json(
            "live.json",
            {
                "bootstrap": self.broker.bootstrap,
                "namespace": self.namespace,
                "pid": os.getpid(),
                "pids": self.broker.pids | {member.name: member.process.pid for member in members if member.process},
                "services": {member.name: member.base_url() for member in members if member.base_url()},
                "fetch_wait_ms": self.fetch_wait_ms,
                "transactions": self.broker.capabilities.transactions,
                "kafka_security": str(security) if security else None,
            }
            | self._facts,
        )

    def _config_file(self, name: str, config: dict[str, Any] | None) -> Path | None:
        if config is None:
            return None
        folder = self.run.path / "config"
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.json"
        path.write_text(json.dumps(config, indent=1))
        return path


def _stop_serving() -> None:
    from ray import serve  # noqa: PLC0415 - heavy

    serve.shutdown()  # type: ignore[no-untyped-call]  # ray types it only in part
