"""Rules of the paired bootstrap by person."""

import math

import numpy as np

from models.evaluation.bootstrap import mean_by_person


def test_it_equals_resampling_people_one_by_one() -> None:
    random = np.random.default_rng(5)
    person = random.integers(0, 40, 600).astype(np.uint64)
    value = random.normal(size=600) + person * 0.05
    got = mean_by_person(value, person, seed=1, resamples=4_000)
    means = []
    for _ in range(4_000):
        drawn = random.integers(0, 40, 40)
        means.append(np.concatenate([value[person == each] for each in drawn]).mean())
    assert math.isclose(got.mean, value.mean())
    np.testing.assert_allclose([got.ci_low, got.ci_high], np.quantile(means, [0.025, 0.975]), atol=0.04)


def test_rows_of_one_person_are_not_evidence_of_their_own() -> None:
    people = np.arange(30, dtype=np.uint64)
    value = np.random.default_rng(2).normal(size=30)
    once = mean_by_person(value, people, seed=3)
    often = mean_by_person(np.repeat(value, 100), np.repeat(people, 100), seed=3)
    assert math.isclose(once.ci_high - once.ci_low, often.ci_high - often.ci_low, rel_tol=1e-9)


def test_it_is_a_function_of_the_seed() -> None:
    value, person = np.arange(20.0), np.arange(20, dtype=np.uint64)
    assert mean_by_person(value, person, seed=1) == mean_by_person(value, person, seed=1)
    assert mean_by_person(value, person, seed=1) != mean_by_person(value, person, seed=2)


def test_one_person_gives_a_mean_without_an_interval() -> None:
    interval = mean_by_person(np.array([1.0, 3.0]), np.array([7, 7], dtype=np.uint64), seed=1)
    assert interval.as_dict() == {"mean": 2.0, "ci_low": None, "ci_high": None}
