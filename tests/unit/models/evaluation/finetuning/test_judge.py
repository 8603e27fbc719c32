"""Rules of the judge: means over heads, shares of a gain, and intervals that are paired over people and seeds."""

from dataclasses import replace

import numpy as np
import pytest

from models.evaluation import metrics
from models.evaluation.finetuning.judge import ALL, INSIDE, OUTSIDE, Judge, Sampled
from models.evaluation.resampling import Doubles
from models.features.tokens import FEATURE_COUNT, Tokens
from models.training.dataset import Dataset

ROWS, PEOPLE = 600, 40


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Labels of two heads, the second known every other row."""
    random = np.random.default_rng(1)
    known = np.stack([np.ones(ROWS, dtype=np.bool_), np.arange(ROWS) % 2 == 0], axis=1)
    return Dataset(
        heads=("interaction", "lapse"),
        tokens=Tokens(
            kind=np.ones(ROWS, dtype=np.int16),
            time_us=np.arange(ROWS),
            features=np.zeros((ROWS, FEATURE_COUNT), dtype=np.float32),
            item=np.zeros(ROWS, dtype=np.int32),
        ),
        person=np.sort(random.integers(1, PEOPLE + 1, ROWS).astype(np.uint64)),
        value=(random.random((ROWS, 2)) < 0.4).astype(np.float32),
        known=known,
        role=np.zeros(ROWS, dtype=np.int8),
    )


INNER = np.arange(ROWS) % 3 == 0


def judge_of(dataset: Dataset, seed: int = 1) -> Judge:
    return Judge(dataset, np.arange(ROWS), INNER, seed)


def said(seed: int) -> Doubles:
    return np.random.default_rng(seed).uniform(0.1, 0.9, (ROWS, 2))


def test_losses_are_means_over_the_known_rows_inside_and_outside(dataset: Dataset) -> None:
    losses = judge_of(dataset).losses(said(1))
    for part, inside in ((INSIDE, INNER), (OUTSIDE, ~INNER)):
        means = []
        for index, head in enumerate(dataset.heads):
            rows = inside & dataset.known[:, index]
            means.append(metrics.log_losses(dataset.value[rows, index], said(1)[rows, index]).mean())
            assert losses[part, head].value == pytest.approx(means[-1])
            figure = losses[part, head].figure()
            assert figure.ci_low < figure.value < figure.ci_high
        assert losses[part, ALL].value == pytest.approx(np.mean(means)), "each head counts the same"


def test_a_resample_is_the_mean_of_the_people_it_draws(dataset: Dataset) -> None:
    judge = judge_of(dataset)
    rows = INNER & dataset.known[:, 1]
    loss = metrics.log_losses(dataset.value[rows, 1], said(1)[rows, 1])
    times = judge._drawn.times[7][np.unique(dataset.person, return_inverse=True)[1][rows]].astype(float)
    assert judge.losses(said(1))[INSIDE, "lapse"].resamples[7] == pytest.approx((times * loss).sum() / times.sum())


def test_a_model_has_all_of_its_own_gain_and_pairing_takes_the_noise_out(dataset: Dataset) -> None:
    judge = judge_of(dataset)
    base, full = judge.losses(np.full((ROWS, 2), 0.9))[INSIDE, ALL], judge.losses(np.full((ROWS, 2), 0.4))[INSIDE, ALL]
    near = judge.losses(np.full((ROWS, 2), 0.41))[INSIDE, ALL]
    assert (base - full).of(base - full).figure().as_dict() == {"value": 1.0, "ci_low": 1.0, "ci_high": 1.0}
    share = (base - near).of(base - full).figure()
    assert share.ci_high - share.ci_low < 0.05 < (base - full).figure().ci_high - (base - full).figure().ci_low
    assert np.isnan(full.of(full - base).value), "of no gain there is no share"


def test_seeds_are_drawn_too_and_the_same_for_all_ways(dataset: Dataset) -> None:
    judge = judge_of(dataset)
    flat = np.ones(1_000)
    apart = judge.over_seeds([Sampled(0.0, 0 * flat), Sampled(1.0, flat)])
    assert apart.value == 0.5
    assert apart.figure().ci_low == 0
    assert apart.figure().ci_high == 1
    assert set(np.unique(apart.resamples)) == {0.0, 0.5, 1.0}
    other = judge.over_seeds([Sampled(0.1, 0.1 * flat), Sampled(1.1, 1.1 * flat)])
    assert (other - apart).resamples == pytest.approx(0.1 * flat)


def test_what_has_no_rows_is_not_there(dataset: Dataset) -> None:
    judge = Judge(dataset, np.arange(ROWS), np.ones(ROWS, dtype=np.bool_), 1)
    assert {part for part, _ in judge.losses(said(1))} == {INSIDE}
    nowhere = replace(dataset, known=dataset.known & np.array([True, False]))
    assert (INSIDE, "lapse") not in judge_of(nowhere).losses(said(1))
    assert list(judge_of(nowhere).aucs(said(1))) == ["interaction"]
    assert judge_of(nowhere).counts()[INSIDE] == {"interaction": {"rows": 200, "people": 40}}
