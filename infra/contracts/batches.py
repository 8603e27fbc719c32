"""Rows of several frames as one batch, and one batch cut up again by partition."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.fields import Record
from infra.contracts.frames import Frame
from infra.contracts.identity import partition_of


def numbers(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    """A column without nulls as a NumPy array, shape (rows,)."""
    column: NDArray[Any] = batch.column(name).to_numpy(zero_copy_only=False)
    return column


def joined(frames: Iterable[Frame], record: Record, columns: Sequence[str] | None = None) -> pa.RecordBatch:
    """The rows of frames of one stream as one batch, sorted by (person, seq); equal pairs keep their order.

    `columns`, where given, are the only ones taken; `person` and `seq` must be among them.
    """
    names = list(columns or record.arrow.names)
    batches = [frame.batch.select(names) for frame in frames if frame.batch.num_rows]
    if not batches:
        return pa.RecordBatch.from_pylist([], pa.schema([record.arrow.field(name) for name in names]))
    whole = pa.concat_batches(batches)
    order = np.lexsort((numbers(whole, "seq"), numbers(whole, "person")))
    return whole.take(pa.array(order)) if (order[1:] < order[:-1]).any() else whole


def by_partition(batch: pa.RecordBatch) -> dict[int, pa.RecordBatch]:
    """The rows of each partition that has any, in the order they were in."""
    if not batch.num_rows:
        return {}
    partition = partition_of(numbers(batch, "person"))
    return {int(number): batch.take(pa.array(np.flatnonzero(partition == number))) for number in np.unique(partition)}
