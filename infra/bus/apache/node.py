"""One node of a cluster: what it is told, and the process."""

import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Self

import psutil

from infra.bus.clients import MAX_RECORD_BYTES
from infra.bus.ports import HOST
from infra.bus.processes import start_free, start_tethered
from infra.contracts.errors import EnvironmentFailed

_HEAP = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC")
"""Three nodes share one small machine; the page cache, not the heap, holds the data."""

_FORMAT_WITHIN_S = 60.0
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}

SHARED_SETTINGS: Mapping[str, object] = {
    "auto.create.topics.enable": "false",
    "message.max.bytes": MAX_RECORD_BYTES,
    "replica.fetch.max.bytes": MAX_RECORD_BYTES,
    # A node that is killed is given up, and its partitions led by others, well before a client's ten seconds are over.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    "replica.lag.time.max.ms": 5000,
    "group.initial.rebalance.delay.ms": 0,
    # Few lanes: fifty partitions of each internal topic would only make starting slower.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 1,
    # A lane that died in a transaction is replaced under the same id within seconds; this is for those that are not.
    "transaction.max.timeout.ms": 120_000,
    "log.retention.check.interval.ms": 30_000,
    "unclean.leader.election.enable": "false",
    # Freed soon after a topic is deleted: long runs rotate their topics.
    "log.segment.delete.delay.ms": 1000,
}


@dataclass(frozen=True, kw_only=True)
class ClientListener:
    """How clients reach the nodes where that is not in plain text: `SASL_SSL` and the settings that go with it.

    Nodes then talk to each other on a plain loopback listener of their own.
    """

    protocol: str = "PLAINTEXT"
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether it is the same as what nodes use among themselves."""
        return self.protocol == "PLAINTEXT"


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """Where a node listens, and its process, as the state file has it; `pid` 0 before the first start.

    `internal_port` is where nodes talk to each other, in plain text; the same as clients' unless those come in by TLS.
    """

    number: int
    client_port: int
    controller_port: int
    internal_port: int
    pid: int = 0
    started_at: float = 0.0

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `as_document` wrote."""
        return cls(**document)

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self.client_port}"

    @property
    def internal_address(self) -> str:
        """`host:port` of the plain listener."""
        return f"{HOST}:{self.internal_port}"

    def process(self) -> psutil.Process | None:
        """The running process; None when it has ended, also where its id belongs to another by now."""
        if not self.pid:
            return None
        try:
            process = psutil.Process(self.pid)
            alive = process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - self.started_at) < 1.0
        except psutil.Error:
            return None
        return process if alive else None


def properties(facts: NodeFacts, folder: Path, nodes: list[NodeFacts], listener: ClientListener) -> str:
    """The server.properties of a node that is broker and controller in one."""
    copies = len(nodes)
    safe = 2 if copies > 1 else 1
    internal = "CLIENT" if listener.plain else "INTERNAL"
    names = {"CLIENT": facts.client_port} | ({} if listener.plain else {"INTERNAL": facts.internal_port})
    advertised = ",".join(f"{name}://{HOST}:{port}" for name, port in names.items())
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": facts.number,
        "controller.quorum.voters": ",".join(f"{n.number}@{HOST}:{n.controller_port}" for n in nodes),
        "listeners": f"{advertised},CONTROLLER://{HOST}:{facts.controller_port}",
        "advertised.listeners": advertised,
        "listener.security.protocol.map": f"CLIENT:{listener.protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": internal,
        "controller.listener.names": "CONTROLLER",
        "log.dirs": folder / "data",
        "default.replication.factor": copies,
        "min.insync.replicas": safe,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": safe,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": safe,
    }
    merged = settings | dict(SHARED_SETTINGS) | dict(listener.settings)
    return "".join(f"{name}={value}\n" for name, value in merged.items())


class Node:
    """Starts, stops and kills the process of one node; its folder holds settings, data and log."""

    def __init__(self, facts: NodeFacts, folder: Path, java: list[str], *, tethered: bool) -> None:
        self.facts = facts
        self.folder = folder
        self._java = java
        self._brief = [java[0], "-XX:TieredStopAtLevel=1", *java[1:]]  # it ends before compiling would pay
        self._tethered = tethered

    @property
    def log(self) -> Path:
        """What the process said."""
        return self.folder / "server.log"

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    def configure(self, text: str) -> None:
        """Write its settings; raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(text)

    def begin_format(self, cluster_id: str) -> "subprocess.Popen[str] | None":
        """Start to make its empty data folder ready; None where it is already."""
        if (self.folder / "data" / "meta.properties").exists():
            return None
        return subprocess.Popen(
            [*self._brief, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end_format(self, formatting: "subprocess.Popen[str] | None") -> None:
        """Wait for it; raises EnvironmentFailed."""
        if formatting is None:
            return
        try:
            _, errors = formatting.communicate(timeout=_FORMAT_WITHIN_S)
        except subprocess.TimeoutExpired:
            formatting.kill()
            _, errors = formatting.communicate()
        if formatting.returncode != 0:
            last = errors.strip().splitlines()[-1:] or [f"code {formatting.returncode}"]
            raise EnvironmentFailed(f"the data folder {self.folder / 'data'} could not be prepared: {last[0]}")

    def launch(self) -> NodeFacts:
        """Start the process, its output after what the log has; what the state file is to say from now on."""
        with self.log.open("ab") as log:
            start = start_tethered if self._tethered else start_free
            try:
                process = start([*self._java, "kafka.Kafka", str(self._settings)], _ENVIRONMENT, log)
            except OSError as problem:
                raise EnvironmentFailed(f"cannot start {self._java[0]}: {problem}") from problem
        started_at = psutil.Process(process.pid).create_time()
        values = self.facts.as_document() | {"pid": process.pid, "started_at": started_at}
        self.facts = NodeFacts.of(values)
        return self.facts

    @property
    def alive(self) -> bool:
        """Whether the process runs.

        Its handle does not say so at once: while its keeper waits for the end, `poll` knows nothing of it.
        """
        return self.facts.process() is not None

    def ask_to_end(self) -> None:
        """SIGTERM, where it runs."""
        process = self.facts.process()
        if process is not None:
            process.terminate()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self.facts.process()
        if process is not None:
            process.kill()
        self.await_end(10.0)

    def await_end(self, within_s: float) -> bool:
        """Whether it is gone within so many seconds."""
        process = self.facts.process()
        if process is None:
            return True
        try:
            process.wait(max(0.0, within_s))
        except psutil.TimeoutExpired:
            return False
        return True

    def last_words(self) -> str:
        """The last lines of its log that say what went wrong, in one line."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return "no log"
        bad = [line for line in lines[-400:] if " ERROR " in line or " FATAL " in line or "Exception" in line]
        return " | ".join((bad or lines)[-2:]) or "no output"


def java_command(java: str, jars: Path) -> list[str]:
    """What runs one of Kafka's programs, up to its name."""
    log_settings = str(resources.files("infra.bus.apache").joinpath("log4j2.properties"))
    return [java, *_HEAP, f"-Dlog4j2.configurationFile={log_settings}", "-cp", f"{jars}/*"]
