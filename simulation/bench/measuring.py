"""Stepping a model and writing out every event, in CPU time of this process: other load does not count.

Figures are of waking hours, after a warm-up: nights are cheaper.
"""

import time
from dataclasses import dataclass, field

import pyarrow as pa

from infra.contracts.digest import Digest
from simulation.core.model import Metaverse
from simulation.reference import PlainMetaverse
from simulation.scenarios import load
from simulation.scenarios.model import Scenario

_START = "2026-03-02T10:00:00Z"


@dataclass(frozen=True)
class Span:
    """How many ticks are warm-up, and how many are measured."""

    warmup: int
    ticks: int


@dataclass
class Measured:
    """CPU seconds (of all, and of stepping alone), agent-steps and events of the measured ticks, what was written."""

    seconds: float = 0.0
    stepping_seconds: float = 0.0
    steps: int = 0
    events: int = 0
    digest: Digest = field(default_factory=Digest)
    rows: list[pa.RecordBatch] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Agent-steps a second, events written out."""
        return self.steps / self.seconds


def waking(people: int) -> Scenario:
    """The demo from ten in the morning, with so many people."""
    return load("demo", {"people": str(people), "start": _START, "warmup_days": "0"})


def measure(model: Metaverse | PlainMetaverse, span: Span, *, keep: bool = False) -> Measured:
    """Step through the span; `keep` keeps digest and rows for a comparison (not part of the time)."""
    for _ in range(span.warmup):
        model.step()
        model.drain()
    result = Measured(steps=span.ticks * len(model.people))
    for _ in range(span.ticks):
        began = time.process_time()
        model.step()
        stepped = time.process_time()
        output = model.drain()
        result.seconds += time.process_time() - began
        result.stepping_seconds += stepped - began
        result.events += output.events.num_rows
        if keep:
            result.digest.add_events(output.events)
            result.rows += [output.outcomes, output.truth]
    return result


def same(one: Measured, other: Measured) -> bool:
    """Whether two runs wrote the same: digests of the events, and the very bits of checks and true numbers."""
    if one.digest.hexdigest() != other.digest.hexdigest() or len(one.rows) != len(other.rows):
        return False
    # Batches are compared as bytes: NaN is equal to itself.
    return all(a.serialize().equals(b.serialize()) for a, b in zip(one.rows, other.rows, strict=True))
