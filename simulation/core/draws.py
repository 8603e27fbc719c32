"""The compiled and the plain form of `infra.contracts.draws`, equal to it bit for bit, for scalar kernels."""

from typing import Final

import numpy as np
from numba.extending import overload

from infra.contracts.draws import GOLDEN, MASK, MULTIPLIER_1, MULTIPLIER_2
from simulation.core.compiled import kernel

_UNIT: Final = 2.0**-53
_GOLDEN = np.uint64(GOLDEN)
_M1 = np.uint64(MULTIPLIER_1)
_M2 = np.uint64(MULTIPLIER_2)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)


def _finalise(value: int) -> int:
    x = (value + GOLDEN) & MASK
    x = ((x ^ (x >> 30)) * MULTIPLIER_1) & MASK
    x = ((x ^ (x >> 27)) * MULTIPLIER_2) & MASK
    return x ^ (x >> 31)


@kernel
def finalise_wrapping(value: np.uint64) -> np.uint64:
    """`infra.contracts.draws.mix` of one number, for compiled loops."""
    x = value + _GOLDEN
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


def uniform(seed: int, purpose: int, person: int, tick: int, index: int) -> float:
    """Uniform float in [0, 1): the scalar twin of `infra.contracts.draws.uniform`, compiled or not.

    Keys are integers of up to 64 bits; negative ones are taken modulo 2^64, as in the array form.
    """
    state = _finalise(seed & MASK)
    state = _finalise(state ^ purpose)
    state = _finalise(state ^ (person & MASK))
    state = _finalise(state ^ (tick & MASK))
    state = _finalise(state ^ (index & MASK))
    return (state >> 11) * _UNIT


@overload(uniform, strict=False, jit_options={"forceinline": True})  # not strict: the two differ in annotations
def _uniform_compiled(seed: object, purpose: object, person: object, tick: object, index: object) -> object:  # noqa: ARG001  numba matches overloads by argument name
    def implementation(seed: int, purpose: int, person: int, tick: int, index: int) -> np.float64:
        state = finalise_wrapping(np.uint64(seed))
        state = finalise_wrapping(state ^ np.uint64(purpose))
        state = finalise_wrapping(state ^ np.uint64(person))
        state = finalise_wrapping(state ^ np.uint64(tick))
        state = finalise_wrapping(state ^ np.uint64(index))
        return np.float64(state >> _S11) * _UNIT

    return implementation


@kernel
def spread(value: float) -> float:
    """Roughly normal noise, mean 0 and variance 1, within ±3, from one uniform draw.

    The draw's digits are cut into three shorter uniforms, whose sum is near normal (Irwin 1927; Hall 1927); each has
    variance 1/12, so twice the centred sum has variance 1. It needs no logarithm, and is exact in binary.
    """
    first = value * 131072.0
    whole_first = float(int(first))
    second = (first - whole_first) * 131072.0
    whole_second = float(int(second))
    third = second - whole_second
    return 2.0 * ((whole_first + whole_second) / 131072.0 + third - 1.5)
