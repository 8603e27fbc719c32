"""The apache broker: a cluster of one or three nodes on the loopback interface, its data in one folder."""

import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from infra.bus import liveness
from infra.bus.admin import cluster_nodes, lacking_copies
from infra.bus.apache.fetch import DEFAULT_CACHE, kafka_jars, kafka_version, require_java
from infra.bus.apache.node import ClientListener, Node, NodeFacts, java_command, properties
from infra.bus.apache.state import ClusterState, new_cluster_id
from infra.bus.broker import Capabilities
from infra.bus.ports import free_port, require_free
from infra.contracts.errors import BadInput, EnvironmentFailed

SIZES = (1, 3)
"""Nodes a cluster may have: with two, one that is gone stops everything."""

_READY_WITHIN_S = 180.0
_STOP_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, kw_only=True)
class ApacheOptions:
    """How to run it.

    `data`: folder that stays (None: one of its own, deleted in the end). `port`: of the first node's clients, the
    others follow it; 0 takes any free ones. `detached`: the nodes outlive this process.
    """

    nodes: int = 1
    data: Path | None = None
    port: int = 0
    cache: Path = DEFAULT_CACHE
    detached: bool = False
    listener: ClientListener = field(default_factory=ClientListener)

    def __post_init__(self) -> None:
        if self.nodes not in SIZES:
            raise BadInput(f"--nodes {self.nodes}: an apache broker has {' or '.join(map(str, SIZES))} nodes")


