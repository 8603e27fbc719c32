"""Compiled loops that spread rows over columns."""

import numpy as np
from numpy.typing import NDArray

from simulation.core.compiled import compiled


@compiled
def group_rows(
    groups: NDArray[np.int8], keys: NDArray[np.int32], order: NDArray[np.int32], starts: NDArray[np.int64]
) -> None:
    """Counting sort of rows by `groups[key]`: `order` gets rows by group, `starts` (one longer than there are groups)
    where each begins; rows of group -1 are left out."""
    starts[:] = 0
    for row in range(keys.shape[0]):
        group = groups[keys[row]]
        if group >= 0:
            starts[group + 1] += 1
    for group in range(1, starts.shape[0]):
        starts[group] += starts[group - 1]
    # Filling moves each start to the end of its group; afterwards all are moved back.
    for row in range(keys.shape[0]):
        group = groups[keys[row]]
        if group >= 0:
            order[starts[group]] = row
            starts[group] += 1
    for group in range(starts.shape[0] - 1, 0, -1):
        starts[group] = starts[group - 1]
    starts[0] = 0


@compiled
def spread(values: NDArray[np.generic], rows: NDArray[np.int32], column: NDArray[np.generic]) -> None:
    """`column[row] = values[row]` for these rows."""
    for row in rows:
        column[row] = values[row]


@compiled
def place(values: NDArray[np.generic], rows: NDArray[np.int32], column: NDArray[np.generic]) -> None:
    """`column[rows[i]] = values[i]`."""
    for index in range(rows.shape[0]):
        column[rows[index]] = values[index]
