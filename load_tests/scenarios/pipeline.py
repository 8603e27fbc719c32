"""A constant rate of synthetic events through the whole pipeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from infra.contracts.errors import BadInput
from infra.contracts.topics import PARTITIONS
from load_tests.scenarios.scenario import FIRST_TICK, Slice
from load_tests.synthetic.crowd import Acts, Crowd
from load_tests.synthetic.rows import event_rows

_DENSITY: Final = 0.1  # events a person and simulated minute where `people` is not given, as in a day of the demo
_FEWEST: Final = 100
_LIMITS: Final = {
    "rate": (1.0, 10_000_000.0),
    "seconds": (1.0, 86_400.0),
    "warmup": (0.0, 3_600.0),
    "slice_ms": (5, 5_000),
    "people": (0, 50_000_000),
}


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """`rate` events a second at a constant rate, from `people` people, cut into slices of `slice_ms`.

    The schedule: slice k is due at start + (k+1)·slice_ms and holds the events whose ordinal divided by the rate falls
    into the slice. All of them are intended at the slice's due time, as a simulation emits a tick when it is over.
    Each slice is one tick of the stream, so simulated time runs at 60 s / slice_ms times the wall clock.
    `people` 0 takes as many as make 0.1 events a person and tick.
    """

    name: ClassVar[str] = "pipeline"
    rate: float
    seconds: float
    warmup: float = 5.0
    slice_ms: int = 50
    people: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for field, (low, high) in _LIMITS.items():
            value = getattr(self, field)
            if not low <= value <= high:
                option = field.replace("_", "-")
                raise BadInput(f"--{option} is {value:g}: give a number from {low:g} to {high:g}")
        if self.people == 0:
            derived = round(self.rate * self.slice_ms / 1000 / _DENSITY)
            object.__setattr__(self, "people", max(_FEWEST, derived))

    def slices(self, start_us: int) -> Iterator[Slice]:
        """Every slice in order; the same rows for the same settings, but for `intended_at`."""
        crowd = Crowd(self.people, self.seed)
        count = int(np.ceil((self.warmup + self.seconds) * 1000 / self.slice_ms))
        sent = 0
        for ordinal in range(count):
            upto = round(self.rate * (ordinal + 1) * self.slice_ms / 1000)
            tick, due_us = FIRST_TICK + ordinal, start_us + (ordinal + 1) * self.slice_ms * 1000
            yield _slice(crowd, crowd.act(tick, upto - sent), tick, due_us)
            sent = upto


def _slice(crowd: Crowd, acts: Acts, tick: int, due_us: int) -> Slice:
    batch = event_rows(crowd, acts, tick, due_us)
    bounds = np.searchsorted(crowd.partitions[acts.who], np.arange(PARTITIONS + 1))
    parts = {
        partition: batch.slice(first, last - first)
        for partition, (first, last) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
        if last > first
    }
    return Slice(tick=tick, due_us=due_us, parts=parts)


SCENARIO = Pipeline
