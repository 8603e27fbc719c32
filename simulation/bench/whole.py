"""Arrays against one Mesa object a person, two shards against one, small against large: one command."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.contracts.errors import VerdictFailed
from simulation.bench.baselines import measure_plain, measure_plain_with_python_random
from simulation.bench.measuring import Measured, Span, measure, same, waking
from simulation.bench.scaling import SIZES, scaling_table
from simulation.bench.shards import shard_speedup
from simulation.core.model import Metaverse

Say = Callable[[str], None]
_SCALING = Span(warmup=60, ticks=20)
_SHARDS = Span(warmup=30, ticks=50)


@dataclass(frozen=True, kw_only=True)
class SimulationBench:
    """Sizes: `people` in arrays and as objects, `warmup` ticks not measured; the largest population of the table.

    Shards are measured with two sizes: a tick of a smaller population is short beside what shards cost, the larger is
    what they are for, and its ratio is the one that is told.
    """

    people: int = 10_000
    ticks: int = 60
    warmup: int = 60
    largest: int = SIZES[-1]
    sharded_people: tuple[int, ...] = (300_000, 1_000_000)


def run_bench(config: SimulationBench, progress: Say) -> dict[str, Any]:
    """Measure all of it; raises VerdictFailed where the two forms write different events, checks or true numbers."""
    scenario, span = waking(config.people), Span(config.warmup, config.ticks)
    fast = measure(Metaverse(scenario), span, keep=True)  # compiles, where that has not happened yet
    plain = measure_plain(scenario, span)
    if not same(fast, plain):
        raise VerdictFailed("the array model and the reference differ: run tests/unit/simulation/test_twins.py")
    with_python = measure_plain_with_python_random(scenario, span)
    progress(f"reference: {plain.rate:,.0f} agent-steps/s; {with_python.rate:,.0f} with Python's own random numbers")
    fast = max((measure(Metaverse(scenario), span) for _ in range(3)), key=lambda measured: measured.rate)
    table = scaling_table(config.largest, _SCALING, progress)
    shards = [shard_speedup(people, _SHARDS, progress) for people in config.sharded_people]
    return _result(config, fast, (plain, with_python)) | {
        "shard_speedup": shards[-1]["speedup"],
        "shards": shards,
        "bytes_per_person": table[-1]["bytes_per_person"],
        "scaling": table,
        "compared_events": plain.events,
    }


def _result(config: SimulationBench, fast: Measured, plain: tuple[Measured, Measured]) -> dict[str, Any]:
    baseline = max(measured.rate for measured in plain)
    return {
        "agent_steps_per_s": round(fast.rate),
        "baseline_agent_steps_per_s": round(baseline),
        "ratio": round(fast.rate / baseline, 1),
        "events_per_s": round(fast.events / fast.seconds),
        "stepping_only_per_s": round(fast.steps / fast.stepping_seconds),
        "baselines": {
            "reference": round(plain[0].rate),
            "python_random": round(plain[1].rate),
        },
        "equal_events": True,
        "people": config.people,
        "ticks": config.ticks,
    }
