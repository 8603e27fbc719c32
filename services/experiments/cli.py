"""Commands of the whole: run, replay, compare, up."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.broker_options import Bootstrap, BrokerKind, Nodes, Port, SecurityFile
from infra.console import emit_json, overrides, say
from infra.contracts.errors import BadInput

Runs = Annotated[Path, typer.Option("--runs", help="Where run folders go.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of every random number.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a scenario key.")]
Otlp = Annotated[str | None, typer.Option("--otlp", metavar="ENDPOINT", help="Also send spans to this OTLP/HTTP URL.")]
Model = Annotated[Path | None, typer.Option("--model", help="A checkpoint to serve instead of training one.")]
PolicyName = Annotated[str | None, typer.Option("--policy", help="Name of the policy; its defaults otherwise.")]

INTERRUPTED = 130
DEFAULT_SEED = 7


def command_line() -> str:
    """What was typed, for the report."""
    return shlex.join(["calmverse", *sys.argv[1:]])


def with_policy(policy: str | None, pairs: list[str] | None) -> dict[str, str]:
    """`--set` options after the policy that was named, so that `--set policy.threshold=0.3` changes a key of it."""
    return ({"policy": f"{{name: {policy}}}"} if policy else {}) | overrides(pairs)


def run(
    scenario: Annotated[str, typer.Argument(help="A built-in scenario, or the path of a YAML file.")] = "demo",
    seed: Seed = None,
    set_: Sets = None,
    policy: PolicyName = None,
    model: Model = None,
    otlp: Otlp = None,
    broker: BrokerKind = "embedded",
    nodes: Nodes = 1,
    bootstrap: Bootstrap = None,
    security: SecurityFile = None,
    port: Port = 0,
    no_services: Annotated[
        bool, typer.Option("--no-services", help="Only the population into Kafka, in shards; counted at both ends.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Keep every record of the topics in the run, for `calmverse audit`.")
    ] = False,
    kills: Annotated[
        int, typer.Option("--kills", min=0, max=500, help="Kill services, and one node of three, so often meanwhile.")
    ] = 0,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Run the closed loop: people, Kafka, model on Ray, policy, interventions; then audit and report."""
    from infra.bus.options import broker_options
    from services.experiments.run import RunRequest
    from services.experiments.run import run as execute
    from services.experiments.stack import StackOptions
    from simulation.scenarios import load

    given = with_policy(policy, set_)
    resolved = load(scenario, given)
    stack = StackOptions(broker=broker_options(broker, nodes, bootstrap, security, port), otlp=otlp)
    chosen = resolved.seed if seed is None else seed
    common: dict[str, Any] = {
        "scenario": resolved,
        "seed": chosen,
        "runs": runs,
        "command": command_line(),
        "stack": stack,
    }
    if no_services:
        if model is not None or policy is not None or otlp is not None or record or kills:
            raise BadInput(
                "--no-services runs the population alone: leave out --model, --policy, --otlp, --record and --kills"
            )
        _run_alone(common, json=json)
        return
    _finish(execute(RunRequest(**common, model=model, record=record, kills=kills)), runs, json=json)


def _run_alone(common: dict[str, Any], *, json: bool) -> None:
    """`run --no-services`."""
    from services.experiments.population_run import PopulationRequest, clean, run_population

    document = run_population(PopulationRequest(**common))
    say(
        f"{document['events_emitted']:,} events sent, {document['events_read']:,} read, digest {document['digest']}, "
        f"{document['wall_s']:.0f} s, at most {document['peak_memory_bytes'] / 1e9:.1f} GB besides the broker"
    )
    say(f"report: {common['runs'] / str(document['run_id']) / 'report.html'}")
    if json:
        emit_json(document)
    if document["partial"]:
        say("stopped early: the run is partial")
        raise typer.Exit(INTERRUPTED)
    if not clean(document):
        say("what was read is not what was sent: see summary.json")
        raise typer.Exit(1)


def _finish(document: dict[str, object], runs: Path, *, json: bool) -> None:
    """Say where the report is, print the summary where asked, and exit by the verdict."""
    say(f"report: {runs / str(document['run_id']) / 'report.html'}")
    if json:
        emit_json(document)
    if document["partial"]:
        say("stopped early: the run is partial")
        raise typer.Exit(INTERRUPTED)
    if document["events_lost"] or document["events_duplicated"]:
        say(f"{document['events_lost']} events lost, {document['events_duplicated']} duplicated")
        raise typer.Exit(1)


