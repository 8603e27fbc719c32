"""Two shards on Ray against one, in wall time: the same people, the same minutes, taken in turns."""

import time
from collections.abc import Callable
from typing import Any

from simulation.bench.measuring import Span, waking
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios.model import Scenario
from simulation.shards.on_ray import RayShards
from simulation.shards.shard import ShardPlan

ROUNDS = 5
"""Turns of each: other load on the machine hits both."""


class CountingOutlet:
    """Counts events, which have been written out as batches; keeps nothing."""

    def __init__(self, index: int) -> None:
        del index
        self._events = 0

    def take(self, parts: dict[int, TickOutput], population: Metaverse) -> None:
        """Count the events of a tick."""
        del population
        self._events += sum(output.events.num_rows for output in parts.values())

    def close(self) -> int:
        """Events so far."""
        return self._events


def shard_speedup(people: int, span: Span, progress: Callable[[str], None]) -> dict[str, Any]:
    """Agent-steps a second of one shard and of two, and their ratio: of the fastest turn of each."""
    from infra.hosting.ray_session import ray_session  # noqa: PLC0415  heavy: only where Ray is used

    scenario = waking(people)
    turn = max(1, span.ticks // ROUNDS)
    with ray_session(cpus=4), RayShards(_plan(scenario, 1)) as one, RayShards(_plan(scenario, 2)) as two:
        for shards in (one, two):
            shards.advance(span.warmup)
        times = [(_timed(one, turn), _timed(two, turn)) for _ in range(ROUNDS)]
        alone, together = min(first for first, _ in times), min(second for _, second in times)
    result = {
        "people": people,
        "one_shard_agent_steps_per_s": round(people * turn / alone),
        "two_shards_agent_steps_per_s": round(people * turn / together),
        "speedup": round(alone / together, 2),
    }
    progress(f"two shards with {people:,} people: {result['speedup']} times one shard")
    return result


def _plan(scenario: Scenario, shards: int) -> ShardPlan:
    return ShardPlan(scenario=scenario, seed=scenario.seed, shards=shards, outlet=CountingOutlet)


def _timed(shards: RayShards, ticks: int) -> float:
    began = time.perf_counter()
    shards.advance(ticks)
    return time.perf_counter() - began
