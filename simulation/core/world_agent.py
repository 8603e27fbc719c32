"""A world as a Mesa agent: it steps the people who are in it, as arrays."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import mesa
import numpy as np
from numpy.typing import NDArray

from infra.contracts.worlds import World
from simulation.core.loops import live_all

if TYPE_CHECKING:
    from simulation.core.model import Metaverse
    from simulation.worlds.spec import WorldSpec

CHUNK = 16_384
"""People a compiled call steps at most: bounds the row buffers."""


class Place(mesa.Agent):  # type: ignore[misc]  # mesa publishes no types
    """Where people are: outside every world. `residents` are indices into the model's population."""

    model: "Metaverse"

    @property
    def code(self) -> World:
        """Which place it is."""
        return World.NONE

    def __init__(self, model: "Metaverse") -> None:
        super().__init__(model)
        self.residents: NDArray[np.int64] = np.zeros(0, np.int64)

    def step(self) -> None:
        """One minute of everybody here: how they are, and whether they come, move or go."""
        self._run(live_all, (self.model.cognition, self.model.cognition))

    def advance(self) -> None:
        """What the place has people do; nothing, outside."""

    def _run(self, loop: Callable[..., None], tables: tuple[Any, Any]) -> None:
        model = self.model
        for first in range(0, len(self.residents), CHUNK):
            chunk = self.residents[first : first + CHUNK]
            sink = model.rows_for(len(chunk))
            loop(model.people, chunk, tables, model.moment, model.common, sink)


class Outside(Place):
    """Asleep or offline."""


class WorldAgent(Place):
    """One of the worlds: `act` is its scalar kernel, `act_all` the compiled loop over it."""

    spec: ClassVar["WorldSpec"]
    act: ClassVar[Callable[..., None]]
    act_all: ClassVar[Callable[..., None]]

    def __init__(self, model: "Metaverse") -> None:
        super().__init__(model)
        self.table = model.parameter_table(self.spec.parameters)

    @property
    def code(self) -> World:
        """Which world it is."""
        return self.spec.world

    def advance(self) -> None:
        """What the world has its people do in this minute."""
        self._run(type(self).act_all, (self.model.cognition, self.table))
