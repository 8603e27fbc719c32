"""The groups of a world as one Mesa agent: who belongs to which, and what goes on in each, as arrays."""

from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import uniform
from simulation.core import purposes
from simulation.core.groups import KNOT_MINUTES, NAMES

if TYPE_CHECKING:
    from simulation.core.model import Metaverse
    from simulation.core.world_agent import WorldAgent


class Groups(mesa.Agent):  # type: ignore[misc]  # mesa publishes no types
    """All classes (teams, guilds, …) of one world. A million people are some tens of thousands of groups: one agent
    for all of a kind, as a world is one agent for all its people.
    """

    model: "Metaverse"

    def __init__(self, model: "Metaverse", world: "WorldAgent") -> None:
        super().__init__(model)
        self.world = world.code
        self.name = NAMES[world.code]
        self.circles: int = world.spec.parameters.group_circles

    @property
    def count(self) -> int:
        """How many groups there are."""
        return -(-len(self.model.common.circles) // self.circles)

    def of(self, places: NDArray[np.integer]) -> NDArray[np.int64]:
        """Group number of the people at these indices, int64, shape as given."""
        groups: NDArray[np.int64] = self.model.people["circle"][places].astype(np.int64) // self.circles
        return groups

    def members(self, group: int) -> NDArray[np.int64]:
        """Indices of a group's people in the model's population; raises IndexError for a group that is not there."""
        if not 0 <= group < self.count:
            raise IndexError(f"there are {self.count} groups of kind {self.name}, not {group}")
        return np.flatnonzero(self.model.people["circle"] // self.circles == group)

    def heat(self) -> NDArray[np.float64]:
        """What goes on in each group at the model's tick, float64 [group], -1 to 1: see `core.groups.heat`."""
        knot, minute = divmod(self.model.tick, KNOT_MINUTES)
        groups = np.arange(self.count)
        before, after = (
            uniform(self.model.seed_value, purposes.GROUP, groups, knot + step, int(self.world)) for step in (0, 1)
        )
        heat: NDArray[np.float64] = 2.0 * (before + (after - before) * (minute / KNOT_MINUTES)) - 1.0
        return heat
