"""`calmverse loadtest`: how much load the pipeline holds, and how late it is. `calmverse audit`: what became of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.broker_options import Bootstrap, BrokerKind, Nodes, SecurityFile

_SLO_HELP = "Limit, several times: p99=250ms, p99.9=1s, decisions.p95=400ms, max=2s, lag=2000events, lost=0."

loadtest = typer.Typer(no_args_is_help=True, help="Load a system that is started for it, and measure how late it is.")


@loadtest.callback()
def _group() -> None:
    """Keeps `pipeline` a subcommand while it is the only one."""


@loadtest.command()
def pipeline(
    rate: Annotated[float, typer.Option(help="Events a second, at a constant rate.")],
    seconds: Annotated[float, typer.Option(help="Measured seconds.")] = 30.0,
    slo: Annotated[list[str] | None, typer.Option(help=_SLO_HELP)] = None,
    warmup: Annotated[float, typer.Option(help="Seconds of load before them, not measured.")] = 5.0,
    people: Annotated[int, typer.Option(help="Synthetic people; 0: one event per ten people and tick.")] = 0,
    slice_ms: Annotated[
        int, typer.Option(help="Wall time of one tick, ms: the events of a slice are due together.")
    ] = 50,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic events.")] = 0,
    model: Annotated[Path | None, typer.Option(help="Checkpoint folder to serve.")] = None,
    policy: Annotated[str, typer.Option(help="Intervention policy.")] = "threshold",
    broker: BrokerKind = "embedded",
    nodes: Nodes = 1,
    bootstrap: Bootstrap = None,
    security: SecurityFile = None,
    drain: Annotated[float, typer.Option(help="Longest wait for late scores after the load, s.")] = 60.0,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print the summary as the last line on stdout.")] = False,
) -> None:
    """A constant rate of synthetic events through broker, scorer, policy and archive.

    Latency counts from the time at which an event was due, so that a sender that stalls cannot hide it. Exit code 1
    when a limit is missed or an event is lost or scored twice, 130 after Ctrl-C.
    """
    from infra.bus.options import as_arguments, broker_options
    from load_tests.command import LoadTest, run

    settings = {
        "rate": rate,
        "seconds": seconds,
        "warmup": warmup,
        "people": people,
        "slice_ms": slice_ms,
        "seed": seed,
    }
    request = LoadTest(
        scenario="pipeline", settings=settings, slos=slo or [], model=model, policy=policy, drain=drain, runs=runs
    )
    chosen = broker_options(broker, nodes, bootstrap, security, 0)
    request = replace(request, broker=as_arguments(chosen))
    _finish(run(request), json)


def _finish(summary: dict[str, Any], as_json: bool) -> None:
    from infra.console import emit_json

    if as_json:
        emit_json(summary)
    code = exit_code(summary)
    if code:
        raise typer.Exit(code)


def exit_code(summary: dict[str, Any]) -> int:
    """130 when it was stopped, 0 when every objective was met, 1 when not."""
    if summary["partial"]:
        return 130
    return 0 if summary["passed"] else 1


def audit(
    run: Annotated[str, typer.Argument(help="A run id, a path, or latest.")] = "latest",
    live: Annotated[bool, typer.Option("--live", help="The topics of the run while it is at work.")] = False,
    bootstrap: Annotated[str | None, typer.Option(help="host:port of a broker, instead of a run.")] = None,
    namespace: Annotated[str | None, typer.Option(help="Namespace on that broker.")] = None,
    security: SecurityFile = None,
    record: Annotated[Path | None, typer.Option(help="File to keep the records in that a broker handed out.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as the last line on stdout.")] = False,
) -> None:
    """Prove sequence by sequence what was emitted, scored, decided, applied, archived and dead-lettered.

    Reads what a run left behind (a recording of its topics where one was kept, and its lake), or the topics of a live
    system, with none of the code that wrote them. Exit code 1 when something was lost, doubled or out of order.
    """
    from infra.console import emit_json
    from infra.contracts.errors import BadInput
    from infra.tail import target_of_broker
    from load_tests.audit.command import AuditRequest, run_audit

    target = target_of_broker(bootstrap, namespace, security)
    if record is not None and target is None and not live:
        raise BadInput("--record keeps what a broker hands out: add --live, or --bootstrap and --namespace")
    document = run_audit(AuditRequest(runs=runs, run=run, live=live, target=target, recording=record))
    if json:
        emit_json(document)
    if not document["clean"]:
        raise typer.Exit(1)


COMMANDS: dict[str, typer.Typer | Callable[..., Any]] = {"loadtest": loadtest, "audit": audit}
BENCHES: dict[str, Callable[..., Any]] = {}
