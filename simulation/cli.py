"""Commands of the simulation: `calibrate`, `bench sim`."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.console import emit_json, progress_bar, say

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


def calibrate(
    scenario: Annotated[str, typer.Option("--scenario", help="A built-in scenario, or a YAML file.")] = "demo",
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the folder of the scorecard goes.")] = Path(
        "runs"
    ),
    json: Json = False,
) -> None:
    """Measure the population against published findings; exit 1 where fewer than 20 hold."""
    from simulation.calibration.protocols import total_days
    from simulation.calibration.scorecard import measure, write
    from simulation.scenarios import load

    loaded = load(scenario)
    with progress_bar() as bar:
        task = bar.add_task("half days", total=2 * total_days())
        card = measure(loaded, say, lambda minutes: bar.advance(task, minutes / 720))
    folder = write(card, out, shlex.join(["calmverse", *sys.argv[1:]]))
    say(f"{card.passed} of {len(card.results)} findings hold; report: {folder.path / 'calibration.html'}")
    if json:
        emit_json(card.as_json())
    if not card.ok:
        raise typer.Exit(1)


COMMANDS: dict[str, typer.Typer | Callable[..., Any]] = {"calibrate": calibrate}
BENCHES: dict[str, Callable[..., Any]] = {"sim": bench_sim}
