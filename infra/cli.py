"""Commands of the ground floor: broker, tail, deadletters, doctor, bench bus, bench eos."""

import os
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.broker_options import Nodes, SecurityFile
from infra.bus.cli import broker
from infra.console import emit_json, say, stderr
from infra.contracts.errors import EnvironmentFailed
from infra.deadletters.cli import deadletters

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]
Bootstrap = Annotated[str | None, typer.Option("--bootstrap", help="host:port of a broker, instead of --run.")]
Namespace = Annotated[str | None, typer.Option("--namespace", help="Namespace on that broker.")]


def tail(
    run: Annotated[str, typer.Option("--run", help="A run id, a path, or latest.")] = "latest",
    bootstrap: Bootstrap = None,
    namespace: Namespace = None,
    security: SecurityFile = None,
    stream: Annotated[str, typer.Option("--stream", help="events, outcomes, scores, decisions, …")] = "events",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Stop after so many records.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="From the first record, not from now on.")] = False,
    runs: Annotated[Path, typer.Option("--runs", help="Where run folders are.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Accepted for symmetry: it always prints JSON lines.")] = False,
) -> None:
    """Print the records of a live run as they pass, one JSON object a line, until Ctrl-C or the end of the run."""
    import orjson

    from infra.tail import follow, target_of_broker, target_of_run

    del json
    target = target_of_broker(bootstrap, namespace, security) or target_of_run(runs, run)
    try:
        for row in islice(follow(target, stream, from_start=from_start), limit):
            sys.stdout.write(orjson.dumps(row, default=str).decode() + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        say("stopped")
    except BrokenPipeError:
        # The reader (`| head`) has enough; without this the interpreter complains when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def doctor(
    runs: Annotated[Path, typer.Option("--runs", help="Where run folders would go.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Check that this machine can do a run. Exit 3 when something that is needed fails."""
    from infra.doctor import as_document, examine

    checks = []
    for check in examine(runs):
        checks.append(check)
        mark = "ok  " if check.ok else "FAIL" if check.needed else "note"
        stderr().print(f"{mark}  {check.name:<16} {check.found}{f'  → {check.advice}' if check.advice else ''}")
    document = as_document(checks)
    if json:
        emit_json(document)
    if not document["ok"]:
        failed = ", ".join(check.name for check in checks if check.needed and not check.ok)
        raise EnvironmentFailed(f"this machine cannot do a run yet: {failed}. What to do stands behind each arrow")


def bench_bus(
    rows: Annotated[int, typer.Option("--rows", min=1, max=100_000, help="Events in a frame.")] = 8_000,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often frames are measured.")] = 8,
    json: Json = False,
) -> None:
    """Arrow frames against one JSON message an event: produce and consume, same client, same events, same broker."""
    from infra.bus.bench import BusBench, run_bench

    result = run_bench(BusBench(rows=rows, rounds=rounds), progress=say)
    say(
        f"frames {result['events_per_s']:,.0f} events/s, one JSON message an event "
        f"{result['baseline_events_per_s']:,.0f} events/s: {result['ratio']} times as fast"
    )
    if json:
        emit_json(result)


def bench_eos(
    rows: Annotated[int, typer.Option("--rows", min=1, max=10_000, help="Events in a frame.")] = 1_000,
    ticks: Annotated[int, typer.Option("--ticks", min=10, help="Ticks of four frames, in each measurement.")] = 400,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often both ways are measured, in turn.")] = 5,
    nodes: Nodes = 1,
    json: Json = False,
) -> None:
    """Exactly-once through two hops on Apache Kafka, beside at-least-once in the same run with the same frames."""
    from infra.bus.eos.bench import EosBench, run_bench

    result = run_bench(EosBench(rows=rows, ticks=ticks, rounds=rounds, nodes=nodes), progress=say)
    say(
        f"exactly once {result['frames_per_s']:,} frames/s ({result['events_per_s']:,} events/s), at least once "
        f"{result['at_least_once_frames_per_s']:,}: exactly-once costs {result['cost']:.1%}"
    )
    if json:
        emit_json(result)


COMMANDS: dict[str, typer.Typer | Callable[..., Any]] = {
    "broker": broker,
    "tail": tail,
    "deadletters": deadletters,
    "doctor": doctor,
}
BENCHES: dict[str, Callable[..., Any]] = {"bus": bench_bus, "eos": bench_eos}
