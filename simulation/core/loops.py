"""Compiled loops over people that are not a world's own."""

import numpy as np
from numpy.typing import NDArray

from simulation.core.compiled import compiled
from simulation.core.life import live
from simulation.core.moment import FIXED_POINT, Common, Moment
from simulation.core.rows import ListSink, Rows


@compiled
def live_all(
    state: Rows, residents: NDArray[np.int64], tables: tuple[Rows, Rows], now: Moment, common: Common, sink: ListSink
) -> None:
    """`live` for the people at `residents` (int64 indices into `state`); `tables` are (cognition, world) parameters."""
    k = tables[0][0]
    for place in residents:
        live(state[place], k, now, common, sink)


@compiled
def group_by_world(state: Rows, order: NDArray[np.int64], starts: NDArray[np.int64]) -> None:
    """Counting sort by world: `order` gets indices grouped by place, `starts` (7 long) where each group begins."""
    starts[:] = 0
    for place in range(state.shape[0]):
        starts[state[place].world + 1] += 1
    for world in range(1, starts.shape[0]):
        starts[world] += starts[world - 1]
    # Filling moves each start to the end of its group; afterwards all are moved back.
    for place in range(state.shape[0]):
        world = state[place].world
        order[starts[world]] = place
        starts[world] += 1
    for world in range(starts.shape[0] - 1, 0, -1):
        starts[world] = starts[world - 1]
    starts[0] = 0


@compiled
def sum_circles(state: Rows, circles: NDArray[np.int64]) -> None:
    """Per circle, of those in a session: their number, and mood and stress in fixed point; overwrites `circles`."""
    circles[:, :] = 0
    for place in range(state.shape[0]):
        p = state[place]
        if p.world > 0:
            circles[p.circle, 0] += 1
            circles[p.circle, 1] += int(p.mood * FIXED_POINT)
            circles[p.circle, 2] += int(p.stress * FIXED_POINT)
