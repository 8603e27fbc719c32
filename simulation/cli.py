"""Commands of the simulation: `calibrate`, `oracle`, `bench sim`, `bench coverage`, `bench spillover`."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.console import emit_json, overrides, progress_bar, say
from infra.contracts.errors import BadInput
from infra.runs import stamped

INTERRUPTED = 130
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a scenario key.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of every random number.")]


def bench_sim(
    people: Annotated[int, typer.Option("--people", min=100, max=1_000_000, help="People in each form.")] = 10_000,
    ticks: Annotated[int, typer.Option("--ticks", min=10, max=1_440, help="Simulated minutes measured.")] = 60,
    largest: Annotated[
        int, typer.Option("--largest", min=10_000, max=1_000_000, help="Largest population of the scaling table.")
    ] = 1_000_000,
    json: Json = False,
) -> None:
    """People as arrays with compiled kernels against one Mesa object a person; two shards against one; the scaling."""
    from simulation.bench import SimulationBench, run_bench

    result = run_bench(SimulationBench(people=people, ticks=ticks, largest=largest), progress=say)
    say(
        f"arrays {result['agent_steps_per_s']:,} agent-steps/s ({result['events_per_s']:,} events/s), plain Mesa "
        f"{result['baseline_agent_steps_per_s']:,}: {result['ratio']} times as fast, equal events"
    )
    if json:
        emit_json(result)


def oracle(
    run: Annotated[
        str | None, typer.Option("--run", help="Run whose lake is read: a folder, an id in runs/, or latest.")
    ] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Instead: simulate this one in process.")] = None,
    set_: Sets = None,
    people: Annotated[int, typer.Option("--people", min=1, max=1_000_000, help="People who are looked at.")] = 300,
    unseen_by: Annotated[
        Path | None, typer.Option("--unseen-by", help="Checkpoint: only people whom it has never seen.")
    ] = None,
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
    from infra.contracts.split import PeopleSplit
    from infra.runs import find
    from simulation.oracle.command import OracleRequest, execute, tell
    from simulation.oracle.config import OracleConfig
    from simulation.scenarios import load

    if (run is None) == (scenario is None):
        raise BadInput("give either --run with a run, or --scenario with a scenario to simulate")
    if run is not None and (set_ or out):
        raise BadInput("--set and --out go with --scenario: a run is as it is, and its results are put beside it")
    split = None if unseen_by is None else PeopleSplit.of_checkpoint(unseen_by)
    config = OracleConfig(people=people, particles=particles, seed=seed, threads=threads, split=split)
    given = None if scenario is None else load(scenario, overrides(set_))
    folder = None if run is None else find(Path("runs"), run).path
    try:
        document = execute(OracleRequest(config=config, run=folder, scenario=given, compare=compare, out=out))
    except KeyboardInterrupt:
        say("stopped early: nothing was written")
        raise typer.Exit(INTERRUPTED) from None
    tell(document)
    if json:
        emit_json(document)
    if document["partial"] or document.get("compare", {}).get("partial"):
        say("stopped early: the result is partial")
        raise typer.Exit(INTERRUPTED)


def bench_coverage(
    seeds: Annotated[int, typer.Option("--seeds", min=10, max=100_000, help="Trials with the null preset.")] = 1000,
    strong_seeds: Annotated[int, typer.Option("--strong-seeds", min=10, help="Trials with the strong preset.")] = 100,
    json: Json = False,
) -> None:
    """Randomised trials over many seeds: does the interval cover no effect as often as it says."""
    from simulation.trials.coverage import CoverageBench, run_coverage

    config = CoverageBench(null_seeds=seeds, strong_seeds=strong_seeds)
    with progress_bar() as bar:
        task = bar.add_task("trials", total=seeds + strong_seeds)
        result = run_coverage(config, lambda done: bar.advance(task, done))
    null, strong = result["null"], result["strong"]
    say(f"null: {null['covered']:.1%} of {null['seeds']} intervals cover 0 (wanted: 93 to 97%)")
    say(f"strong: found in {strong['detected']:.0%} of {strong['seeds']} trials (wanted: 95% or more)")
    _finish(result, json=json, fine=result["pass"])


def bench_spillover(
    scenario: Annotated[str, typer.Option("--scenario", help="Built-in scenario or YAML file.")] = "spillover",
    seed: Seed = None,
    set_: Sets = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the folder with the truth goes.")] = Path(
        "runs"
    ),
    json: Json = False,
) -> None:
    """Offer practices to half of every circle: how far the other half moves, in truth and by a trial's estimate."""
    from simulation.scenarios import load
    from simulation.trials import interference
    from simulation.trials.offering import Offers

    resolved = load(scenario, overrides(set_))
    worlds = interference.live_interference(resolved, resolved.seed if seed is None else seed, Offers())
    result = interference.findings(worlds)
    folder = interference.write(worlds, result, stamped(out, f"spillover-{resolved.name}"))
    for arm in ("treated_half", "untreated_half", "estimated_untreated_half"):
        for name, found in result[arm].items():
            interval = f"[{found['ci_low']:+.4g}, {found['ci_high']:+.4g}]"
            say(f"{arm.replace('_', ' '):<25} {name:<14} {found['difference']:+.4g} {interval} {found['unit']}")
    say(f"truth by person: {folder.truth / interference.TABLE}")
    _finish(result, json=json, fine=result["moved"])


def _finish(result: dict[str, Any], *, json: bool, fine: bool) -> None:
    if json:
        emit_json(result)
    if not fine:
        raise typer.Exit(1)


def calibrate(
    scenario: Annotated[str, typer.Option("--scenario", help="A built-in scenario, or a YAML file.")] = "demo",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the folder of the scorecard goes.")] = Path(
        "runs"
    ),
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Measure the population against published findings; exit 1 where fewer than 20 hold."""
    from simulation.calibration.protocols import total_days
    from simulation.calibration.scorecard import measure, write
    from simulation.scenarios import load

    loaded = load(scenario, {} if seed is None else {"seed": str(seed)})
    with progress_bar() as bar:
        task = bar.add_task("half days", total=2 * total_days())
        card = measure(loaded, say, lambda minutes: bar.advance(task, minutes / 720))
    folder = write(card, out, shlex.join(["calmverse", *sys.argv[1:]]))
    say(f"{card.passed} of {len(card.results)} findings hold; report: {folder.path / 'calibration.html'}")
    _finish(card.as_json(), json=json, fine=card.ok)


COMMANDS: dict[str, typer.Typer | Callable[..., Any]] = {"calibrate": calibrate, "oracle": oracle}
BENCHES: dict[str, Callable[..., Any]] = {"sim": bench_sim, "coverage": bench_coverage, "spillover": bench_spillover}
