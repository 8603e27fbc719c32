"""Intervals by resampling people: equal to a slow bootstrap with the same draws, paired, and fit for many rows."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from models.evaluation import metrics
from models.evaluation.resampling import Resampling, _binned_auc, _score_bins, figure

PEOPLE, RESAMPLES = 25, 60


def made(rows: int = 900, seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.uint64]]:
    """Labels, probabilities with ties, and people with different numbers of rows."""
    random = np.random.default_rng(seed)
    person = (random.random(rows) ** 2 * PEOPLE).astype(np.uint64) * np.uint64(7)
    probability = np.round(random.random(rows), 2)
    return (random.random(rows) < 0.2 + 0.6 * probability).astype(np.float32), probability, person


def slowly(resampling: Resampling, person: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """The rows of each resample: those of a person as often as the person was drawn."""
    people = np.unique(person)
    return [
        np.concatenate(
            [np.repeat(np.flatnonzero(person == who), count) for who, count in zip(people, times, strict=True)]
        )
        for times in resampling.times.tolist()
    ]


def test_every_resample_draws_as_many_people_as_there_are() -> None:
    resampling = Resampling(made()[2], seed=3, resamples=RESAMPLES)
    assert (resampling.times.sum(axis=1) == resampling.people).all()
    assert len(np.unique(resampling.times, axis=0)) == RESAMPLES


@pytest.mark.parametrize("name", ["log_loss", "auc", "ece"])
def test_an_interval_is_that_of_a_slow_bootstrap_with_the_same_draws(name: str) -> None:
    label, probability, person = made()
    resampling = Resampling(person, seed=3, resamples=RESAMPLES)
    measure = {
        "log_loss": lambda y, p: metrics.log_losses(y, p).mean(),
        "auc": metrics.auc,
        "ece": metrics.ece,
    }[name]
    got = {
        "log_loss": resampling.mean(metrics.log_losses(label, probability)),
        "auc": resampling.auc(label, probability),
        "ece": resampling.ece(label, probability),
    }[name]
    values = [measure(label[rows], probability[rows]) for rows in slowly(resampling, person)]
    assert got.value == pytest.approx(measure(label, probability), rel=1e-12)
    assert [got.ci_low, got.ci_high] == pytest.approx(np.quantile(values, [0.025, 0.975]), rel=1e-9)


def test_the_bins_of_calibration_have_the_interval_of_what_came_true_in_them() -> None:
    label, probability, person = made()
    resampling = Resampling(person, seed=3, resamples=RESAMPLES)
    bins = resampling.calibration(label, probability)
    assert [each["count"] for each in bins] == [each["count"] for each in metrics.calibration(label, probability)]
    inside = np.minimum((probability * 15).astype(int), 14) == 4
    rates = [label[rows][inside[rows]].mean(dtype=np.float64) for rows in slowly(resampling, person)]
    assert [bins[4]["low"], bins[4]["high"]] == pytest.approx(np.quantile(rates, [0.025, 0.975]), rel=1e-9)


def test_weighted_auc_is_scikit_learns() -> None:
    label, probability, person = made()
    weight = np.random.default_rng(2).integers(0, 5, PEOPLE)[(person // np.uint64(7)).astype(int)]
    place, bins = _score_bins(probability)
    ones = np.bincount(place, weight * (label > 0.5), bins)[None]
    zeros = np.bincount(place, weight * (label <= 0.5), bins)[None]
    expected = roc_auc_score(label, probability, sample_weight=weight)
    assert _binned_auc(ones, zeros)[0] == pytest.approx(expected, rel=1e-12)


def test_bins_of_scores_move_an_auc_by_less_than_a_hundred_thousandth() -> None:
    random = np.random.default_rng(4)
    probability = random.beta(1, 6, 200_000)
    label = (random.random(len(probability)) < probability).astype(np.float32)
    place, bins = _score_bins(probability)
    assert bins <= 1_001
    ones, zeros = np.bincount(place, label, bins)[None], np.bincount(place, 1 - label, bins)[None]
    assert _binned_auc(ones, zeros)[0] == pytest.approx(metrics.auc(label, probability), abs=1e-5)


def test_figures_of_one_resampling_are_paired() -> None:
    label, probability, person = made()
    resampling = Resampling(person, seed=3)
    losses = metrics.log_losses(label, probability)
    worse = losses + 0.01
    difference = resampling.mean(worse - losses)
    assert (difference.ci_low, difference.ci_high) == pytest.approx((0.01, 0.01))
    assert resampling.means(worse) - resampling.means(losses) == pytest.approx(0.01)


def test_one_person_gives_values_without_intervals() -> None:
    label, probability, _ = made()
    alone = Resampling(np.zeros(len(label), dtype=np.uint64), seed=1)
    for got in (alone.auc(label, probability), alone.ece(label, probability), alone.mean(probability)):
        assert np.isfinite(got.value)
        assert got.as_dict()["ci_low"] is None


def test_resamples_without_a_value_are_left_out() -> None:
    assert figure(0.5, np.array([np.nan, 0.4, 0.4])).as_dict() == {"value": 0.5, "ci_low": 0.4, "ci_high": 0.4}
