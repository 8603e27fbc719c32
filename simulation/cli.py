"""Commands of the simulation: oracle, `bench sim`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.console import emit_json, say
from infra.contracts.errors import BadInput

INTERRUPTED = 130
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def bench_sim(
    people: Annotated[int, typer.Option("--people", min=100, max=1_000_000, help="People in each form.")] = 10_000,
    ticks: Annotated[int, typer.Option("--ticks", min=10, max=1_440, help="Simulated minutes measured.")] = 60,
    json: Json = False,
) -> None:
    """People as arrays with compiled kernels against one Mesa object a person: same events, one thread."""
    from simulation.bench import SimulationBench, run_bench

    result = run_bench(SimulationBench(people=people, baseline_people=people, ticks=ticks), progress=say)
    say(
        f"arrays {result['agent_steps_per_s']:,} agent-steps/s ({result['events_per_s']:,} events/s), reference "
        f"{result['baseline_agent_steps_per_s']:,}: {result['ratio']} times as fast, equal events"
    )
    if json:
        emit_json(result)


def oracle(
    run: Annotated[Path | None, typer.Option("--run", help="Folder of a run: its lake is read.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Instead: simulate this one in process.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of it.")] = None,
    people: Annotated[int, typer.Option("--people", min=1, max=1_000_000, help="People who are looked at.")] = 300,
    particles: Annotated[int, typer.Option("--particles", min=50, max=100_000, help="Suppositions a person.")] = 1000,
    compare: Annotated[
        int | None, typer.Option("--compare", min=50, max=100_000, help="Also with so many particles, and compare.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the oracle's own random numbers.")] = 1,
    threads: Annotated[int, typer.Option("--threads", min=1, max=64, help="People filtered at once.")] = 2,
    out: Annotated[Path | None, typer.Option("--out", help="With --scenario: folder that results go to.")] = None,
    json: Json = False,
) -> None:
    """The best prediction from what can be seen, and what every action would have done; written beside the run."""
    from simulation.oracle.command import OracleRequest, execute, tell
    from simulation.oracle.config import OracleConfig
    from simulation.scenarios import load

    if (run is None) == (scenario is None):
        raise BadInput("give either --run with the folder of a run, or --scenario with a scenario to simulate")
    if run is not None and (set_ or out):
        raise BadInput("--set and --out go with --scenario: a run is as it is, and its results are put beside it")
    config = OracleConfig(people=people, particles=particles, seed=seed, threads=threads)
    given = None if scenario is None else load(scenario, _overrides(set_))
    document = execute(OracleRequest(config=config, run=run, scenario=given, compare=compare, out=out))
    tell(document)
    if json:
        emit_json(document)
    if document["partial"] or document.get("compare", {}).get("partial"):
        say("stopped early: the result is partial")
        raise typer.Exit(INTERRUPTED)


def _overrides(pairs: list[str] | None) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs or []]
    for key, sign, _ in split:
        if not key or not sign:
            raise BadInput(f"--set {key}: write it as --set KEY=VALUE, such as --set people=500")
    return {key: value for key, _, value in split}


COMMANDS: dict[str, typer.Typer | Callable[..., Any]] = {"oracle": oracle}
BENCHES: dict[str, Callable[..., Any]] = {"sim": bench_sim}
