import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from infra.contracts import draws as contract
from simulation.cognition.rhythm import logistic, weibull
from simulation.core.compiled import compiled
from simulation.core.draws import spread, uniform

KEYS = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@compiled
def uniforms(keys: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    for i in range(keys.shape[0]):
        out[i] = uniform(keys[i, 0], keys[i, 1], keys[i, 2], keys[i, 3], keys[i, 4])


@compiled
def formulas(values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(values.shape[0]):
        x = values[i]
        out[i, 0] = math.exp(-x * 7.0)
        out[i, 1] = math.log(1.0 - x)
        out[i, 2] = math.cos(x * 12.0)
        out[i, 3] = logistic(9.0 * x - 4.0)
        out[i, 4] = weibull(x, 30.0, 0.8)
        out[i, 5] = spread(x)


@given(st.tuples(KEYS, st.integers(0, 999), KEYS, KEYS, KEYS))
@settings(deadline=None)
def test_a_plain_draw_equals_the_contract_bit_for_bit(keys: tuple[int, int, int, int, int]) -> None:
    assert uniform(*keys) == contract.uniform(*keys)[0]


def test_a_compiled_draw_equals_the_contract_bit_for_bit() -> None:
    keys = np.random.default_rng(3).integers(-(2**62), 2**62, (5_000, 5))
    compiled_draws = np.zeros(len(keys))
    uniforms(keys, compiled_draws)
    expected = contract.uniform(*(keys[:, column] for column in range(5)))
    assert np.array_equal(compiled_draws, expected)


def test_every_formula_of_the_kernels_has_the_same_bits_compiled_and_plain() -> None:
    values = np.random.default_rng(4).random(5_000)
    fast = np.zeros((len(values), 6))
    formulas(values, fast)
    for row, x in zip(fast.tolist(), values.tolist(), strict=True):
        plain = [math.exp(-x * 7.0), math.log(1.0 - x), math.cos(x * 12.0)]
        assert row == [*plain, logistic(9.0 * x - 4.0), weibull(x, 30.0, 0.8), spread(x)]


def test_noise_has_mean_zero_and_variance_one() -> None:
    noise = [spread(x) for x in np.random.default_rng(5).random(50_000).tolist()]
    assert np.mean(noise) == pytest.approx(0.0, abs=0.02)
    assert np.var(noise) == pytest.approx(1.0, abs=0.03)
    assert np.abs(noise).max() <= 3.0
