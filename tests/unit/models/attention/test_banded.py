"""The banded mechanism equals its formula, written naively."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.attention.bias import HIDDEN, TIME_BUCKETS, LookUp, time_bucket
from models.attention.mechanisms.banded import Attention


def naive_bucket(difference_us: int) -> int:
    """Half octaves of 1 + time in units of 2^20 µs, by counting up."""
    x = 1 + max(difference_us, 0) / 2**20
    octave = 0
    while x >= 2:
        x, octave = x / 2, octave + 1
    return min(2 * octave + (x >= 1.5), TIME_BUCKETS - 1)


def naive(attention: Attention, x_btd: Tensor, time_us: Tensor, mask: Tensor) -> Tensor:
    """softmax(QK^T/sqrt(E) + time[h, bucket] + order[h, i - j]) V over 0 <= i - j < W, one query at a time."""
    batch, tokens, width = x_btd.shape
    heads, size = attention.heads, width // attention.heads
    query, key, value = attention.project(x_btd).view(batch, tokens, 3, heads, size).unbind(2)
    mixed = torch.zeros(batch, tokens, heads, size)
    for b in range(batch):
        for i in range(tokens):
            seen = [j for j in range(max(0, i - attention.window + 1), i + 1) if j == i or mask[b, j]]
            for h in range(heads):
                logits = []
                for j in seen:
                    bucket = naive_bucket(int(time_us[b, i] - time_us[b, j]))
                    bias = attention.time_bias[h, bucket] + attention.order_bias[h, i - j]
                    logits.append(query[b, i, h] @ key[b, j, h] / math.sqrt(size) + bias)
                weights = torch.softmax(torch.stack(logits), dim=0)
                mixed[b, i, h] = weights @ value[b, seen, h]
    out: Tensor = attention.out(mixed.reshape(batch, tokens, width))
    return out


def made(window: int, tokens: int, seed: int) -> tuple[Attention, Tensor, Tensor, Tensor]:
    """An attention with random biases, and inputs with ties in time and padding on both sides."""
    torch.manual_seed(seed)
    attention = Attention(8, 2, window)
    with torch.no_grad():
        attention.time_bias.normal_()
        attention.order_bias.normal_()
    gap = torch.randint(0, 4, (2, tokens)) * torch.randint(0, 2_000_000_000, (2, tokens))
    mask = torch.ones(2, tokens, dtype=torch.bool)
    mask[0, : tokens // 3] = False
    mask[1, tokens - tokens // 4 :] = False
    return attention, torch.randn(2, tokens, 8), gap.cumsum(1), mask


@pytest.mark.parametrize(("window", "tokens"), [(1, 5), (4, 23), (7, 16), (17, 40), (32, 37), (33, 50)])
def test_it_equals_the_formula(window: int, tokens: int) -> None:
    attention, x, time_us, mask = made(window, tokens, seed=window)
    got = attention(x, attention.band(time_us, mask), tokens)
    torch.testing.assert_close(got, naive(attention, x, time_us, mask), rtol=0, atol=1e-5)


@pytest.mark.parametrize("queries", [1, 3, 16, 30])
def test_the_last_tokens_alone_equal_the_formula(queries: int) -> None:
    attention, x, time_us, mask = made(6, 30, seed=queries)
    got = attention(x, attention.tail(time_us, mask, queries), queries)
    torch.testing.assert_close(got, naive(attention, x, time_us, mask)[:, -queries:], rtol=0, atol=1e-5)


def gradients(attention: Attention, loss: Tensor) -> dict[str, Tensor]:
    """Gradient of `loss` for each parameter by name."""
    names, parameters = zip(*attention.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


def test_the_gradients_equal_those_of_the_formula() -> None:
    attention, x, time_us, mask = made(5, 20, seed=3)
    weights = torch.randn(2, 20, 8)
    got = gradients(attention, (attention(x, attention.band(time_us, mask), 20) * weights).sum())
    expected = gradients(attention, (naive(attention, x, time_us, mask) * weights).sum())
    for name, gradient in got.items():
        assert torch.allclose(gradient, expected[name], rtol=1e-4, atol=1e-4), name


def test_the_future_and_what_lies_before_the_band_change_nothing() -> None:
    attention, x, time_us, mask = made(5, 30, seed=4)
    before = attention(x, attention.band(time_us, mask), 30)
    x[:, 21:] += 1.0
    x[:, :16] -= 1.0
    after = attention(x, attention.band(time_us, mask), 30)
    assert torch.equal(before[:, 20], after[:, 20])


@given(st.lists(st.integers(-(2**40), 2**62), min_size=1, max_size=50))
def test_buckets_are_half_octaves_of_time(differences: list[int]) -> None:
    got = time_bucket(torch.tensor(differences))
    for difference, bucket in zip(differences, got.tolist(), strict=True):
        # float32 rounds times near a boundary to one side or the other
        near = {naive_bucket(round(difference * share)) for share in (1 - 1e-6, 1, 1 + 1e-6)}
        assert bucket in near


def test_buckets_ascend_with_time_and_stay_below_hidden() -> None:
    buckets = time_bucket(torch.tensor([0, *(10**power for power in range(19))])).tolist()
    assert all(first <= second for first, second in pairwise(buckets))
    assert buckets[0] == 0
    assert buckets[-1] == TIME_BUCKETS - 1 < HIDDEN


def test_a_hidden_pair_has_no_gradient() -> None:
    table = torch.zeros(1, TIME_BUCKETS, requires_grad=True)
    bucket = torch.tensor([[[0, HIDDEN, 0]]])
    (gradient,) = torch.autograd.grad(LookUp.apply(table, bucket).sum(), table)
    assert gradient[0, 0] == 2
    assert gradient.sum() == 2
