"""What every scenario gives, and finding scenarios by their file name."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol, cast

import pyarrow as pa

from infra.contracts.errors import BadInput
from infra.contracts.time import parse_us, tick_of

FIRST_TICK = tick_of(parse_us("2026-01-05T08:00:00+00:00"))
"""Simulated minute that every load begins with: a Monday morning."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What is due at one moment: one tick of the stream, a slice of wall time long.

    `parts` has the EVENT rows of each partition (none where it has no rows), sorted by (person, seq).
    """

    tick: int
    due_us: int  # wall time, µs; the intended_at of every row
    parts: Mapping[int, pa.RecordBatch]

    @property
    def rows(self) -> int:
        """Events in the slice."""
        return sum(batch.num_rows for batch in self.parts.values())


class Scenario(Protocol):
    """A load: a frozen dataclass of settings, validated when it is made."""

    name: ClassVar[str]
    rate: float  # events/s
    seconds: float  # measured seconds
    warmup: float  # seconds before them, sent and not measured
    slice_ms: int  # wall time of one tick
    people: int
    seed: int

    def slices(self, start_us: int) -> Iterator[Slice]:
        """Every slice, in order, for a load that begins at `start_us` (µs wall); lazily, without waiting."""
        ...


@cache
def catalog() -> dict[str, type[Scenario]]:
    """Every scenario by name: each module of this package that names one as `SCENARIO`."""
    package = __name__.rpartition(".")[0]
    folder = importlib.import_module(package).__path__
    modules = (importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(folder))
    found = (getattr(module, "SCENARIO", None) for module in modules)
    return {scenario.name: cast("type[Scenario]", scenario) for scenario in found if scenario is not None}


def make(name: str, settings: Mapping[str, Any]) -> Scenario:
    """The scenario `name` with these settings; raises BadInput for an unknown one or for settings out of range."""
    try:
        kind = catalog()[name]
    except KeyError:
        raise BadInput(f"unknown load scenario {name!r}: choose one of {', '.join(catalog())}") from None
    return kind(**settings)
