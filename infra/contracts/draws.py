"""Counter-based random numbers: a draw is a function of (seed, purpose, person, tick, index), of nothing else.

The keys are absorbed one after another by the SplitMix64 finaliser (Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators", §5; constants of Stafford's variant 13).
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

GOLDEN = 0x9E3779B97F4A7C15
MULTIPLIER_1 = 0xBF58476D1CE4E5B9
MULTIPLIER_2 = 0x94D049BB133111EB
MASK = 0xFFFFFFFFFFFFFFFF

U64Array = NDArray[np.uint64]


class Purpose(IntEnum):
    """What a draw is for outside the simulation, whose own purposes are below 1,000."""

    POLICY_OFFER = 1001
    POLICY_PRACTICE = 1002
    SPLIT = 1003
    ORDER = 1004
    BOOTSTRAP = 1005
    START = 1006
    LABELLED = 1007
    PRETRAINING = 1008


def mix(value: ArrayLike) -> U64Array:
    """SplitMix64 finaliser of uint64 values, elementwise; a bijection of 64-bit numbers."""
    with np.errstate(over="ignore"):
        x = np.atleast_1d(np.asarray(value, dtype=np.uint64)) + np.uint64(GOLDEN)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(MULTIPLIER_1)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(MULTIPLIER_2)
        return x ^ (x >> np.uint64(31))


def _as_u64(value: ArrayLike) -> U64Array:
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind not in "iu":
        array = np.asarray([int(v) & MASK for v in np.ravel(array)], dtype=np.uint64).reshape(array.shape)
    return array.astype(np.uint64)


def bits(seed: ArrayLike, purpose: ArrayLike, person: ArrayLike, tick: ArrayLike, index: ArrayLike) -> U64Array:
    """64 random bits for each (seed, purpose, person, tick, index), broadcast: shape of the broadcast, at least 1-d."""
    state = mix(_as_u64(seed))
    for key in (purpose, person, tick, index):
        state = mix(state ^ _as_u64(key))
    return state


def uniform(
    seed: ArrayLike, purpose: ArrayLike, person: ArrayLike, tick: ArrayLike, index: ArrayLike
) -> NDArray[np.float64]:
    """Uniform float64 in [0, 1) from the upper 53 bits of `bits`; same shapes."""
    return (bits(seed, purpose, person, tick, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53
