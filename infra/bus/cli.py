"""`calmverse broker`: a broker on this machine, for as long as somebody wants it."""

import signal
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.broker_options import Nodes
from infra.console import emit_json, say
from infra.contracts.errors import BadInput

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]
Data = Annotated[Path, typer.Option("--data", help="Folder of an apache broker: data, logs, and who its nodes are.")]
DEFAULT_DATA = Path(".cache/broker")

broker = typer.Typer(no_args_is_help=True, help="A broker on this machine: embedded, or Apache Kafka.")


@broker.command()
def up(
    kind: Annotated[str, typer.Option("--broker", help="embedded (in memory) or apache (on disk).")] = "embedded",
    nodes: Nodes = 1,
    port: Annotated[
        int, typer.Option("--port", help="Port on 127.0.0.1, of the first node; 0 takes any free ones.")
    ] = 9092,
    data: Data = DEFAULT_DATA,
    detach: Annotated[
        bool, typer.Option("--detach", help="Come back when it is ready; `broker down` stops it.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a broker until Ctrl-C, or detached. An apache broker goes on with what its data folder holds."""
    from infra.bus.brokers import BrokerOptions

    options = BrokerOptions(kind=kind, nodes=nodes, port=port, data=data)
    if kind == "external":
        raise BadInput("an external broker is up already: start an embedded or an apache one")
    if detach and kind != "apache":
        raise BadInput("--detach is for --broker apache: an embedded broker dies with the command that started it")
    if kind == "apache":
        _up_apache(options, detach=detach, json=json)
    else:
        _up_embedded(port, json=json)


@broker.command()
def down(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Stop the nodes of an apache broker by their process ids; its data stays."""
    from infra.bus.apache.control import stop_nodes

    stopped = stop_nodes(data)
    say(f"stopped {len(stopped)} node{'s' if len(stopped) != 1 else ''}; what they held is in {data}")
    if json:
        emit_json({"stopped": stopped})


@broker.command()
def status(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Nodes, ports, controller, partitions with too few copies, disk use. Exit 1 when something is missing."""
    from infra.bus.apache.control import status_of

    found = status_of(data)
    for node in found["nodes"]:
        life = f"pid {node['pid']}" if node["running"] else "not running"
        role = ", controller" if node["number"] == found["controller"] else ""
        say(f"node {node['number']}: {node['address']}, {life}{role}, {node['disk_bytes'] / 1e6:.1f} MB")
    say(f"{found['version']}: {found['partitions']} partitions, {found['under_replicated']} with too few copies")
    if json:
        emit_json(found)
    if not found["healthy"]:
        raise typer.Exit(1)


@broker.command()
def kill(
    node: Annotated[int, typer.Argument(help="Number of the node.")], data: Data = DEFAULT_DATA, json: Json = False
) -> None:
    """Kill a node of an apache broker with SIGKILL, as an accident would."""
    from infra.bus.apache.control import kill_node

    pid = kill_node(data, node)
    say(f"killed node {node} (pid {pid}); `calmverse broker start {node}` starts it again")
    if json:
        emit_json({"node": node, "pid": pid})


@broker.command()
def start(
    node: Annotated[int, typer.Argument(help="Number of the node.")], data: Data = DEFAULT_DATA, json: Json = False
) -> None:
    """Start a node of an apache broker that was killed, and wait until the cluster has it again."""
    from infra.bus.apache.control import start_node

    pid = start_node(data, node)
    say(f"node {node} is back (pid {pid})")
    if json:
        emit_json({"node": node, "pid": pid})


def _up_embedded(port: int, *, json: bool) -> None:
    from infra.bus.embedded import EmbeddedBroker

    stop = _stop_signal()
    with EmbeddedBroker(port) as running:
        say(f"{running.version} on {running.bootstrap}; Ctrl-C stops it, and what it holds is gone")
        if json:
            emit_json(_facts(running))
        while not stop.wait(0.2):
            running.revive()


def _up_apache(options: Any, *, detach: bool, json: bool) -> None:  # noqa: ANN401 - BrokerOptions, imported late
    from infra.bus.apache.cluster import ApacheBroker, ApacheOptions
    from infra.bus.apache.control import still_running

    stop = _stop_signal()
    chosen = ApacheOptions(
        nodes=options.nodes, data=options.data, port=options.port, cache=options.cache, detached=detach
    )
    running = ApacheBroker(chosen)
    running.start()
    say(f"{running.version}, {running.nodes} nodes on {running.bootstrap}, data in {options.data}")
    if json:
        emit_json(_facts(running))
    if detach:
        return
    try:
        say("Ctrl-C stops it; its data stays")
        while not stop.wait(0.2) and still_running(options.data):
            pass
    finally:
        running.stop()


def _facts(running: Any) -> dict[str, object]:  # noqa: ANN401 - a Broker, imported late
    from infra.bus.broker import describe

    return describe(running) | {"bootstrap": running.bootstrap, "pids": running.pids}


def _stop_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