class ApacheBroker:
    """Starts and stops Apache Kafka in KRaft mode; a context manager.

    Three nodes keep three copies and acknowledge a record when two have it, so that one node may be gone. Started again
    on its data folder it goes on with what it held. Unless `detached`, its processes are tied to ours.
    """

    kind: Final = "apache"
    capabilities: Final = Capabilities(transactions=True, fetch_wait_ms=500, outage_s=60.0, on_disk=True)

    def __init__(self, options: ApacheOptions | None = None) -> None:
        self._options = options or ApacheOptions()
        self._temporary: Path | None = None
        self._state: ClusterState | None = None
        self._nodes: dict[int, Node] = {}

    @property
    def version(self) -> str:
        """Name and version."""
        return f"Apache Kafka {kafka_version()}"

    @property
    def nodes(self) -> int:
        """How many nodes it has."""
        return self._options.nodes

    @property
    def bootstrap(self) -> str:
        """Addresses of all nodes for clients; raises EnvironmentFailed when it is not started."""
        return self.state.bootstrap

    @property
    def state(self) -> ClusterState:
        """The cluster as it was started; raises EnvironmentFailed when it is not."""
        if self._state is None:
            raise EnvironmentFailed("the apache broker is not started: call start first")
        return self._state

    @property
    def internal(self) -> str:
        """Address of a plain listener, also where clients come in otherwise: for making users, and in tests."""
        return self.state.nodes[0].internal_address

    @property
    def folder(self) -> Path:
        """Where data and logs are; raises EnvironmentFailed when it is not started."""
        found = self._options.data or self._temporary
        if found is None:
            raise EnvironmentFailed("the apache broker is not started: call start first")
        return found.resolve()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the nodes that run."""
        return {f"broker-{number}": node.facts.pid for number, node in self._nodes.items() if node.alive}

    @property
    def alive(self) -> bool:
        """Whether enough nodes run to take records: all but one of three."""
        return len(self.pids) > self.nodes // 2

    def start(self) -> None:
        """Start all nodes and wait until they form a cluster; raises BadInput and EnvironmentFailed."""
        if self._nodes:
            return
        java = java_command(require_java(), kafka_jars(self._options.cache))
        try:
            self._prepare()
            self._make_nodes(java)
            self._format()
            for node in self._nodes.values():
                node.launch()
            self._save()
            self.await_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the nodes by their ids: politely, then by force. A folder of our own goes too."""
        self._refresh()
        if self._temporary is None:
            for node in self._nodes.values():
                node.ask_to_end()
            deadline = time.monotonic() + _STOP_WITHIN_S
            for node in self._nodes.values():
                node.await_end(deadline - time.monotonic())
        for node in self._nodes.values():
            node.kill()
        self._nodes.clear()
        self._state = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def kill(self, number: int) -> None:
        """SIGKILL to one node; raises BadInput for a node that is not there."""
        self.state.node(number)
        self._nodes[number].kill()

    @property
    def spare(self) -> int:
        """How many nodes may be gone at once: one of three."""
        return (self.nodes - 1) // 2

    def is_whole(self) -> bool:
        """Whether all nodes run, belong to the cluster, and have caught up with the others."""
        addresses = [each.internal_address for each in self.state.nodes]
        if not all(node.alive for node in self._nodes.values()) or not _has(addresses, self.nodes):
            return False
        try:
            return lacking_copies(addresses[0]) == 0
        except EnvironmentFailed:
            return False

    def restart(self, number: int) -> None:
        """Start a node that has ended and wait until the cluster has it; raises BadInput and EnvironmentFailed."""
        self.state.node(number)
        if not self._nodes[number].alive:
            self._nodes[number].launch()
            self._save()
        self.await_ready()

    def revive(self) -> bool:
        """Start the nodes again that have ended, without waiting; whether there were any."""
        dead = [node for node in self._nodes.values() if not node.alive]
        for node in dead:
            node.launch()
        if dead:
            self._save()
        return bool(dead)

    def await_ready(self) -> None:
        """Wait until every node answers and belongs to the cluster; raises EnvironmentFailed."""
        await_cluster(list(self._nodes.values()), [each.internal_address for each in self.state.nodes], self.nodes)

    def _prepare(self) -> None:
        """The data folder, and who the nodes are."""
        if self._options.data is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="calmverse-kafka-"))
        folder = self.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise EnvironmentFailed(f"cannot make the data folder {folder}: {problem}") from problem
        found = ClusterState.load(folder)
        if found is not None:
            self._require_fit(found, folder)
        cluster_id = found.cluster_id if found else new_cluster_id()
        self._state = ClusterState(version=kafka_version(), cluster_id=cluster_id, nodes=tuple(self._ports()))

    def _require_fit(self, found: ClusterState, folder: Path) -> None:
        if found.running:
            raise EnvironmentFailed(
                f"a broker already runs on {folder} ({found.bootstrap}): stop it with `calmverse broker down "
                f"--data {folder}`, or give another --data"
            )
        if len(found.nodes) != self.nodes:
            raise BadInput(
                f"{folder} holds a cluster of {len(found.nodes)} nodes: start it with --nodes {len(found.nodes)}, or "
                "give another --data"
            )

    def _ports(self) -> list[NodeFacts]:
        first = self._options.port
        wanted = [require_free(first + number) if first else 0 for number in range(self.nodes)]
        taken = set(wanted)
        found = []
        for number, port in enumerate(wanted, start=1):
            client, controller = port or _another(taken), _another(taken)
            internal = client if self._options.listener.plain else _another(taken)
            found.append(
                NodeFacts(number=number, client_port=client, controller_port=controller, internal_port=internal)
            )
        return found

    def _make_nodes(self, java: list[str]) -> None:
        state = self.state
        for facts in state.nodes:
            folder = self.folder / f"node-{facts.number}"
            node = Node(facts, folder, java, tethered=not self._options.detached)
            node.configure(properties(facts, folder, list(state.nodes), self._options.listener))
            self._nodes[facts.number] = node

    def _format(self) -> None:
        running = [(node, node.begin_format(self.state.cluster_id)) for node in self._nodes.values()]
        for node, formatting in running:
            node.end_format(formatting)

    def _refresh(self) -> None:
        """Take over what the state file says: `broker start` of another process may have started a node again."""
        found = ClusterState.load(self.folder) if self._state is not None else None
        for facts in found.nodes if found else ():
            if facts.pid and facts.number in self._nodes:
                self._nodes[facts.number].facts = facts

    def _save(self) -> None:
        self._state = self.state.with_nodes([node.facts for node in self._nodes.values()])
        self._state.save(self.folder)


def _another(taken: set[int]) -> int:
    """A free port that is not one of `taken`, and is from now on."""
    while (port := free_port()) in taken:
        pass
    taken.add(port)
    return port


def await_cluster(nodes: Sequence[Node], addresses: Sequence[str], size: int) -> None:
    """Wait until all addresses answer and the cluster has `size` nodes.

    Raises EnvironmentFailed when one of `nodes` ends meanwhile, or when it takes too long.
    """
    deadline, pause = time.monotonic() + _READY_WITHIN_S, threading.Event()
    while time.monotonic() < deadline:
        for node in nodes:
            if not node.alive:
                raise EnvironmentFailed(
                    f"node {node.facts.number} of the apache broker ended while starting: {node.last_words()}. "
                    f"See {node.log}"
                )
        if _has(addresses, size):
            return
        pause.wait(_LOOK_EVERY_S)
    raise EnvironmentFailed(
        f"the apache broker on {','.join(addresses)} was not ready within {_READY_WITHIN_S:.0f} s: see {nodes[0].log}"
    )


def _has(addresses: Sequence[str], size: int) -> bool:
    if not all(liveness.answers(address, 0.5) for address in addresses):
        return False
    try:
        return all(len(cluster_nodes(address)) == size for address in addresses)
    except EnvironmentFailed:
        return False
