"""A world as a Mesa agent: it steps the people who are in it, as arrays."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import mesa
import numpy as np
from numpy.typing import NDArray

from infra.contracts.worlds import World
from simulation.core.loops import live_all
from simulation.core.rows import Rows

if TYPE_CHECKING:
    from simulation.core.model import Metaverse
    from simulation.worlds.spec import WorldSpec

CHUNK = 1_024
"""People a compiled call steps at most: bounds the room that row buffers must have to spare."""


class Place(mesa.Agent):  # type: ignore[misc]  # mesa publishes no types
    """Where people are: outside every world. The model has it step one block of people after another."""

    model: "Metaverse"

    @property
    def code(self) -> World:
        """Which place it is."""
        return World.NONE

    @property
    def residents(self) -> NDArray[np.int64]:
        """Indices of everybody who is here now, in the model's population."""
        return self.model.residents(self.code)

    def step(self) -> None:
        """One minute of everybody here: how they are, and whether they come, move or go."""
        present = self.model.present(self.code)
        if len(present):
            self._run(live_all, present, (self.model.cognition, self.model.cognition))
            self.model.whereabouts.note(present, self.model.tick)

    def advance(self) -> None:
        """What the place has people do; nothing, outside."""

    def _run(self, loop: Callable[..., None], people: NDArray[np.int32], tables: tuple[Any, Any]) -> None:
        model = self.model
        for first in range(0, len(people), CHUNK):
            chunk = people[first : first + CHUNK]
            loop(model.people, chunk, tables, model.moment, model.common, model.rows_for(len(chunk)))


class Outside(Place):
    """Asleep or offline."""


class WorldAgent(Place):
    """One of the worlds: `act` is its scalar kernel, `act_all` the compiled loop over it."""

    spec: ClassVar["WorldSpec"]
    act: ClassVar[Callable[..., None]]
    act_all: ClassVar[Callable[..., None]]

    def __init__(self, model: "Metaverse") -> None:
        super().__init__(model)
        self.table: Rows = model.parameter_table(self.spec.parameters)

    @property
    def code(self) -> World:
        """Which world it is."""
        return self.spec.world

    def advance(self) -> None:
        """What the world has its people do in this minute."""
        present = self.model.present(self.code)
        if len(present):
            self._run(type(self).act_all, present, (self.model.cognition, self.table))
