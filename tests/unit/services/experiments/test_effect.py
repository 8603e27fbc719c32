"""The effect estimate equals an independent one, covers the truth as often as it says, and pairs people."""

import numpy as np
import pytest
from scipy import stats

from infra.contracts.metrics import METRICS
from services.experiments.effect import all_differences, paired_difference


def test_it_equals_the_paired_t_interval_of_scipy() -> None:
    generator = np.random.default_rng(1)
    twin = generator.normal(100, 20, 400)
    run = twin + generator.normal(1.5, 3, 400)
    ours = paired_difference(run, twin)
    theirs = stats.ttest_rel(run, twin).confidence_interval(0.95)
    assert ours.difference == pytest.approx((run - twin).mean(), rel=1e-12)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_the_interval_covers_no_effect_in_95_of_100() -> None:
    generator = np.random.default_rng(2)
    found = (paired_difference(generator.normal(size=60), generator.normal(size=60)) for _ in range(2_000))
    covered = np.mean([each.ci_low <= 0 <= each.ci_high for each in found])
    assert 0.935 < covered < 0.965


def test_somebody_measured_in_one_arm_only_is_left_out() -> None:
    run, twin = np.array([1.0, np.nan, 5.0]), np.array([0.0, 3.0, np.nan])
    found = paired_difference(run, twin)
    assert (found.pairs, found.difference, found.run) == (1, 1.0, 1.0)
    assert np.isnan(found.ci_low)


def test_nobody_measured_gives_no_number() -> None:
    nothing = paired_difference(np.array([np.nan]), np.array([1.0]))
    assert nothing.pairs == 0
    assert np.isnan(nothing.difference)


def test_every_metric_of_the_contracts_that_both_arms_have_is_compared() -> None:
    arm = {name: np.arange(5.0) for name in [*METRICS, "not a metric"]}
    assert list(all_differences(arm, arm)) == list(METRICS)
    assert all(row["difference"] == 0 for row in all_differences(arm, arm).values())
