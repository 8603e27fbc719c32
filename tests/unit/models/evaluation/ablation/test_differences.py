"""The interval of a difference covers people and starts: against plain loops, and against known truth."""

import numpy as np
import pytest
from scipy.stats import t

from models.evaluation.ablation.differences import over_people_and_starts, widening


def test_it_equals_a_computation_one_draw_at_a_time() -> None:
    random = np.random.default_rng(3)
    rows = np.array([3, 0, 5, 1, 2])
    sums = random.normal(size=(3, 5)) * (rows > 0)
    found = over_people_and_starts(sums, rows, seed=8, resamples=50)
    assert found.value == pytest.approx(np.mean([sums[start].sum() / rows.sum() for start in range(3)]))

    random, people, values = np.random.default_rng(8), [0, 2, 3, 4], []
    times = random.multinomial(4, [0.25] * 4, size=50)
    starts = random.multinomial(3, [1 / 3] * 3, size=50)
    for draw in range(50):
        counted = sum(times[draw, at] * rows[person] for at, person in enumerate(people))
        means = [
            sum(times[draw, at] * sums[start, person] for at, person in enumerate(people)) / counted
            for start in range(3)
        ]
        centre = sum(means) / 3
        drawn = sum(starts[draw, start] * means[start] for start in range(3)) / 3
        values.append(centre + np.sqrt(3 / 2) * t.ppf(0.975, 2) / 1.959964 * (drawn - centre))
    assert [found.ci_low, found.ci_high] == pytest.approx(np.quantile(values, [0.025, 0.975]))


@pytest.mark.parametrize(("of_people", "of_starts"), [(1.0, 0.0), (0.0, 0.3), (1.0, 0.15)])
def test_intervals_hold_the_truth_as_often_as_they_say(of_people: float, of_starts: float) -> None:
    random, trials, held = np.random.default_rng(1), 300, 0
    rows = np.full(40, 2)
    for trial in range(trials):
        person, start = random.normal(size=40) * of_people, random.normal(size=(5, 1)) * of_starts
        sums = 2 * (0.5 + person + start + 0.05 * random.normal(size=(5, 40)))
        found = over_people_and_starts(sums, rows, trial, resamples=200)
        held += found.ci_low <= 0.5 <= found.ci_high
    assert held / trials >= 0.91  # 95% less three standard errors of 300 trials; without widening starts alone hold 84%


def test_few_starts_widen_and_many_do_not() -> None:
    assert widening(5) == pytest.approx(1.58, abs=0.01)
    assert widening(10_000) == pytest.approx(1, abs=1e-3)


def test_one_person_has_a_mean_without_an_interval_and_nobody_has_none() -> None:
    one = over_people_and_starts(np.array([[2.0, 9.0], [4.0, 9.0]]), np.array([2, 0]), seed=1)
    assert one.value == pytest.approx(1.5)
    assert np.isnan([one.ci_low, one.ci_high]).all()
    assert np.isnan(over_people_and_starts(np.zeros((2, 1)), np.array([0]), seed=1).value)
