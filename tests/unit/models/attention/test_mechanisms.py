"""Every mechanism equals its formula, written naively in float64, and sees what it says it sees."""

import copy
import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from models.attention import catalog
from models.attention.bias import TIME_BUCKETS
from models.attention.mechanism import Mechanism
from models.attention.observed import STATE, STATE_COUNT
from models.features.tokens import FEATURE_COUNT, FEATURES

WIDTH, HEADS = 8, 2
ALL = catalog.mechanisms()
WINDOWED = [name for name in ALL if catalog.mechanism(name).windowed]
CAUSAL = [name for name in ALL if name != "bidirectional"]
_EMOTION, _GAZE = FEATURES.index("has_emotion"), FEATURES.index("has_gaze")
_SAID = [FEATURES.index(name) for name in ("valence", "arousal", "confidence")]
_ON_TASK = FEATURES.index("gaze_on_task")

Columns = tuple[Tensor, Tensor, Tensor, Tensor]
"""x (B, T, D), time_us (B, T), mask (B, T), features (B, T, F)."""


def made(name: str, window: int, seed: int = 0) -> Mechanism:
    """A mechanism whose every parameter is random, also those that start at 0."""
    torch.manual_seed(seed)
    attention = catalog.mechanism(name)(WIDTH, HEADS, window)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.normal_(std=0.4)
    return attention


