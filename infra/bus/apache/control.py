"""What can be done to a cluster from another process than the one that started it, by its state file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from infra.bus.admin import cluster_nodes, open_admin
from infra.bus.apache.cluster import await_cluster
from infra.bus.apache.fetch import DEFAULT_CACHE, kafka_jars, require_java
from infra.bus.apache.node import Node, NodeFacts, java_command
from infra.bus.apache.state import ClusterState
from infra.contracts.errors import BadInput, EnvironmentFailed

_STOP_WITHIN_S = 15.0
_GONE_WITHIN_S = 10.0


def still_running(data: Path) -> bool:
    """Whether a node of the cluster runs; a stop from elsewhere ends them all."""
    return bool(_state(data).running)


def stop_nodes(data: Path) -> list[int]:
    """Stop what runs, politely, after a while by force; the numbers of the nodes. Raises BadInput."""
    running = _state(data).running
    processes = [process for facts in running if (process := facts.process()) is not None]
    for process in processes:
        process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=_STOP_WITHIN_S)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=_GONE_WITHIN_S)
    return [facts.number for facts in running]


def kill_node(data: Path, number: int) -> int:
    """SIGKILL to a node; its process id. Raises BadInput where it does not run."""
    facts = _state(data).node(number)
    process = facts.process()
    if process is None:
        raise BadInput(f"node {number} does not run: `calmverse broker status` says which do")
    process.kill()
    psutil.wait_procs([process], timeout=_GONE_WITHIN_S)
    return facts.pid


def start_node(data: Path, number: int) -> int:
    """Start a node that has ended, and wait until the cluster has it; its process id.

    Raises BadInput where it runs already, EnvironmentFailed where it does not come back.
    """
    state = _state(data)
    facts = state.node(number)
    if facts.process() is not None:
        raise BadInput(f"node {number} runs already (pid {facts.pid})")
    java = java_command(require_java(), kafka_jars(DEFAULT_CACHE))
    node = Node(facts, data.resolve() / f"node-{number}", java, tethered=False)
    started = node.launch()
    state = state.with_nodes([started if each.number == number else each for each in state.nodes])
    state.save(data.resolve())
    await_cluster([node], [each.internal_address for each in state.running], len(state.running))
    return started.pid


def status_of(data: Path) -> dict[str, Any]:
    """What `broker status` shows; raises BadInput where there is no cluster."""
    state = _state(data)
    document: dict[str, Any] = {
        "version": f"Apache Kafka {state.version}",
        "bootstrap": state.bootstrap,
        "nodes": [_node(facts, data) for facts in state.nodes],
        "controller": None,
        "partitions": 0,
        "under_replicated": 0,
        "healthy": False,
    }
    if state.running:
        document |= _seen_by_admin(state)
    return document


def _state(data: Path) -> ClusterState:
    state = ClusterState.load(data)
    if state is None:
        raise BadInput(f"{data} holds no apache broker: start one with `calmverse broker up --broker apache`")
    return state


def _node(facts: NodeFacts, data: Path) -> dict[str, Any]:
    folder = data / f"node-{facts.number}"
    return {
        "number": facts.number,
        "address": facts.address,
        "controller_port": facts.controller_port,
        "pid": facts.pid,
        "running": facts.process() is not None,
        "disk_bytes": disk_use(folder.rglob("*")),
        "log": str(folder / "server.log"),
    }


def disk_use(paths: Iterable[Path]) -> int:
    """Bytes that files take on disk: an index is a sparse file of 10 MB."""
    total = 0
    for path in paths:
        try:
            total += path.lstat().st_blocks * 512
        except OSError:  # deleted meanwhile
            continue
    return total


def _seen_by_admin(state: ClusterState) -> dict[str, Any]:
    """What the cluster says of itself; nothing where it does not answer (too few nodes to elect a controller)."""
    address = state.running[0].internal_address
    try:
        with open_admin(address, "telling how it is") as admin:
            quorum = admin.describe_metadata_quorum()
            topics = admin.describe_topics()
        known = cluster_nodes(address)
    except EnvironmentFailed:
        return {}
    partitions = [partition for topic in topics for partition in topic["partitions"]]
    lacking = sum(len(each["isr_nodes"]) < len(each["replica_nodes"]) for each in partitions)
    leader = quorum["topics"][0]["partitions"][0]["leader_id"]
    return {
        "controller": leader,
        "partitions": len(partitions),
        "under_replicated": lacking,
        "healthy": len(known) == len(state.nodes) and lacking == 0,
    }
