"""Trials inside the simulation: who is treated, what intervals cover, what is found, what spreads."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from simulation.core.model import Metaverse
from simulation.scenarios import load
from simulation.trials.coverage import CoverageBench, run_coverage
from simulation.trials.interference import Interference, findings, live_interference, truth_table
from simulation.trials.intervals import clustered, welch
from simulation.trials.offering import Offers, half_of_each, live_through

CIRCLES = np.repeat(np.arange(25), 8)
SPILLOVER = {"people": "600", "days": "0.25", "warmup_days": str(1 / 24), "start": "2026-03-02T09:00:00Z"}


def test_welchs_interval_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(1.0, 1.0, 30), rng.normal(0.0, 3.0, 50)
    found, expected = welch(one, other), stats.ttest_ind(one, other, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.difference == pytest.approx(one.mean() - other.mean())
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))


def test_arms_without_any_variance_have_an_interval_of_no_width() -> None:
    assert welch(np.zeros(5), np.zeros(5)).covers_zero


def test_an_interval_of_pairs_is_the_usual_one_when_everybody_is_a_cluster() -> None:
    values = np.random.default_rng(2).normal(0.3, 1.0, 40)
    found, expected = clustered(values, np.arange(40)), stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))


def test_people_who_move_together_count_as_one() -> None:
    values = np.random.default_rng(3).normal(0.0, 1.0, 25)
    alone, together = clustered(values, np.arange(25)), clustered(np.repeat(values, 8), CIRCLES)
    assert (together.ci_low, together.ci_high) == pytest.approx((alone.ci_low, alone.ci_high))


def test_whoever_has_no_value_is_left_out_of_the_pairs() -> None:
    values = np.array([1.0, np.nan, 2.0, 3.0])
    assert clustered(values, np.arange(4)).difference == pytest.approx(2.0)


def test_half_of_each_circle_is_treated_and_another_half_with_another_seed() -> None:
    treated = half_of_each(CIRCLES, 5)
    assert np.array_equal(np.bincount(CIRCLES[treated]), np.full(25, 4))
    assert np.array_equal(treated, half_of_each(CIRCLES, 5))
    assert not np.array_equal(treated, half_of_each(CIRCLES, 6))


def test_only_the_treated_are_offered_anything() -> None:
    scenario = load("tiny", {"days": "0.1", "warmup_days": "0.05"})
    treated = half_of_each(np.zeros(200, np.int64), 1)
    offers = live_through(scenario, 1, treated, Offers(every=20)).people["offers"]
    assert offers[treated].sum() > 50
    assert offers[~treated].sum() == 0


def test_a_trial_in_which_nobody_is_treated_is_the_plain_run() -> None:
    scenario = load("tiny", {"days": "0.05", "warmup_days": "0"})
    left_alone, plain = live_through(scenario, 3, np.zeros(200, np.bool_), Offers()), Metaverse(scenario, 3)
    for _ in range(scenario.ticks):
        plain.step()
    assert (left_alone.people == plain.people).all()


def test_intervals_cover_no_effect_and_find_a_strong_one() -> None:
    small = CoverageBench(null_seeds=60, null_people=80, null_hours=1.0, strong_seeds=10)
    done: list[int] = []
    result = run_coverage(small, done.append)
    # Sixty trials: three standard errors below 95%.
    assert result["null"]["covered"] >= 0.86
    assert result["strong"]["detected"] >= 0.9
    assert result["strong"]["mean_difference"] > 0
    assert sum(done) == 70


@pytest.fixture(scope="module")
def worlds() -> Interference:
    return live_interference(load("spillover", SPILLOVER), 7, Offers(every=30))


def test_treating_half_of_every_circle_calms_the_other_half_too(worlds: Interference) -> None:
    result = findings(worlds)
    treated, untreated = result["treated_half"]["stress"], result["untreated_half"]["stress"]
    assert result["moved"]
    assert treated["ci_high"] < untreated["ci_low"]
    assert untreated["ci_high"] < 0.0


def test_the_amount_is_what_the_truth_table_states(worlds: Interference) -> None:
    table = pl.DataFrame(truth_table(worlds))
    assert table["person"].n_unique() == len(table) == 600
    untreated = table.filter(pl.col("treated") == 0)
    assert untreated["offers"].sum() == 0
    moved = (untreated["stress_with"] - untreated["stress_without"]).fill_nan(None).mean()
    assert findings(worlds)["untreated_half"]["stress"]["difference"] == pytest.approx(moved)


def test_a_trial_estimates_it_from_one_world_alone(worlds: Interference) -> None:
    # Where a circle was not drawn nobody was treated, so its people are as they are without treatment.
    others = ~worlds.chosen
    assert 0.4 < others.mean() < 0.6
    assert np.array_equal(worlds.trial["stress"][others], worlds.without["stress"][others], equal_nan=True)
    found = findings(worlds)
    estimate = found["estimated_untreated_half"]["stress"]
    assert estimate["ci_low"] < found["untreated_half"]["stress"]["difference"] < estimate["ci_high"]
    assert all(found["covers"].values())


def test_without_contagion_nothing_spreads() -> None:
    apart = load("spillover", SPILLOVER | {"rates.contagion": "0"})
    result = findings(live_interference(apart, 7, Offers(every=30)))
    stress = result["untreated_half"]["stress"]
    assert result["treated_half"]["stress"]["ci_high"] < 0.0
    assert (stress["difference"], result["moved"]) == (0.0, False)
    estimate = result["estimated_untreated_half"]["stress"]
    assert estimate["ci_low"] < 0.0 < estimate["ci_high"]