def inputs(tokens: int, seed: int = 0) -> Columns:
    """Two people, ties in time, padding on the left of one and on the right of the other, readings now and then."""
    random = torch.Generator().manual_seed(seed)
    step = torch.randint(0, 4, (2, tokens), generator=random) * torch.randint(0, 2**31, (2, tokens), generator=random)
    mask = torch.ones(2, tokens, dtype=torch.bool)
    mask[0, : tokens // 3] = False
    mask[1, tokens - tokens // 4 :] = False
    features = torch.randn(2, tokens, FEATURE_COUNT, generator=random)
    for column in (_EMOTION, _GAZE):
        features[:, :, column] = (torch.rand(2, tokens, generator=random) < 0.25).float()
    return torch.randn(2, tokens, WIDTH, generator=random), step.cumsum(1), mask, features


def forward(attention: Mechanism, columns: Columns) -> Tensor:
    x, time_us, mask, features = columns
    out: Tensor = attention(x, attention.band(time_us, mask, features), x.shape[1])  # type: ignore[operator]
    return out


def bucket(gap_us: int) -> int:
    """Half octaves of 1 + time in units of 2^20 µs."""
    octave = math.floor(math.log2(1 + gap_us / 2**20))
    return min(2 * octave + int(1 + gap_us / 2**20 >= 1.5 * 2**octave), TIME_BUCKETS - 1)


def state(columns: Columns, window: int, person: int, i: int) -> Tensor:
    """(C,) the last reading of each kind among the tokens i - W < j <= i, by looking back one at a time."""
    _, time_us, mask, features = columns
    said: list[float] = []
    for present, values in ((_EMOTION, _SAID), (_GAZE, [_ON_TASK])):
        found = [0.0] * (len(values) + 2)
        for j in range(i, max(-1, i - window), -1):
            if mask[person, j] and features[person, j, present] > 0:
                age_s = int(time_us[person, i] - time_us[person, j]) / 1e6
                found = [1.0, *(float(features[person, j, each]) for each in values), math.log1p(age_s) / 10]
                break
        said += found
    return torch.tensor(said, dtype=torch.float64)


class Pair:
    """One query i and one key j of one person and head: what a formula is made of."""

    def __init__(self, attention: Mechanism, columns: Columns, place: tuple[int, int, int, int]) -> None:
        person, self.head, self.i, self.j = place
        x, time_us, _, _ = columns
        heads, size = attention.heads, WIDTH // attention.heads
        projected: Tensor = attention.project(x[person].double())
        query, key, _ = projected.view(-1, 3, heads, size).unbind(1)
        self.query, self.key = query[self.i, self.head], key[self.j, self.head]
        self.gap_us = int(time_us[person, self.i] - time_us[person, self.j])
        self.own = attention
        self._state: Callable[[], Tensor] = lambda: state(columns, attention.window, person, self.i)

    def parameter(self, name: str, *index: int) -> Tensor:
        return self.own.get_parameter(name)[index]

    @property
    def state(self) -> Tensor:
        return self._state()

    @property
    def product(self) -> Tensor:
        return self.query @ self.key / math.sqrt(len(self.key))

    @property
    def of_time(self) -> Tensor:
        return self.parameter("time_bias", self.head, bucket(abs(self.gap_us)))

    @property
    def of_order(self) -> Tensor:
        return self.parameter("order_bias", self.head, self.i - self.j)


def additive(pair: Pair) -> Tensor:
    return pair.parameter("direction", pair.head) @ torch.tanh(pair.query + pair.key)


def faded(pair: Pair) -> Tensor:
    rate = pair.parameter("log_rate", pair.head).exp()
    return torch.exp(-rate * pair.gap_us / 3.6e9) * pair.product + pair.of_order


def dynamic(pair: Pair) -> Tensor:
    seen, size = pair.state, len(pair.key)
    asked = (pair.own.get_parameter("ask.weight") @ seen)[pair.head * size : (pair.head + 1) * size]
    gains = torch.exp(torch.tanh(pair.own.get_parameter("gain.weight") @ seen + pair.own.get_parameter("gain.bias")))
    sharpness, stretch = gains[pair.head], gains[HEADS + pair.head]
    product = sharpness * ((pair.query + asked) @ pair.key) / math.sqrt(size)
    return product + stretch * pair.of_time + pair.of_order


FORMULAS: dict[str, Callable[[Pair], Tensor]] = {
    "soft": additive,
    "self_attention": lambda pair: pair.product,
    "multi_head": lambda pair: pair.product + pair.of_order,
    "causal": lambda pair: pair.product + pair.of_time,
    "bidirectional": lambda pair: pair.product + pair.of_time,
    "banded": lambda pair: pair.product + pair.of_time + pair.of_order,
    "time_decayed": faded,
    "dynamic": dynamic,
}


def reach(name: str, window: int, i: int, tokens: int) -> Sequence[int]:
    """The keys that a query at i may see, padding aside."""
    if name == "bidirectional":
        return range(tokens)
    return range(0 if name == "causal" else max(0, i - window + 1), i + 1)


def naive(name: str, attention: Mechanism, columns: Columns) -> Tensor:
    """softmax(logits) V for one person, query and head after the other, one pair at a time."""
    exact = copy.deepcopy(attention).double()
    x, _, mask, _ = columns
    people, tokens, _ = x.shape
    heads, size = exact.heads, WIDTH // exact.heads
    value = exact.project(x.double()).view(people, tokens, 3, heads, size)[:, :, 2]
    mixed = torch.zeros(people, tokens, heads, size, dtype=torch.float64)
    for b in range(people):
        for i in range(tokens):
            seen = [j for j in reach(name, exact.window, i, tokens) if j == i or mask[b, j]]
            for h in range(heads):
                logits = torch.stack([FORMULAS[name](Pair(exact, columns, (b, h, i, j))) for j in seen])
                mixed[b, i, h] = torch.softmax(logits, dim=0) @ value[b, seen, h]
    out: Tensor = exact.out(mixed.flatten(2))
    return out


def test_every_mechanism_has_its_formula_here() -> None:
    assert set(FORMULAS) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_self_attention_has_one_head_and_the_others_as_many_as_asked_for(name: str) -> None:
    assert made(name, 3).heads == (1 if name == "self_attention" else HEADS)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("window", "tokens"), [(1, 5), (5, 18), (18, 21)])
def test_it_equals_its_formula(name: str, window: int, tokens: int) -> None:
    attention, columns = made(name, window), inputs(tokens, seed=window)
    got = forward(attention, columns).double()
    torch.testing.assert_close(got, naive(name, attention, columns), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("queries", [1, 4, 16])
def test_the_last_tokens_alone_equal_the_whole(name: str, queries: int) -> None:
    attention, columns = made(name, 6), inputs(26)
    x, time_us, mask, features = columns
    band = attention.tail(time_us, mask, queries, features)  # type: ignore[operator]
    torch.testing.assert_close(
        attention(x, band, queries), forward(attention, columns)[:, -queries:], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", ALL)
def test_gradients_reach_every_parameter_and_are_those_of_the_formula(name: str) -> None:
    attention, columns = made(name, 4), inputs(7)
    weights = torch.randn(2, 7, WIDTH, generator=torch.Generator().manual_seed(1))
    names, parameters = zip(*attention.named_parameters(), strict=True)
    got = torch.autograd.grad((forward(attention, columns) * weights).sum(), parameters)
    assert all(gradient.abs().sum() > 0 for gradient in got), names
    step, loss = 1e-4, {}
    for index, (parameter, gradient) in enumerate(zip(parameters, got, strict=True)):
        direction = gradient / gradient.norm()
        for sign in (1, -1):
            moved = copy.deepcopy(attention).double()
            with torch.no_grad():
                moved.get_parameter(names[index]).add_(sign * step * direction.double())
                loss[sign] = float((naive(name, moved, columns) * weights).sum())
        slope = (loss[1] - loss[-1]) / (2 * step)
        assert slope == pytest.approx(float((gradient * direction).sum()), rel=1e-3), (names[index], parameter.shape)


def perturbed(columns: Columns, which: slice) -> Columns:
    """The same with other tokens at `which`: content, readings, and times that stay in order."""
    x, time_us, mask, features = (column.clone() for column in columns)
    x[:, which] += 1.0
    features[:, which] = 1.0 - features[:, which]
    return x, time_us, mask, features


@pytest.mark.parametrize("name", CAUSAL)
def test_later_tokens_move_no_bit(name: str) -> None:
    attention, columns = made(name, 6), inputs(30)
    before = forward(attention, columns)
    x, time_us, mask, features = perturbed(columns, slice(20, 30))
    time_us[:, 20:] += 5_000_000_000
    mask[:, 20:] = ~mask[:, 20:]
    after = forward(attention, (x, time_us, mask, features))
    assert torch.equal(before[:, :20], after[:, :20])
    assert not torch.equal(before[:, 20:], after[:, 20:])


@pytest.mark.parametrize("name", WINDOWED)
def test_what_lies_before_the_window_moves_no_bit(name: str) -> None:
    attention, columns = made(name, 6), inputs(30)
    before, after = (forward(attention, each) for each in (columns, perturbed(columns, slice(0, 10))))
    assert torch.equal(before[:, 15:], after[:, 15:])
    assert not torch.equal(before[1, 14], after[1, 14])


@pytest.mark.parametrize("name", ["causal", "bidirectional"])
def test_without_a_window_the_first_token_reaches_the_last(name: str) -> None:
    attention, columns = made(name, 2), inputs(30)
    before, after = (forward(attention, each) for each in (columns, perturbed(columns, slice(0, 1))))
    assert not torch.equal(before[1, 21], after[1, 21])


def test_bidirectional_sees_both_directions() -> None:
    attention, columns = made("bidirectional", 2), inputs(30)
    before, after = (forward(attention, each) for each in (columns, perturbed(columns, slice(15, 16))))
    assert all(not torch.equal(before[b, i], after[b, i]) for b, i in ((0, 12), (0, 29), (1, 0), (1, 20)))


@pytest.mark.parametrize("name", ALL)
def test_what_stands_in_the_padding_never_matters(name: str) -> None:
    attention, columns = made(name, 6), inputs(24)
    x, time_us, mask, features = (column.clone() for column in columns)
    x[~mask], features[~mask] = 7.0, 1.0
    real = columns[2]
    before, after = forward(attention, columns), forward(attention, (x, time_us, mask, features))
    assert torch.equal(before[real], after[real])
    alone = tuple(column[1:, :18] for column in columns)
    torch.testing.assert_close(forward(attention, alone), before[1:, :18], rtol=0, atol=1e-5)  # type: ignore[arg-type]


def test_the_state_has_a_column_for_each_reading_and_its_age() -> None:
    assert (
        *("has_emotion", "valence", "arousal", "confidence", "emotion_age_log"),
        *("has_gaze", "gaze_on_task", "gaze_age_log"),
    ) == STATE
    assert len(STATE) == STATE_COUNT


def test_the_present_state_changes_how_the_past_is_read_and_never_the_past() -> None:
    attention, (x, time_us, mask, features) = made("dynamic", 8), inputs(30)
    mask[:] = True
    features[:, :, _EMOTION] = features[:, :, _GAZE] = 0
    features[:, 12, [_EMOTION, _GAZE]] = 1  # a newer reading hides the one at 10 from 12 on
    features[:, 10, [_EMOTION, _GAZE]] = 1
    before = forward(attention, (x, time_us, mask, features))
    other = features.clone()
    other[:, 10, _SAID] += 2
    other[:, 10, _ON_TASK] += 2
    after = forward(attention, (x, time_us, mask, other))
    assert (before[:, 10:12] != after[:, 10:12]).any(dim=-1).all()
    # Queries 12 to 17 still see token 10: had its own state entered its key or value, they would move.
    assert torch.equal(before[:, :10], after[:, :10])
    assert torch.equal(before[:, 12:], after[:, 12:])


def test_untrained_dynamic_attention_is_banded_attention() -> None:
    columns = inputs(30)
    outputs = []
    for name in ("banded", "dynamic"):
        torch.manual_seed(3)
        outputs.append(forward(catalog.mechanism(name)(WIDTH, HEADS, 6), columns))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=1e-6)


def test_only_windowed_mechanisms_stream() -> None:
    streaming = {name for name in ALL if catalog.mechanism(name).streaming}
    assert streaming == {"banded", "dynamic", "multi_head", "self_attention", "time_decayed"}
    assert streaming < set(WINDOWED)