def generate(
    scenario: Annotated[str, typer.Argument(help="A built-in scenario, or the path of a YAML file.")] = "demo",
    seed: Seed = None,
    set_: Sets = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Simulate people straight into a lake to train on: no Kafka, no services, no offers."""
    from services.experiments.generation import GenerationRequest
    from services.experiments.generation import generate as execute
    from simulation.scenarios import load

    resolved = load(scenario, overrides(set_))
    chosen = resolved.seed if seed is None else seed
    document = execute(GenerationRequest(scenario=resolved, seed=chosen, runs=runs, command=command_line()))
    say(
        f"{document['events_emitted']:,} events of {document['people']:,} people, digest {document['digest']}, in "
        f"{runs / str(document['run_id']) / 'lake'}"
    )
    if json:
        emit_json(document)
    if document["partial"]:
        say("stopped early: the run is partial")
        raise typer.Exit(INTERRUPTED)


def replay(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON lines or Parquet; one event a row.")],
    map_: Annotated[Path | None, typer.Option("--map", help="YAML: which columns are what.")] = None,
    model: Model = None,
    policy: Annotated[str, typer.Option("--policy", help="Policy that decides on these people.")] = "never",
    seed: Seed = None,
    otlp: Otlp = None,
    broker: BrokerKind = "embedded",
    nodes: Nodes = 1,
    bootstrap: Bootstrap = None,
    security: SecurityFile = None,
    port: Port = 0,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Send a log of outside events through Kafka, the model and the services."""
    from infra.bus.options import broker_options
    from models.features.outside_map import load_map
    from services.experiments.replay import ReplayRequest, verdict
    from services.experiments.replay import replay as execute
    from services.experiments.stack import StackOptions

    document = execute(
        ReplayRequest(
            file=file,
            mapping=load_map(map_),
            policy=policy,
            seed=DEFAULT_SEED if seed is None else seed,
            runs=runs,
            command=command_line(),
            stack=StackOptions(broker=broker_options(broker, nodes, bootstrap, security, port), otlp=otlp),
            model=model,
        )
    )
    if json:
        emit_json(document)
    if document["partial"]:
        raise typer.Exit(INTERRUPTED)
    verdict(document)


def compare(
    policies: Annotated[str, typer.Option("--policies", help="Names with commas; the first is the baseline.")],
    seeds: Annotated[int, typer.Option("--seeds", help="Populations to live through.")] = 4,
    scenario: Annotated[str, typer.Option("--scenario", help="Built-in scenario or YAML file.")] = "demo",
    people: Annotated[int, typer.Option("--people", help="People in each population.")] = 1000,
    seed: Seed = None,
    set_: Sets = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Compare policies on the same people with the same random numbers: paired differences with intervals."""
    from services.experiments.compare import CompareRequest
    from services.experiments.compare import compare as execute
    from simulation.scenarios import load

    given = {"people": str(people)} | overrides(set_) | ({} if seed is None else {"seed": str(seed)})
    names = tuple(name.strip() for name in policies.split(",") if name.strip())
    result = execute(
        CompareRequest(
            scenario=load(scenario, given), policies=names, seeds=seeds, runs=runs, command=command_line(), model=model
        )
    )
    say_differences(result)
    if json:
        emit_json(result)
    if result["partial"]:
        raise typer.Exit(INTERRUPTED)


def say_differences(result: dict[str, Any]) -> None:
    """The table of a comparison, for people."""
    for row in result["differences"]:
        unit = result["metrics"][row["metric"]]["unit"]
        # Sums of floats that cancel leave some 1e-18: that is no difference.
        middle, low, high = (f"{round(row[key], 12):+.4g}" for key in ("difference", "ci_low", "ci_high"))
        name = f"{row['policy']} - {row['baseline']}"
        say(f"{name:<22} {row['metric']:<17} {middle} [{low}, {high}] {unit}")


def up(
    run_dir: Annotated[Path, typer.Option("--run-dir", help="Folder for logs, lake, spans and live.json.")],
    namespace: Annotated[str, typer.Option("--namespace", help="Prefix of the topics.")] = "local",
    model: Model = None,
    policy: Annotated[str, typer.Option("--policy", help="Policy to start with.")] = "threshold",
    seed: Seed = None,
    otlp: Otlp = None,
    broker: BrokerKind = "embedded",
    nodes: Nodes = 1,
    bootstrap: Bootstrap = None,
    security: SecurityFile = None,
    port: Port = 0,
) -> None:
    """Start broker, model and services, and hold them until Ctrl-C; live.json says where everything is."""
    from infra.bus.options import broker_options
    from services.experiments.stack import StackOptions
    from services.experiments.up import UpRequest
    from services.experiments.up import up as execute

    execute(
        UpRequest(
            run_dir=run_dir,
            namespace=namespace,
            policy=policy,
            seed=DEFAULT_SEED if seed is None else seed,
            model=model,
            stack=StackOptions(broker=broker_options(broker, nodes, bootstrap, security, port), otlp=otlp),
        )
    )


def watch(
    scenario: Annotated[str, typer.Argument(help="A built-in scenario, or the path of a YAML file.")] = "demo",
    seed: Seed = None,
    set_: Sets = None,
    policy: PolicyName = "random",
    model: Model = None,
    speed: Annotated[float, typer.Option("--speed", min=0, help="Simulated minutes a second; 0 begins paused.")] = 30.0,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the page; 0 takes any free one.")] = 0,
) -> None:
    """Show a running population on a page: worlds, focus, contagion, interventions. Without a broker."""
    from services.experiments.watch.main import WatchRequest
    from services.experiments.watch.main import watch as execute
    from services.experiments.watch.population import Pace
    from simulation.scenarios import load

    given = with_policy(policy, set_) | ({} if seed is None else {"seed": str(seed)})
    execute(
        WatchRequest(
            scenario=load(scenario, given),
            pace=Pace(minutes_per_second=speed),
            port=port,
            command=command_line(),
            model=model,
        )
    )


COMMANDS = {"run": run, "generate": generate, "replay": replay, "compare": compare, "up": up, "watch": watch}
BENCHES: dict[str, object] = {}
