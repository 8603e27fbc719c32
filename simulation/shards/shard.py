"""A shard of a population, and what becomes of the rows that it writes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from infra.contracts.digest import Digest
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios.model import Scenario

Sums = NDArray[np.int32]
"""int32 [circle, 3]: people of a circle in a session, their mood and stress in fixed point."""


class Outlet(Protocol):
    """Takes the rows of a shard in the shard's process: what crosses to another process is up to it, in batches."""

    def take(self, parts: dict[int, TickOutput], population: Metaverse) -> None:
        """The rows of one tick by partition, whole batches, and the people of the shard after it."""
        ...

    def close(self) -> Any:  # noqa: ANN401  whatever the outlet was asked to find out, and can be pickled
        """Everything has been taken; what there is to tell."""
        ...


OpenOutlet = Callable[[int], Outlet]
"""Makes the outlet of a shard, in the shard's process, from its index. Must be picklable."""


@dataclass(frozen=True, kw_only=True)
class ShardPlan:
    """A population, how many shards it is cut into, and where their rows go."""

    scenario: Scenario
    seed: int
    shards: int
    outlet: OpenOutlet


@dataclass(frozen=True)
class Told:
    """What a shard tells in the end: its people, memory that grows with them, and what its outlet found out."""

    index: int
    people: int
    nbytes: int
    found: Any


class Shard:
    """One shard, stepped minute by minute; all shards must be stepped alike."""

    def __init__(self, plan: ShardPlan, index: int) -> None:
        self._index = index
        self._model = Metaverse(plan.scenario, plan.seed, shard=(index, plan.shards))
        self._alone = plan.shards == 1
        self._outlet = plan.outlet(index)

    def live(self, totals: Sums | None) -> Sums:
        """One minute; `totals` is what all shards summed in the last one (None before the first). Returns own sums."""
        if totals is not None and not self._alone:
            self._model.exchange(totals)
        self._model.step()
        return self._model.circle_sums()

    def write(self) -> None:
        """Hand the rows of the last minute to the outlet: the others need not wait for it."""
        self._outlet.take(self._model.drain_parts(), self._model)

    def finish(self) -> Told:
        """Close the outlet."""
        return Told(self._index, len(self._model.people), self._model.nbytes, self._outlet.close())


class DigestOutlet:
    """Adds every event to a digest and keeps nothing."""

    def __init__(self, index: int) -> None:
        del index
        self._digest = Digest()

    def take(self, parts: dict[int, TickOutput], population: Metaverse) -> None:
        """Digest the events of a tick."""
        del population
        for output in parts.values():
            self._digest.add_events(output.events)

    def close(self) -> Digest:
        """The digest of the shard's events: digests of shards merge."""
        return self._digest


def merged(told: list[Told]) -> Digest:
    """One digest of what shards with a DigestOutlet tell."""
    whole = Digest()
    for one in told:
        whole.merge(one.found)
    return whole
