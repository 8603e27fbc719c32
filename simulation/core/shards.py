"""Who belongs to which shard: whole partitions of the contract, so that a partition has one writer.

People are split by the partition their events go to, not by circle: one writer to a partition is what readers rely
on (a tick-end counts the frames of one source). A circle is thereby spread over all shards, and its sums must be
exchanged once a tick; a few int64 a circle, whatever the number of people who moved them.
"""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.errors import BadInput
from infra.contracts.identity import Pseudonyms, partition_of
from infra.contracts.topics import PARTITIONS

Shard = tuple[int, int]
"""Index of a shard, and how many there are."""


def partitions_of(shard: Shard) -> list[int]:
    """The partitions that a shard writes; raises BadInput where there cannot be so many shards."""
    index, count = shard
    if not (1 <= count <= PARTITIONS and 0 <= index < count):
        raise BadInput(f"shard {index} of {count}: a shard holds whole partitions, give 1 to {PARTITIONS} shards")
    return list(range(index, PARTITIONS, count))


def numbers_of(shard: Shard, people: int, pseudonyms: Pseudonyms) -> NDArray[np.int64]:
    """Internal numbers of the people of a shard, sorted: int64 [people of the shard]."""
    own = partitions_of(shard)
    numbers = np.arange(people, dtype=np.int64)
    if shard[1] == 1:
        return numbers
    return numbers[np.isin(partition_of(pseudonyms.encode(numbers.astype(np.uint64))), own)]


def place_of(number: int, numbers: NDArray[np.integer]) -> int | None:
    """Index of an internal number among the sorted ones of a shard; None where it is not of this shard."""
    place = int(np.searchsorted(numbers, number))
    return place if place < len(numbers) and numbers[place] == number else None
