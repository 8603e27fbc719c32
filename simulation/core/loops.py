"""Compiled loops over people that are not a world's own."""

import numpy as np
from numpy.typing import NDArray

from simulation.core.compiled import compiled
from simulation.core.life import live, next_visit
from simulation.core.moment import FIXED_POINT, Common, Moment
from simulation.core.rows import ListSink, Rows


@compiled
def live_all(
    state: Rows, residents: NDArray[np.int32], tables: tuple[Rows, Rows], now: Moment, common: Common, sink: ListSink
) -> None:
    """`live` for the people at `residents` (int32 indices into `state`); `tables` are (cognition, world) parameters."""
    k = tables[0][0]
    for place in residents:
        live(state[place], k, now, common, sink)


@compiled
def due_outside(due: NDArray[np.int32], span: tuple[int, int], tick: int, order: NDArray[np.int32]) -> int:
    """Indices in `span` (from, to) of those outside whose visit is due, into `order`; how many there are.

    `due` is 4 bytes a person, so that those who need no visit cost a glance and not a cache line of their record.
    """
    found = 0
    for place in range(span[0], span[1]):
        if due[place] <= tick:
            order[found] = place
            found += 1
    return found


@compiled
def note_visits(
    state: Rows, visited: NDArray[np.int32], tick: int, where: NDArray[np.int8], due: NDArray[np.int32]
) -> None:
    """After a visit: where each of `visited` is now, and when the next visit outside is due."""
    for place in visited:
        p = state[place]
        where[place] = p.world
        due[place] = next_visit(p, tick)


@compiled
def group_by_world(
    where: NDArray[np.int8], span: tuple[int, int], order: NDArray[np.int32], starts: NDArray[np.int64]
) -> None:
    """Counting sort of those in a session in `span`: `order` gets indices by world, `starts` (7) where each begins."""
    starts[:] = 0
    for place in range(span[0], span[1]):
        world = where[place]
        if world > 0:
            starts[world + 1] += 1
    for world in range(2, 7):
        starts[world] += starts[world - 1]
    # Filling moves each start to the end of its group; afterwards all are moved back.
    for place in range(span[0], span[1]):
        world = where[place]
        if world > 0:
            order[starts[world]] = place
            starts[world] += 1
    for world in range(6, 1, -1):
        starts[world] = starts[world - 1]
    starts[1] = 0


@compiled
def add_circles(state: Rows, residents: NDArray[np.int32], circles: NDArray[np.int32]) -> None:
    """Add `residents`, who are in a session, to the sums per circle: their number, mood and stress in fixed point."""
    for place in residents:
        p = state[place]
        circles[p.circle, 0] += 1
        circles[p.circle, 1] += int(p.mood * FIXED_POINT)
        circles[p.circle, 2] += int(p.stress * FIXED_POINT)
