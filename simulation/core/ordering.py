"""Pseudonyms of rows, and their order on the wire: by partition where asked, person and seq. Compiled, row by row.

The key of a row is one 64-bit number, so that a fast unstable sort does: partition, the upper bits of the pseudonym,
the lower bits of seq. Two people may share the upper bits, and a seq may pass 65,535 within a tick: the order is
checked afterwards, and a slow exact sort takes over where it is wrong.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import U64Array
from infra.contracts.topics import PARTITIONS
from simulation.core.compiled import compiled
from simulation.core.draws import finalise_wrapping

_S16, _S18, _S32, _S62 = np.uint64(16), np.uint64(18), np.uint64(32), np.uint64(62)
_CHECK_BIT = np.uint64(31)
_LOW16, _LOW32 = np.uint64(0xFFFF), np.uint64(0xFFFFFFFF)
_PARTITIONS: Final = np.uint64(PARTITIONS)
if PARTITIONS > 4:  # pragma: no cover - holds for the published contract
    raise AssertionError("the keys of `ordering` keep two bits for the partition")


@compiled
def name_people(round_keys: U64Array, numbers: NDArray[np.int32], names: U64Array) -> None:
    """Pseudonyms of internal numbers into `names`, as `Pseudonyms.encode` has them; 0 for nobody (a number below 0)."""
    for row in range(numbers.shape[0]):
        if numbers[row] < 0:
            names[row] = 0
            continue
        whole = np.uint64(numbers[row])
        left, right = whole >> _S32, whole & _LOW32
        for key in round_keys:
            left, right = right, left ^ (finalise_wrapping(right ^ key) & _LOW32)
        names[row] = (left << _S32) | right


@compiled
def identify(
    key: np.uint64, numbers: NDArray[np.int32], seqs: NDArray[np.int32], check: NDArray[np.bool_], ids: U64Array
) -> None:
    """Ids of events, or of checks where told: a bijection of (number, seq, which), so that no two are equal."""
    for row in range(numbers.shape[0]):
        packed = (np.uint64(numbers[row]) << _S32) | np.uint64(seqs[row])
        ids[row] = finalise_wrapping(key ^ packed ^ (np.uint64(check[row]) << _CHECK_BIT))


@compiled
def _make_keys(names: U64Array, then: NDArray[np.int32], by_partition: bool, keys: U64Array) -> None:
    for row in range(names.shape[0]):
        key = ((names[row] >> _S18) << _S16) | (np.uint64(then[row]) & _LOW16)
        if by_partition:
            key |= (finalise_wrapping(names[row]) % _PARTITIONS) << _S62
        keys[row] = key


@compiled
def _in_order(keys: U64Array, names: U64Array, then: NDArray[np.int32], order: NDArray[np.int64]) -> bool:
    for row in range(1, order.shape[0]):
        one, other = order[row - 1], order[row]
        if keys[one] >> _S62 != keys[other] >> _S62:
            continue
        if names[one] > names[other] or (names[one] == names[other] and then[one] >= then[other]):
            return False
    return True


def row_order(names: U64Array, then: NDArray[np.int32], *, by_partition: bool) -> NDArray[np.int64]:
    """Indices that sort rows by (partition where asked, name, then); rows equal in all keep their order."""
    keys = np.empty(len(names), np.uint64)
    _make_keys(names, then, by_partition, keys)
    order: NDArray[np.int64] = np.argsort(keys)
    if _in_order(keys, names, then, order):
        return order
    return np.lexsort((then, names, keys >> _S62))
