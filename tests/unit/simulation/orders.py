"""Orders for tests: COMMAND batches, and offers to whoever is in a session."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from infra.contracts.commands import COMMAND, Practice
from infra.contracts.time import TICK_US
from simulation.core.model import Metaverse


def command_batch(
    persons: Sequence[int] | np.ndarray,
    tick: int,
    *,
    practice: int = Practice.MINDFULNESS_OF_BREATH,
    minutes: float = 5.0,
    expires: int = 5,
) -> pa.RecordBatch:
    """One order for each pseudonym, issued at `tick` and good for `expires` ticks."""
    count = len(persons)
    ids = np.arange(count, dtype=np.uint64) + np.uint64(tick * 100_000 + 2**63)
    columns = [
        ids,
        ids + np.uint64(1),
        np.asarray(persons, np.uint64),
        np.full(count, practice, np.uint8),
        np.full(count, minutes, np.float32),
        np.full(count, tick * TICK_US, np.int64),
        np.full(count, (tick + expires) * TICK_US, np.int64),
        np.zeros(count, np.int64),
    ]
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=COMMAND.arrow)


def offers_to_everyone(model: Metaverse, practice: int = Practice.MINDFULNESS_OF_BREATH) -> pa.RecordBatch:
    """An order for every person who is in a session and not practising."""
    open_to = (model.people["world"] > 0) & (model.people["practice"] == 0) & (model.people["offer"] == 0)
    return command_batch(model.persons[open_to], model.tick, practice=practice)
