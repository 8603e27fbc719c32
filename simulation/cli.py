"""Commands of the simulation: `bench sim`."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from infra.console import emit_json, say

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


COMMANDS: dict[str, typer.Typer | Callable[..., Any]] = {}
BENCHES: dict[str, Callable[..., Any]] = {"sim": bench_sim}
