"""Rules of deletion and insertion: what an area is, and who is faithful."""

import numpy as np
import pytest

from models.evaluation.explanation.curves import (
    SHARES,
    Areas,
    compared,
    curve,
    direction_of,
    holm,
    mean_curve,
    order_of,
    p_value,
)
from models.evaluation.explanation.subject import Doubles, Subject
from tests.support.subjects import PAST, of_a_small_model, one_token

SCORES = 30


def oracle(subject: Subject) -> Doubles:
    """The truth about a score of one token."""
    found = np.zeros(subject.past)
    found[int(subject.model.place)] = float(subject.model.worth)  # type: ignore[arg-type]
    return found


def areas_of(importances: dict[str, list[Doubles]], subjects: list[Subject]) -> dict[str, Areas]:
    random = np.random.default_rng(0)
    found = {}
    for name, each in importances.items():
        orders = [order_of(one, direction_of(subject), random) for one, subject in zip(each, subjects, strict=True)]
        found[name] = Areas.of([curve(subject, order) for subject, order in zip(subjects, orders, strict=True)])
    return found


@pytest.mark.parametrize("worth", [2.0, -2.0])
def test_an_oracle_is_faithful_and_wrong_importances_are_not(worth: float) -> None:
    subjects = [one_token(place, worth) for place in np.random.default_rng(3).integers(0, PAST, SCORES).tolist()]
    random = np.random.default_rng(4)
    importances = {
        "oracle": [oracle(each) for each in subjects],
        "inverse": [-oracle(each) for each in subjects],
        "noise": [random.normal(size=each.past) for each in subjects],
        "constant": [np.zeros(each.past) for each in subjects],
    }
    areas = areas_of(importances, subjects)
    orders = [mean_curve([curve(each, random.permutation(each.past)) for _ in range(5)]) for each in subjects]
    recency = areas_of({"": [np.sign(worth) * np.arange(PAST) for _ in subjects]}, subjects)[""]
    found = compared(areas, Areas.of(orders), recency, np.arange(SCORES, dtype=np.uint64), seed=1)
    assert found["oracle"]["p"] < 1e-5
    assert found["oracle"]["faithful"]
    assert found["oracle"]["beats_recency"]
    assert found["oracle"]["deletion_difference"]["ci_low"] > 0
    assert found["oracle"]["insertion_difference"]["ci_low"] > 0
    for wrong in ("inverse", "noise", "constant"):
        assert not found[wrong]["faithful"], wrong
        assert found[wrong]["p"] > 0.01, wrong
    assert found["inverse"]["deletion_difference"]["ci_high"] < 0


def test_both_curves_start_at_nothing_and_end_at_what_the_past_has_done() -> None:
    subject = of_a_small_model(seed=8)
    whole, none = subject.ends()
    found = curve(subject, np.arange(subject.past))
    for values in (found.deletion, found.insertion):
        assert values.shape == SHARES.shape
        assert values[0] == pytest.approx(0, abs=1e-6)
        assert values[-1] == pytest.approx(abs(whole - none), abs=1e-5)


def test_the_area_is_the_share_of_tokens_that_are_still_to_come() -> None:
    """The one token is the fifth of twenty to go: it is there up to 4/20 and gone from 5/20 on."""
    subject = one_token(place=4)
    deletion, insertion = curve(subject, np.arange(PAST)).areas()
    assert deletion == pytest.approx(2 * (1 - 0.22), abs=0.08)
    assert insertion == deletion


def test_importance_counts_towards_what_the_past_has_done() -> None:
    importance = np.array([0.5, -3.0, 1.0])
    random = np.random.default_rng(0)
    assert order_of(importance, 1.0, random).tolist() == [2, 0, 1]
    assert order_of(importance, -1.0, random).tolist() == [1, 0, 2]


def test_ties_fall_at_random() -> None:
    random = np.random.default_rng(0)
    firsts = {int(order_of(np.zeros(5), 1.0, random)[0]) for _ in range(60)}
    assert firsts == {0, 1, 2, 3, 4}


def test_rows_of_one_person_are_one_observation() -> None:
    difference = np.repeat([0.5, 0.3, 0.4, -0.2, 0.6], 40)
    person = np.repeat(np.arange(5, dtype=np.uint64), 40)
    assert p_value(difference, person) == pytest.approx(2 / 32)
    assert p_value(np.zeros(10), np.arange(10, dtype=np.uint64)) == 1


def test_p_values_are_adjusted_step_down() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
