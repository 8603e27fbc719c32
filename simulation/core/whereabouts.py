"""Where everybody is, and who must be visited: five bytes a person beside the records, and lists for one block."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.worlds import World
from simulation.core.loops import due_outside, group_by_world, note_visits
from simulation.core.moment import WORLDS
from simulation.core.rows import Rows

BLOCK = 16_384
"""People who are stepped together: their records stay in the cache from one stage to the next."""


class Whereabouts:
    """Place and next visit of everybody, and the people of one block by place.

    `where` is int8 [people], the place; `due` int32 [people], the tick of the next visit outside. Both repeat what the
    records say: after writing to records from outside the kernels, call `refresh`.
    """

    def __init__(self, people: Rows, tick: int) -> None:
        self._people = people
        self.where: NDArray[np.int8] = np.zeros(len(people), np.int8)
        self._due: NDArray[np.int32] = np.zeros(len(people), np.int32)
        room = min(BLOCK, len(people))
        self._order: NDArray[np.int32] = np.zeros(room, np.int32)
        self._outside: NDArray[np.int32] = np.zeros(room, np.int32)
        self._starts: NDArray[np.int64] = np.zeros(WORLDS + 1, np.int64)
        self._grouped: tuple[int, int] | None = None
        self.refresh(tick)

    def refresh(self, tick: int) -> None:
        """Read places anew from the records; `tick` is the one to be simulated next: everybody outside is visited."""
        self._grouped = None
        self.where[:] = self._people["world"]
        self._due[:] = np.where(self.where > 0, np.iinfo(np.int32).max, tick)

    def blocks(self) -> list[tuple[int, int]]:
        """The blocks: indices (from, to)."""
        count = len(self.where)
        return [(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK)]

    def group(self, block: tuple[int, int]) -> None:
        """List the people of the block by world; costs nothing where nobody has been visited since."""
        if self._grouped == block:
            return
        self._grouped = block
        group_by_world(self.where, block, self._order, self._starts)

    def await_visit(self, block: tuple[int, int], tick: int) -> NDArray[np.int32]:
        """Indices of those outside in the block who must be visited in this tick."""
        return self._outside[: due_outside(self._due, block, tick, self._outside)]

    def here(self, world: int) -> NDArray[np.int32]:
        """Indices of those of the block who were in a world when it was grouped; a view, until the next `group`."""
        return self._order[self._starts[world] : self._starts[world + 1]]

    def in_session(self) -> NDArray[np.int32]:
        """Indices of those of the block who were in any world when it was grouped; a view."""
        return self._order[: self._starts[WORLDS]]

    def note(self, visited: NDArray[np.int32], tick: int) -> None:
        """The people at these indices were visited in `tick`, and may have come, moved or gone."""
        self._grouped = None
        note_visits(self._people, visited, tick, self.where, self._due)

    def all_in(self, place: World) -> NDArray[np.int64]:
        """Indices of everybody who is in a place now, sorted."""
        return np.flatnonzero(self.where == place)

    @property
    def nbytes(self) -> int:
        """Memory that grows with the people."""
        return self.where.nbytes + self._due.nbytes
