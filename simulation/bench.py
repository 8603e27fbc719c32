"""How fast the population steps: arrays and compiled kernels against the plain reference, in one process.

Both write out every event as Arrow batches, and both are measured in CPU time of this process (one thread), so that
other load on the machine does not count. The figures are of waking hours, after a warm-up: nights are cheaper.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from infra.contracts.digest import Digest
from infra.contracts.errors import VerdictFailed
from simulation.core.model import Metaverse
from simulation.reference import PlainMetaverse
from simulation.scenarios import load
from simulation.scenarios.model import Scenario

_START = "2026-03-02T10:00:00Z"


@dataclass(frozen=True, kw_only=True)
class SimulationBench:
    """Sizes: `people` in arrays, `baseline_people` of the same scenario as objects; `warmup` ticks are not measured."""

    people: int = 10_000
    baseline_people: int = 10_000
    ticks: int = 60
    warmup: int = 60


@dataclass(frozen=True)
class Measured:
    """CPU seconds (of all, and of stepping alone), agent-steps and events of the measured ticks, what was written."""

    seconds: float
    stepping_seconds: float
    steps: int
    events: int
    digest: str
    rows: list[pa.RecordBatch]


def run_bench(config: SimulationBench, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure both forms; raises VerdictFailed where their events, checks or true numbers differ."""
    began = time.perf_counter()
    small = _scenario(config.baseline_people)
    fast_small = _measure(Metaverse(small), config)
    compile_s = time.perf_counter() - began
    progress(f"compiled and warmed up in {compile_s:.1f} s")
    plain = _measure(PlainMetaverse(small), config)
    progress(f"reference: {plain.steps / plain.seconds:,.0f} agent-steps/s with {config.baseline_people} people")
    if not same(fast_small, plain):
        raise VerdictFailed("the array model and the reference differ: run tests/unit/simulation/test_twins.py")
    fast_small = _measure(Metaverse(small), config)
    model = Metaverse(_scenario(config.people))
    fast = _measure(model, config)
    rate, baseline = fast.steps / fast.seconds, plain.steps / plain.seconds
    return {
        "agent_steps_per_s": round(rate),
        "baseline_agent_steps_per_s": round(baseline),
        "ratio": round(rate / baseline, 1),
        "same_people_ratio": round(fast_small.steps / fast_small.seconds / baseline, 1),
        "stepping_only_per_s": round(fast.steps / fast.stepping_seconds),
        "events_per_s": round(fast.events / fast.seconds),
        "equal_events": True,
        "compared_events": plain.events,
        "people": config.people,
        "baseline_people": config.baseline_people,
        "ticks": config.ticks,
        "bytes_per_person": round(model.people.nbytes / config.people),
        "first_use_s": round(compile_s, 1),
    }


def same(one: Measured, other: Measured) -> bool:
    """Whether two runs wrote the same: digests of the events, and the very bits of checks and true numbers."""
    if one.digest != other.digest or len(one.rows) != len(other.rows):
        return False
    # Batches are compared as bytes: NaN is equal to itself.
    return all(a.serialize().equals(b.serialize()) for a, b in zip(one.rows, other.rows, strict=True))


def _scenario(people: int) -> Scenario:
    return load("demo", {"people": str(people), "start": _START, "warmup_days": "0"})


def _measure(model: Metaverse | PlainMetaverse, config: SimulationBench) -> Measured:
    for _ in range(config.warmup):
        model.step()
        model.drain()
    digest, rows, events, seconds, stepping = Digest(), list[pa.RecordBatch](), 0, 0.0, 0.0
    for _ in range(config.ticks):
        began = time.process_time()
        model.step()
        stepped = time.process_time()
        output = model.drain()
        seconds += time.process_time() - began
        stepping += stepped - began
        events += output.events.num_rows
        digest.add_events(output.events)
        rows += [output.outcomes, output.truth]
    steps = config.ticks * len(model.people)
    return Measured(seconds, stepping, steps, events, digest.hexdigest(), rows)
